import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { computeMargins, marginGroupings, type MonthBooks } from '#domain/margin.ts'
import { holds } from '#test/support/property.ts'

const usd = { currency: 'USD' }
const places = Array.from({ length: 8 }, (_, index) => ({
  productId: 'site',
  subscriptionId: `sub-${index}`,
  customerId: index < 2 ? 'acme' : 'other',
}))

/** A server of 40.00 with eight instances, of which each earns 12.00. */
const row: MonthBooks = {
  costs: [{ ...usd, amountMinor: 4_000, target: { kind: 'server', id: 'S' } }],
  uses: places.map(({ subscriptionId }) => ({ serverId: 'S', subscriptionId, weight: '512' })),
  revenues: places.map((place) => ({ ...place, ...usd, amountMinor: 1_200 })),
  subscriptions: new Map(places.map((place) => [place.subscriptionId, place])),
}

test('a server of 40.00 whose eight instances earn 96.00 leaves 56.00, spread by the capacity used', () => {
  const of = (by: 'product' | 'customer') =>
    computeMargins(row, by).rows.map(({ id, revenueMinor, costMinor, marginMinor }) => [
      id,
      revenueMinor,
      costMinor,
      marginMinor,
    ])
  assert.deepEqual(of('product'), [['site', 9_600, 4_000, 5_600]])
  assert.deepEqual(of('customer'), [
    ['acme', 2_400, 1_000, 1_400],
    ['other', 7_200, 3_000, 4_200],
  ])
  assert.ok(computeMargins(row, 'subscription').rows.every(({ marginMinor }) => marginMinor === 700))
})

test('who takes thrice the capacity bears thrice the cost', () => {
  const uses = [
    { serverId: 'S', subscriptionId: 'sub-0', weight: '1536' },
    { serverId: 'S', subscriptionId: 'sub-1', weight: '512' },
  ]
  const { rows } = computeMargins({ ...row, uses }, 'subscription')
  assert.deepEqual(
    rows.slice(0, 3).map(({ costMinor }) => costMinor),
    [3_000, 1_000, 0],
  )
})

test('what nothing used, and what no rule is of, is in no row and told beside them', () => {
  const costs = [...row.costs, { ...usd, amountMinor: 500, target: null }]
  const { rows, idle, totals } = computeMargins({ ...row, costs, uses: [] }, 'product')
  assert.deepEqual(
    rows.map(({ costMinor }) => costMinor),
    [0],
  )
  assert.deepEqual(idle, [{ serverId: 'S', ...usd, amountMinor: 4_000 }])
  assert.deepEqual(totals, [
    {
      ...usd,
      revenueMinor: 9_600,
      costMinor: 4_500,
      unmatchedMinor: 500,
      idleMinor: 4_000,
      marginMinor: 5_100,
    },
  ])
})

test('a cost of what earns nothing stays with it, and of another currency is not weighed against what earns', () => {
  const target = { kind: 'subscription', id: 'sub-0' } as const
  const costs = [{ currency: 'EUR', amountMinor: 300, target }]
  const { rows } = computeMargins({ ...row, costs }, 'customer')
  assert.deepEqual(
    rows.find(({ currency }) => currency === 'EUR'),
    {
      id: 'acme',
      currency: 'EUR',
      revenueMinor: 0,
      costMinor: 300,
      marginMinor: -300,
    },
  )
})

const id = (of: string) => fc.integer({ min: 0, max: 3 }).map((index) => `${of}-${index}`)
const currency = fc.constantFrom('USD', 'JPY')
const amountMinor = fc.integer({ min: -10_000, max: 100_000 })
const target = fc.oneof(
  id('server').map((serverId) => ({ kind: 'server' as const, id: serverId })),
  id('sub').map((subscriptionId) => ({ kind: 'subscription' as const, id: subscriptionId })),
  id('product').map((productId) => ({ kind: 'product' as const, id: productId })),
)
const weight = fc.bigInt({ min: 0n, max: 10n ** 15n }).map(String)

test('shares sum to the cost, to the cent, however it is matched and grouped', async (t) => {
  const costs = fc.array(fc.record({ currency, amountMinor, target: fc.option(target) }), { maxLength: 8 })
  const uses = fc.array(fc.record({ serverId: id('server'), subscriptionId: id('sub'), weight }), {
    maxLength: 8,
  })
  const revenues = fc.array(
    fc.record({
      productId: fc.option(id('product')),
      subscriptionId: fc.option(id('sub')),
      customerId: id('customer'),
      currency,
      amountMinor,
    }),
    { maxLength: 8 },
  )
  await holds(
    t,
    300,
    [costs, uses, revenues, fc.constantFrom(...marginGroupings)],
    (cost, use, revenue, by) => {
      const books = { costs: cost, uses: use, revenues: revenue, subscriptions: new Map() }
      const { rows, totals } = computeMargins(books, by)
      for (const total of totals) {
        const ofCurrency = rows.filter((one) => one.currency === total.currency)
        const sum = (of: 'costMinor' | 'revenueMinor') => ofCurrency.reduce((all, one) => all + one[of], 0)
        assert.equal(sum('costMinor') + total.idleMinor + total.unmatchedMinor, total.costMinor)
        assert.equal(sum('revenueMinor'), total.revenueMinor)
      }
    },
  )
})
