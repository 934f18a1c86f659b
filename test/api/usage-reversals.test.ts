import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createUsageIntake, type UsageIntake } from '#api/usage-intake.ts'
import { encodeId } from '#domain/identifier.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { networkLines, sellMetered } from '#test/support/metered.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { toCloudEvent } from '#test/support/usage-events.ts'

// Events that take back others (D-23). Network costs 1.00 a GiB, and is measured on 10 February.
let seller: Seller
let intake: UsageIntake
before(async () => {
  seller = await createSeller()
  intake = createUsageIntake({ db: seller.db, now: () => '2026-02-10T00:00:00Z' })
})
after(async () => {
  await assertInvariants(seller.db, { isUnderWay: true })
  await seller.drop()
})

interface Event {
  readonly id: string
  readonly quantity: string
  readonly reverses?: string
  readonly at?: string
}

async function sellFor(name: string) {
  const sold = await sellMetered(seller)
  const subscription = encodeId('subscription', sold.subscriptionId)
  await seller.db
    .updateTable('test_clocks')
    .set({ now_at: '2026-02-10T00:00:00Z' })
    .where('id', '=', sold.testClockId)
    .execute()
  const pushTo = async (own: UsageIntake, ...events: Event[]) => {
    const results = await own.push(
      events.map((event) => toCloudEvent({ source: name, subscription, metric: 'network', ...event })),
      'test',
    )
    return results.map((of) => ('refusal' in of ? of.refusal.code : of.result))
  }
  const push = async (...events: Event[]) => await pushTo(intake, ...events)
  const bill = async (now: string) => await billDue(seller.db, sold.documentId, now)
  return { ...sold, push, pushTo, bill, lines: async () => networkLines(seller, sold.subscriptionId) }
}

test('8 reversed to 5 in the open period are billed as 5; a second reversal is refused, a repeated one counts once', async () => {
  const { push, bill, lines, read } = await sellFor('open')
  assert.deepEqual(
    await push(
      { id: 'correction', quantity: '-3', reverses: 'first' },
      { id: 'first', quantity: '8', at: '2026-01-15T00:00:00Z' },
    ),
    ['stored', 'stored'],
  )
  assert.deepEqual(
    await push(
      { id: 'correction', quantity: '-3', reverses: 'first' },
      { id: 'another', quantity: '-1', reverses: 'first' },
      { id: 'of-a-reversal', quantity: '-1', reverses: 'correction' },
      { id: 'bare', quantity: '-3' },
    ),
    ['duplicate', 'already_reversed', 'reversed_event_unknown', 'quantity_negative'],
  )
  await read('2026-02-01T00:01:00Z', '0')
  await bill('2026-02-01T00:02:00Z')
  assert.deepEqual(await lines(), ['usage [2026-01-01,2026-02-01) 5 for 500'])
})

test('8 that were billed and are reversed to 5 afterwards are 3 less on the next invoice, as late', async () => {
  const { push, bill, lines, read } = await sellFor('billed')
  await push({ id: 'first', quantity: '8', at: '2026-01-15T00:00:00Z' })
  await read('2026-02-01T00:01:00Z', '0')
  await bill('2026-02-01T00:02:00Z')
  assert.deepEqual(await push({ id: 'correction', quantity: '-3', reverses: 'first' }), ['stored'])
  await read('2026-03-01T00:01:00Z', '0')
  await bill('2026-03-01T00:02:00Z')
  assert.deepEqual(await lines(), [
    'usage [2026-01-01,2026-02-01) 8 for 800',
    'usage [2026-02-01,2026-03-01) 0 for 0',
    'late_usage [2026-01-01,2026-02-01) -3 for -300',
  ])
})

test('of a share of each value what was billed comes off for one that is taken back: no fee is charged for that', async () => {
  const { push, bill, lines, read, subscriptionId } = await sellFor('shares')
  const price = { model: 'percentage', ratePercent: '2.9', amountPerEvent: '0.30' }
  await seller.db
    .updateTable('subscription_lines')
    .set({ price: JSON.stringify(price) })
    .where('subscription_id', '=', subscriptionId)
    .where('metric', '=', 'network')
    .execute()
  const at = '2026-01-15T00:00:00Z'
  await push({ id: 'whole', quantity: '100', at }, { id: 'part', quantity: '200', at })
  await read('2026-02-01T00:01:00Z', '0')
  await bill('2026-02-01T00:02:00Z')
  await push(
    { id: 'whole-back', quantity: '-100', reverses: 'whole' },
    { id: 'part-back', quantity: '-100', reverses: 'part' },
    { id: 'late', quantity: '1000', at },
    { id: 'late-back', quantity: '-1000', reverses: 'late' },
  )
  await read('2026-03-01T00:01:00Z', '0')
  await bill('2026-03-01T00:02:00Z')
  assert.deepEqual(await lines(), [
    'usage [2026-01-01,2026-02-01) 300 for 930',
    'usage [2026-02-01,2026-03-01) 0 for 0',
    // 2.9 % of 100 and one fee are left.
    'late_usage [2026-01-01,2026-02-01) -200 for -610',
  ])
})

