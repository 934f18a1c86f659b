import assert from 'node:assert/strict'
import { saveApplication } from '#db/application.ts'
import type { Db } from '#db/database.ts'
import { insertProduct } from '#db/product.ts'
import { parseApplication } from '#docker/compose/application.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import type { Diary } from './customer-diary.ts'
import { listObjects, type TestInstallation } from './installation.ts'

interface OwnApplication {
  readonly code: string
  readonly compose: string
}

/** The image of this installation's static site, which answers and needs nothing else; it was ordered before. */
export async function standInImage({ installationId }: TestInstallation): Promise<string> {
  const { containers } = await listObjects(installationId)
  const site = containers.find(({ Labels: labels }) => labels['io.clouder.application'] === 'static-site')
  return site?.Image ?? assert.fail('the static site is there')
}

/** Saves an application of a test's own; gives its id. */
export async function saveOwnApplication(db: Db, { code, compose }: OwnApplication): Promise<string> {
  const definition = parseApplication({ code, text: compose })
  return (await saveApplication(db, { compose, definition })).id
}

/** Puts on sale, at 5 USD a month, what builds these applications; so much of a limit of theirs, where one is named. */
export async function sellProduct(
  db: Db,
  code: string,
  applicationIds: string[],
  limit?: string,
): Promise<void> {
  await insertProduct(db, {
    code,
    name: code,
    billingType: limit === undefined ? 'flat' : 'threshold',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    basePrice: perUnitPrice('5'),
    currency: 'USD',
    metric: null,
    limitCode: limit ?? null,
    applicationIds,
  })
}

/** Orders a product that builds an application of a test's own; gives the subscription's id. */
export async function sellApplication(
  { db }: TestInstallation,
  diary: Diary,
  application: OwnApplication,
  { limit, ...of }: { readonly limit?: string; readonly quantity?: string } = {},
): Promise<string> {
  await sellProduct(db, application.code, [await saveOwnApplication(db, application)], limit)
  return await diary.order([{ product: application.code, ...of }])
}
