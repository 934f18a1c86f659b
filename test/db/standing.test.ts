import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import fc from 'fast-check'
import { newId } from '#db/identifier.ts'
import { insertProduct, type NewProduct } from '#db/product.ts'
import { readStanding } from '#db/read/standing.ts'
import { insertTaxRate } from '#db/tax-rate.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { addDays } from '#domain/calendar.ts'
import { simulateDocuments, type SimulatedBill } from '#domain/invoice/simulation.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { inOrder, listTold, toldBy } from '#test/support/foreseen.ts'
import { createSeller, pushUsage, type Seller } from '#test/support/seller.ts'

// Each story lives on a test clock of its own: what is foreseen is compared with what the clock then brings.
let seller: Seller
before(async () => {
  seller = await createSeller()
  await keepTaxRates()
  for (const product of products) await insertProduct(seller.db, product)
})
after(async () => seller.drop())

/** The rate of the service's first day counts, so that it changes in the middle of what is foreseen. */
async function keepTaxRates(): Promise<void> {
  const of = { country: 'FR', region: null, category: 'standard', name: 'TVA' }
  await insertTaxRate(seller.db, { ...of, ratePercent: '19.6', startsOn: null, endsOn: '2027-07-01' })
  await insertTaxRate(seller.db, { ...of, ratePercent: '20', startsOn: '2027-07-01', endsOn: null })
  const profile = JSON.stringify({
    name: 'Seller',
    address: '1 quai, 44000 Nantes',
    taxId: 'FR40303265045',
    country: 'FR',
  })
  await seller.db.updateTable('installation').set({ seller: profile }).execute()
}

const base = {
  name: 'Product',
  billingType: 'flat',
  billingTiming: 'advance',
  recurrence: { count: 1, unit: 'month' },
  unit: 'month',
  basePrice: perUnitPrice('24.95'),
  currency: 'USD',
  metric: null,
  limitCode: null,
  applicationIds: [],
} as const
const products: NewProduct[] = [
  { ...base, code: 'hosting' },
  { ...base, code: 'yearly', recurrence: { count: 1, unit: 'year' }, basePrice: perUnitPrice('100') },
  { ...base, code: 'trial', terms: { trialDays: 20 } },
  { ...base, code: 'instalments', terms: { periodCount: 4 } },
  { ...base, code: 'months-of-30', terms: { proration: 'month_30' } },
  { ...base, code: 'whole-months', terms: { proration: 'none' } },
  { ...base, code: 'calendar', terms: { alignment: 'calendar' } },
  {
    ...base,
    code: 'calls',
    billingType: 'usage',
    billingTiming: 'arrears',
    unit: 'request',
    metric: 'calls',
    basePrice: {
      model: 'graduated',
      includedQuantity: '100',
      tiers: [
        { upTo: '1000', unitAmount: '0.013' },
        { upTo: null, unitAmount: '0.007', flatAmount: '5' },
      ],
    },
  },
  { ...base, code: 'quarterly', recurrence: { count: 3, unit: 'month' }, basePrice: perUnitPrice('70') },
  {
    ...base,
    code: 'bounded-calls',
    billingType: 'usage',
    billingTiming: 'arrears',
    unit: 'request',
    metric: 'calls',
    basePrice: { model: 'per_unit', unitAmount: '0.01', leastAmount: '9.99' },
    terms: { isZeroShown: false },
  },
]

const assumed = new Map([
  ['calls', '1234'],
  ['network', '7.5'],
  ['disk', '3'],
])

/** What is foreseen of a subscription today, and what a clock then brings when just that is used. */
async function foreseeAndLive(testClockId: string, subscriptionId: string, until: string) {
  const { db } = seller
  const standing = await readStanding(db, { subscriptionId })
  assert.ok(standing)
  const bills = simulateDocuments(standing, assumed, until)
  for (const bill of bills) await use(bill)
  await moveClock(db, testClockId, `${until}T12:00:00Z`)
  return {
    foreseen: inOrder(bills.map(toldBy)),
    made: inOrder(await listTold(db, testClockId, standing.today)),
  }
}

async function use({ draft }: SimulatedBill): Promise<void> {
  for (const line of draft.lines) {
    const { usage } = line.explanation
    if (line.kind !== 'usage' || usage === undefined || usage.quantity === '0') continue
    const { subscription_id, metric } = await seller.db
      .selectFrom('subscription_lines')
      .select(['subscription_id', 'metric'])
      .where('id', '=', line.subscriptionLineId)
      .executeTakeFirstOrThrow()
    await pushUsage(seller.db, {
      subscriptionId: subscription_id,
      metric: metric ?? '',
      quantity: usage.quantity,
      unit: usage.unit,
      occurredAt: `${line.servicePeriod?.start}T12:00:00Z`,
    })
  }
}

