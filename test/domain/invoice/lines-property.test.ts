import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { addDays, compareDates, type BillingInterval } from '#domain/calendar.ts'
import { dueParts } from '#domain/invoice/due.ts'
import type { BillableLine } from '#domain/invoice/lines.ts'
import { afterBillingOf, billableLine, billInTurn, billOn, totalMinor } from '#test/support/billing.ts'

const anchor = fc.integer({ min: 0, max: 1_500 }).map((days) => addDays('2024-01-01', days))
const interval = fc.constantFrom<BillingInterval>(
  { count: 1, unit: 'month' },
  { count: 1, unit: 'month_last_day' },
  { count: 3, unit: 'month' },
  { count: 14, unit: 'day' },
  { count: 12, unit: 'month' },
)
const price = fc.integer({ min: 0, max: 10_000_000 }).map((value) => (value / 1_000).toFixed(3))

/** A line that starts somewhere in its document's cycles, perhaps ends, and is billed on some dates up to the last. */
const story = fc
  .record({
    anchor,
    interval,
    price,
    startAfter: fc.integer({ min: 0, max: 400 }),
    lives: fc.option(fc.integer({ min: 0, max: 500 })),
    billingTiming: fc.constantFrom<BillableLine['billingTiming']>('advance', 'arrears'),
    billAfter: fc.array(fc.integer({ min: 0, max: 800 }), { maxLength: 12 }),
  })
  .map((facts) => {
    const startsOn = addDays(facts.anchor, facts.startAfter)
    const line = billableLine({
      unitPrice: facts.price,
      interval: facts.interval,
      billingTiming: facts.billingTiming,
      billingCycleAnchor: facts.anchor,
      startsOn,
      endsOn: facts.lives === null ? null : addDays(startsOn, facts.lives),
    })
    const dates = [...facts.billAfter.toSorted((first, second) => first - second), 800]
    return { line, dates: dates.map((days) => addDays(startsOn, days)) }
  })

test("a line's parts tile its life without hole or overlap, whenever it is billed", () => {
  fc.assert(
    fc.property(story, ({ line, dates }) => {
      const parts = billInTurn(line, dates).drafts.flatMap((draft) => draft.servicePeriod ?? [])
      let from = line.startsOn
      for (const part of parts) {
        assert.equal(part.start, from)
        assert.ok(compareDates(part.start, part.end) < 0)
        from = part.end
      }
      if (line.endsOn !== null && compareDates(line.endsOn, dates.at(-1) ?? '') <= 0) {
        assert.equal(from, line.endsOn)
      }
    }),
  )
})

test('C-18 however many days before a period it is invoiced, and however often that is changed, its parts tile its life', () => {
  const ahead = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 13, maxLength: 13 })
  fc.assert(
    fc.property(story, ahead, ({ line, dates }, daysAhead) => {
      let billed = line
      let from = line.startsOn
      for (const [index, on] of dates.entries()) {
        const advanceDays = daysAhead[index] ?? 0
        const drafts = billOn([{ ...billed, advanceDays }], on)
        billed = afterBillingOf(billed, drafts)
        for (const { servicePeriod } of drafts) {
          assert.ok(servicePeriod)
          assert.equal(servicePeriod.start, from)
          const dueOn = line.billingTiming === 'arrears' ? servicePeriod.end : addDays(from, -advanceDays)
          assert.ok(compareDates(dueOn, on) <= 0)
          from = servicePeriod.end
        }
      }
      const last = dates.at(-1) ?? ''
      if (line.endsOn !== null && compareDates(line.endsOn, last) <= 0) assert.equal(from, line.endsOn)
    }),
  )
})

test('billing in any sequence of dates bills what billing once at the last would', () => {
  fc.assert(
    fc.property(story, ({ line, dates }) => {
      const inTurn = billInTurn(line, dates).drafts
      assert.deepEqual(inTurn, billOn([line], dates.at(-1) ?? ''))
    }),
  )
})

test('billing twice on one date bills nothing the second time', () => {
  fc.assert(
    fc.property(story, ({ line, dates }) => {
      const last = dates.at(-1) ?? ''
      const { line: billed } = billInTurn(line, dates)
      assert.deepEqual(dueParts([billed], last), [])
    }),
  )
})

test('a period in two prorated parts differs from the whole by at most one minor unit', () => {
  const split = fc.record({ price, day: fc.integer({ min: 1, max: 30 }) })
  fc.assert(
    fc.property(split, ({ price: unitPrice, day }) => {
      const change = addDays('2026-05-01', day)
      const before = billableLine({ unitPrice, startsOn: '2026-05-01', endsOn: change })
      const after = billableLine({ unitPrice, startsOn: change })
      const whole = totalMinor(billOn([billableLine({ unitPrice, startsOn: '2026-05-01' })], '2026-05-01'))
      const parts = totalMinor([...billOn([before], '2026-05-01'), ...billOn([after], change)])
      assert.ok(Math.abs(parts - whole) <= 1, `${parts} is not ${whole}`)
    }),
  )
})

test('a credit is never more than what was charged for its part, and there is one', () => {
  const ending = fc.record({ story, endAfter: fc.integer({ min: 0, max: 800 }) })
  fc.assert(
    fc.property(ending, ({ story: { line, dates }, endAfter }) => {
      const { line: billed, drafts } = billInTurn({ ...line, endsOn: null }, dates)
      const ended = { ...billed, endsOn: addDays(line.startsOn, endAfter) }
      const last = addDays(dates.at(-1) ?? '', 1)
      const credits = billOn([ended], last).filter((draft) => draft.kind === 'credit')
      const charged = drafts.filter((draft) => compareDates(draft.servicePeriod?.end ?? '', ended.endsOn) > 0)
      assert.equal(credits.length, charged.length)
      assert.ok(-totalMinor(credits) <= totalMinor(charged))
      assert.ok(credits.every((credit) => credit.amountMinor <= 0))
      const after = afterBillingOf(ended, billOn([ended], last))
      assert.deepEqual(billOn([after], last), [])
    }),
  )
})

test('a line whose end is moved to its start gets back exactly what it paid', () => {
  fc.assert(
    fc.property(story, ({ line, dates }) => {
      const { line: billed, drafts } = billInTurn({ ...line, endsOn: null }, dates)
      const undone = billOn([{ ...billed, endsOn: billed.startsOn }], dates.at(-1) ?? '')
      assert.equal(totalMinor(undone) + totalMinor(drafts), 0)
    }),
  )
})
