import { saveApplication } from '#db/application.ts'
import { insertProduct } from '#db/product.ts'
import { parseApplication } from '#docker/compose/application.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import type { Diary } from './customer-diary.ts'
import type { TestInstallation } from './installation.ts'

/** Orders a product that builds an application of a test's own; gives the subscription's id. */
export async function sellApplication(
  { db }: TestInstallation,
  diary: Diary,
  application: { code: string; compose: string },
): Promise<string> {
  const { code, compose } = application
  const definition = parseApplication({ code, text: compose })
  const { id } = await saveApplication(db, { compose, definition })
  await insertProduct(db, {
    code,
    name: code,
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    basePrice: perUnitPrice('5'),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [id],
  })
  return await diary.order([{ product: code }])
}