const command = (subscriptionId: string, now: string) => ({
  subscriptionId,
  requestId: `cancel ${subscriptionId}`,
  actor: 'test',
  now,
})

for (const code of products.map((product) => product.code)) {
  test(`J-07 a year of ${code} from 31 January is foreseen as a clock then brings it, line by line`, async () => {
    const now = '2027-01-31T10:00:00Z'
    const testClockId = await seller.clock(now)
    const subscriptionId = await seller.sell({ product: code, quantity: '1', testClockId, now })
    const { foreseen, made } = await foreseeAndLive(testClockId, subscriptionId, '2028-02-29')
    assert.ok(foreseen.length > 0)
    assert.deepEqual(made, foreseen)
  })
}

test('J-07 Config 1 with a late joiner on its document, cancelled in the middle of a period, is foreseen', async () => {
  const now = '2026-01-15T10:00:00Z'
  const testClockId = await seller.clock(now)
  const first = await seller.sell({ kit: 'odoo-config-1', testClockId, now })
  const joined = '2026-03-02T10:00:00Z'
  await moveClock(seller.db, testClockId, joined)
  await seller.sell({ product: 'calls', testClockId, now: joined })
  await cancelSubscription(seller.db, command(first, joined), { when: 'period_end', reason: 'test' })
  const { foreseen, made } = await foreseeAndLive(testClockId, first, '2026-09-01')
  assert.deepEqual(made, foreseen)
  assert.ok(foreseen.some(({ lines }) => lines.some((line) => line.kind === 'usage')))
})

test('D-11 usage of a line that another follows is billed with its period, and none of it twice', async () => {
  const now = '2026-03-01T10:00:00Z'
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ product: 'bounded-calls', testClockId, now })
  await planQuantity(subscriptionId, '2026-03-11')
  for (const [day, quantity] of [
    ['2026-03-05', '2000'],
    ['2026-03-20', '4000'],
  ] as const) {
    const event = { subscriptionId, metric: 'calls', unit: 'request', quantity }
    await pushUsage(seller.db, { ...event, occurredAt: `${day}T12:00:00Z` })
  }
  await moveClock(seller.db, testClockId, '2026-04-02T12:00:00Z')
  const [bill] = await listTold(seller.db, testClockId, '2026-03-01')
  assert.deepEqual(
    bill?.lines.map((line) => [line.servicePeriod?.start, line.quantity, line.amountMinor]),
    [
      ['2026-03-01', '2000', 2000],
      ['2026-03-11', '4000', 4000],
    ],
  )
})

interface Extras {
  readonly products: readonly string[]
  readonly bounds: { readonly least: string | null; readonly greatest: string | null }
  readonly discount: {
    percent: string | null
    minor: number | null
    scope: 'line' | 'document'
    periods: number | null
  }
  /** Days after the first on which a quantity changes, a one-off is due, and service ends; null is never. */
  readonly changes: number | null
  readonly oneOff: number | null
  readonly ends: number | null
}

const extras: fc.Arbitrary<Extras> = fc.record({
  products: fc.uniqueArray(fc.constantFrom(...products.map(({ code }) => code)), {
    minLength: 1,
    maxLength: 4,
  }),
  bounds: fc.constantFrom(
    { least: null, greatest: null },
    { least: '30', greatest: null },
    { least: null, greatest: '20' },
    { least: '10', greatest: '40.5' },
  ),
  discount: fc.record({
    percent: fc.constant('12.5'),
    minor: fc.constant(null),
    scope: fc.constantFrom('line' as const, 'document' as const),
    periods: fc.constantFrom(null, 1, 3),
  }),
  changes: fc.option(fc.integer({ min: 1, max: 150 })),
  oneOff: fc.option(fc.integer({ min: 1, max: 150 })),
  ends: fc.option(fc.integer({ min: 2, max: 200 })),
})