test('of a share of each value what the first cost nothing for, and the least of a period, is counted once, whatever comes late or is taken back', async () => {
  const at = '2026-01-15T00:00:00Z'
  for (const [name, free, billed, late] of [
    // 100.00 of the first 150.00 were used in time: 50.00 are left.
    [
      'free-value',
      { freeValue: '150' },
      ['100 for 0', '0 for 0'],
      'late_usage [2026-01-01,2026-02-01) 100 for 500',
    ],
    // Of the two that were free, one was taken back: the late one is the second.
    [
      'free-events',
      { freeEvents: 2 },
      ['100 for 0', '0 for 0'],
      'late_usage [2026-01-01,2026-02-01) 100 for 0',
    ],
    // 10.00 were used of the 15.00 that a period costs at least: with as much again it is 20.00.
    [
      'least',
      { leastAmount: '15' },
      ['100 for 1500', '0 for 1500'],
      'late_usage [2026-01-01,2026-02-01) 100 for 500',
    ],
  ] as const) {
    const { push, bill, lines, read, subscriptionId } = await sellFor(name)
    const price = JSON.stringify({ model: 'percentage', ratePercent: '10', ...free })
    await seller.db
      .updateTable('subscription_lines')
      .set({ price })
      .where('subscription_id', '=', subscriptionId)
      .where('metric', '=', 'network')
      .execute()
    await push({ id: 'first', quantity: '100', at }, { id: 'second', quantity: '7', at })
    await push({ id: 'second-back', quantity: '-7', reverses: 'second' })
    await read('2026-02-01T00:01:00Z', '0')
    await bill('2026-02-01T00:02:00Z')
    await push({ id: 'late', quantity: '100', at })
    await read('2026-03-01T00:01:00Z', '0')
    await bill('2026-03-01T00:02:00Z')
    assert.deepEqual(await lines(), [
      `usage [2026-01-01,2026-02-01) ${billed[0]}`,
      `usage [2026-02-01,2026-03-01) ${billed[1]}`,
      late,
    ])
  }
})

test('of ten that reverse one event at the same time, one does', async () => {
  const { push } = await sellFor('at-once')
  await push({ id: 'first', quantity: '8', at: '2026-02-05T00:00:00Z' })
  const results = await Promise.all(
    Array.from({ length: 10 }, async (_, index) =>
      push({ id: `by-${index}`, quantity: '-8', reverses: 'first' }),
    ),
  )
  assert.deepEqual(results.flat().toSorted(), [
    ...Array.from({ length: 9 }, () => 'already_reversed'),
    'stored',
  ])
})

test('two that send the same reversals in other orders are both answered, and each counts once', async () => {
  const { push, pushTo } = await sellFor('crossed')
  const names = Array.from({ length: 40 }, (_, index) => `use-${index}`)
  await push(...names.map((id) => ({ id, quantity: '8', at: '2026-02-05T00:00:00Z' })))
  const reversals = names.map((id) => ({ id: `${id}-back`, quantity: '-3', reverses: id }))
  const other = createUsageIntake({ db: seller.db, now: () => '2026-02-10T00:00:00Z' })
  const both = await Promise.all([push(...reversals), pushTo(other, ...reversals.toReversed())])
  const expected = [...names.map(() => 'duplicate'), ...names.map(() => 'stored')]
  assert.deepEqual(both.flat().toSorted(), expected)
})

test('of a batch that reverses an event twice the second is refused, whatever else the batch reverses', async () => {
  const { push } = await sellFor('batch')
  const at = '2026-02-05T00:00:00Z'
  assert.deepEqual(
    await push(
      { id: 'one-back', quantity: '-3', reverses: 'one' },
      { id: 'one-back-again', quantity: '-1', reverses: 'one' },
      { id: 'two-back', quantity: '-8', reverses: 'two' },
      { id: 'one-back', quantity: '-3', reverses: 'one' },
      { id: 'one', quantity: '8', at },
      { id: 'two', quantity: '8', at },
    ),
    ['stored', 'already_reversed', 'stored', 'duplicate', 'stored', 'stored'],
  )
})
