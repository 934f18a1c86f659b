import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { addDays, cycleBoundary, cyclePeriod, daysIn } from '#domain/calendar.ts'
import type { BillableLine } from '#domain/invoice/lines.ts'
import { anyPrice } from '#test/domain/pricing/price-generator.ts'
import { afterBillingOf, billableLine, billOn, totalMinor } from '#test/support/billing.ts'
import { holds } from '#test/support/property.ts'
import { anyDate, anyInterval } from './document-generator.ts'

const anyProration = fc.constantFrom<BillableLine['terms']['proration']>('day', 'month_30')
const anyQuantity = fc.integer({ min: 1, max: 100_000 }).map((value) => (value / 100).toFixed(2))
const anyTiming = fc.constantFrom<BillableLine['billingTiming']>('advance', 'arrears')

/** A whole cycle of one price, and places within it. */
const anyCycle = fc.record({
  anchor: anyDate,
  // With months of 30 days the 31st has no day of its own: parts that are only that day are another matter.
  interval: anyInterval,
  index: fc.nat(24),
  price: anyPrice,
  quantity: anyQuantity,
  proration: anyProration,
  billingTiming: anyTiming,
  places: fc.uniqueArray(fc.integer({ min: 1, max: 364 }), { minLength: 1, maxLength: 6 }),
})
type Cycle = typeof anyCycle extends fc.Arbitrary<infer Value> ? Value : never

/** The cycle's line, cut in pieces at the places that fall into it. */
function cut({ anchor, interval, index, places, ...facts }: Cycle) {
  const cycle = cyclePeriod(anchor, interval, index)
  const days = daysIn(cycle)
  const cuts = [...new Set(places.map((place) => 1 + (place % Math.max(1, days - 1))))]
    .filter((place) => place < days)
    .toSorted((first, second) => first - second)
    .map((place) => addDays(cycle.start, place))
  const bounds = [cycle.start, ...cuts, cycle.end]
  const line = (startsOn: string, endsOn: string) =>
    billableLine({
      price: facts.price,
      quantity: facts.quantity,
      billingTiming: facts.billingTiming,
      interval,
      billingCycleAnchor: anchor,
      terms: { proration: facts.proration },
      startsOn,
      endsOn,
    })
  const pieces = bounds.slice(1).map((end, piece) => line(bounds[piece] ?? '', end))
  return { whole: line(cycle.start, cycle.end), pieces, end: cycle.end }
}

const amountOf = (line: BillableLine, asOf: string) => totalMinor(billOn([line], asOf))

test('a period in two parts costs what the whole does, but for one minor unit of rounding, at any price', async (t) => {
  await holds(t, 1_000, [anyCycle], (drawn) => {
    const { whole, pieces, end } = cut({ ...drawn, places: drawn.places.slice(0, 1) })
    const parts = pieces.map((piece) => amountOf(piece, end))
    const difference = sum(parts) - amountOf(whole, end)
    assert.ok(Math.abs(difference) <= 1, `${parts.join(' + ')} is off by ${difference}`)
  })
})

test('a period in any number of parts costs what the whole does, but for half a minor unit a part', async (t) => {
  await holds(t, 700, [anyCycle], (drawn) => {
    const { whole, pieces, end } = cut(drawn)
    const parts = pieces.map((piece) => amountOf(piece, end))
    const difference = sum(parts) - amountOf(whole, end)
    assert.ok(Math.abs(difference) <= (parts.length + 1) / 2, `${parts.join(' + ')} is off by ${difference}`)
  })
})

test('changed to the same within a period that is paid, credit and charge differ by one minor unit at most', async (t) => {
  await holds(t, 700, [anyCycle], (drawn) => {
    const facts = { ...drawn, billingTiming: 'advance' as const, places: drawn.places.slice(0, 1) }
    const { whole, pieces, end } = cut(facts)
    const [before, after] = pieces
    if (!before || !after) return
    const paid = afterBillingOf(whole, billOn([{ ...whole, endsOn: null }], whole.startsOn))
    const [charge] = paid.billed
    const credits = billOn([{ ...paid, endsOn: before.endsOn }], end).filter(({ kind }) => kind === 'credit')
    const difference = totalMinor(credits) + amountOf(after, end)
    assert.ok(Math.abs(difference) <= 1, `of ${charge?.amountMinor}: off by ${difference}`)
  })
})

test('a line never costs more for fewer days', async (t) => {
  await holds(t, 400, [anyCycle], (drawn) => {
    const { pieces, end, whole } = cut({ ...drawn, proration: 'day' })
    let longest = 0
    for (const piece of pieces) {
      const amount = amountOf({ ...whole, endsOn: piece.endsOn }, end)
      assert.ok(amount >= longest)
      longest = amount
    }
  })
})

test('cycles tile the time line from the anchor on, and the anchor comes back after every short month', async (t) => {
  await holds(t, 700, [anyDate, anyInterval], (anchor, interval) => {
    for (let index = 0; index < 40; index += 1) {
      const cycle = cyclePeriod(anchor, interval, index)
      assert.equal(cycle.end, cyclePeriod(anchor, interval, index + 1).start)
      assert.ok(daysIn(cycle) > 0)
    }
    if (interval.unit !== 'month') return
    const yearly = cycleBoundary(anchor, interval, 48 / interval.count)
    const comesBack = Temporal.PlainDate.from(anchor).add({ years: 4 }).toString()
    assert.equal(yearly, comesBack)
  })
})

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