test('E-12 the least amount of a period that ends with its service is foreseen though the document is billed on that day', async () => {
  const now = '2027-03-15T10:00:00Z'
  const testClockId = await seller.clock(now)
  const extra: Extras = {
    products: ['bounded-calls', 'hosting'],
    bounds: { least: '30', greatest: null },
    discount: { percent: '12.5', minor: null, scope: 'line', periods: 1 },
    changes: null,
    oneOff: null,
    ends: 31,
  }
  const [first = ''] = await sellMixture(extra, { testClockId, now })
  const { foreseen, made } = await foreseeAndLive(testClockId, first, '2027-05-16')
  assert.deepEqual(made, foreseen)
  const trueUps = foreseen.flatMap(({ lines }) => lines.filter(({ kind }) => kind === 'true_up'))
  assert.deepEqual(
    trueUps.map(({ servicePeriod, amountMinor }) => [servicePeriod?.end, amountMinor]),
    [['2027-04-15', 1920]],
  )
})

test('E-12 what a customer has, in any mixture, is foreseen as a clock then brings it, to the last explanation', async () => {
  const firstDays = fc.constantFrom('2027-01-31', '2027-02-28', '2027-03-15')
  await fc.assert(
    fc.asyncProperty(firstDays, extras, async (firstDay, extra) => {
      const now = `${firstDay}T10:00:00Z`
      const testClockId = await seller.clock(now)
      const [first = ''] = await sellMixture(extra, { testClockId, now })
      const { foreseen, made } = await foreseeAndLive(testClockId, first, addDays(firstDay, 190))
      assert.deepEqual(made, foreseen)
    }),
    { numRuns: 20, endOnFailure: true },
  )
})

async function sellMixture(extra: Extras, at: { testClockId: string; now: string }): Promise<string[]> {
  const { db } = seller
  const today = at.now.slice(0, 10)
  const ids: string[] = []
  for (const product of extra.products) ids.push(await seller.sell({ product, quantity: '2', ...at }))
  const [first = ''] = ids
  const { least, greatest } = extra.bounds
  await db
    .updateTable('subscriptions')
    .set({ least_amount: least, greatest_amount: greatest })
    .where('id', '=', first)
    .execute()
  await giveDiscount(extra.discount, first, today)
  if (extra.oneOff !== null) await chargeOnce(first, { on: addDays(today, extra.oneOff), ...at })
  if (extra.changes !== null) await planQuantity(first, addDays(today, extra.changes))
  if (extra.ends !== null) {
    const endsOn = addDays(today, extra.ends)
    await cancelSubscription(db, command(first, at.now), { when: 'date', endsOn, reason: 'test' })
  }
  return ids
}

async function giveDiscount(discount: Extras['discount'], subscriptionId: string, on: string): Promise<void> {
  const id = newId()
  await seller.db
    .insertInto('discounts')
    .values({
      id,
      code: null,
      name: 'Welcome',
      percent: discount.percent,
      amount_minor: discount.minor,
      currency: null,
      scope: discount.scope,
      product_id: null,
      period_count: discount.periods,
      archived_at: null,
      valid_in: '[,)',
      maximum_uses: null,
      is_once_per_customer: false,
    })
    .execute()
  const { customer_id } = await seller.db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  await seller.db
    .insertInto('applied_discounts')
    .values({
      id: newId(),
      discount_id: id,
      customer_id,
      subscription_id: subscriptionId,
      valid_in: `[${on},)`,
    })
    .execute()
}

async function chargeOnce(subscriptionId: string, at: { testClockId: string; on: string }): Promise<void> {
  const { customer_id } = await seller.db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  await seller.db
    .insertInto('one_off_charges')
    .values({
      id: newId(),
      customer_id,
      subscription_id: subscriptionId,
      test_clock_id: at.testClockId,
      product_id: null,
      currency: 'USD',
      description: 'Visit',
      quantity: '1',
      unit: 'piece',
      tax_category: 'standard',
      price: JSON.stringify({ model: 'flat', amount: '33.33' }),
      charged_on: at.on,
      reference: null,
      withdrawn_at: null,
    })
    .execute()
}

/** A line of three from a day on, as a change that was agreed would leave it. */
async function planQuantity(subscriptionId: string, startsOn: string): Promise<void> {
  const { created_at: _created, ...line } = await seller.db
    .selectFrom('subscription_lines')
    .selectAll()
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  await seller.db
    .updateTable('subscription_lines')
    .set({ ends_on: startsOn })
    .where('id', '=', line.id)
    .execute()
  const [price, terms] = [JSON.stringify(line.price), JSON.stringify(line.terms)]
  await seller.db
    .insertInto('subscription_lines')
    .values({
      ...line,
      price,
      terms,
      conversion: null,
      id: newId(),
      quantity: '3',
      starts_on: startsOn,
      ends_on: null,
    })
    .execute()
}
