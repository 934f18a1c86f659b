import { insertProduct, type NewProduct } from '#db/product.ts'
import type { Seller } from '#test/support/seller.ts'
import { keepTaxRates } from '#test/support/books.ts'
import { insertTaxRate } from '#db/tax-rate.ts'
import { sql } from 'kysely'
import { createSeller } from '#test/support/seller.ts'

const perUnit = (unitAmount: string) => ({ model: 'per_unit', unitAmount }) as const
const ofMonth = {
  billingType: 'flat',
  billingTiming: 'advance',
  recurrence: { count: 1, unit: 'month' },
} as const

/** One product for each of what terms, prices and intervals can be, beside what the demo sells. */
const products: readonly (Partial<NewProduct> & Pick<NewProduct, 'code' | 'basePrice'>)[] = [
  { code: 'seats', billingType: 'threshold', unit: 'user', basePrice: perUnit('3.333') },
  { code: 'seats-pro', billingType: 'threshold', unit: 'user', basePrice: perUnit('5.105') },
  { code: 'quarterly', basePrice: perUnit('99.99'), recurrence: { count: 1, unit: 'quarter' } },
  { code: 'aligned', basePrice: perUnit('17.77'), terms: { alignment: 'calendar', proration: 'month_30' } },
  { code: 'kept', basePrice: perUnit('12.34'), terms: { unusedTime: 'keep' } },
  { code: 'whole', basePrice: perUnit('8.01'), terms: { proration: 'none' } },
  { code: 'tried', basePrice: perUnit('21.21'), terms: { trialDays: 14 }, taxCategory: 'reduced' },
  { code: 'instalments', basePrice: perUnit('33.33'), terms: { periodCount: 3 } },
  { code: 'afterwards', basePrice: perUnit('45.67'), billingTiming: 'arrears', taxCategory: 'reduced' },
  { code: 'month-end', basePrice: perUnit('27.5'), recurrence: { count: 1, unit: 'month_last_day' } },
  { code: 'fortnightly', basePrice: perUnit('6.66'), recurrence: { count: 2, unit: 'week' } },
  {
    code: 'tiers',
    billingType: 'threshold',
    unit: 'user',
    basePrice: {
      model: 'graduated',
      tiers: [
        { upTo: '3', unitAmount: '4.99' },
        { upTo: null, unitAmount: '2.49', flatAmount: '1' },
      ],
      leastAmount: '9.5',
    },
  },
  {
    code: 'requests',
    billingType: 'usage',
    billingTiming: 'arrears',
    unit: 'GiB',
    metric: 'requests',
    basePrice: {
      model: 'package',
      packageSize: '10',
      packageAmount: '0.75',
      includedQuantity: '5',
      leastAmount: '2',
    },
    terms: { isZeroShown: false },
  },
]

export const soldCodes = products.map(({ code }) => code)

/** A seller of all of them, that taxes and rounds in one of the four ways. */
export async function createStorySeller(way: number): Promise<Seller> {
  const seller = await createSeller({ ports: 20_000 })
  const { db } = seller
  await keepTaxRates(db)
  await insertTaxRate(db, {
    country: 'DE',
    region: null,
    category: 'reduced',
    name: 'VAT',
    ratePercent: '7',
    startsOn: null,
    endsOn: null,
  })
  const [isInclusive, rounding] = [way % 2 === 1, way % 4 > 1 ? 'line' : 'document']
  await sql`update installation set prices_include_tax = ${isInclusive}, tax_rounding = ${rounding}`.execute(
    db,
  )
  for (const product of products) {
    await insertProduct(db, {
      ...ofMonth,
      name: product.code,
      unit: 'month',
      currency: 'USD',
      metric: null,
      limitCode: null,
      applicationIds: [],
      ...product,
    })
  }
  return seller
}
