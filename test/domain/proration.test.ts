import Big from 'big.js'
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { anchorOnBillingDay, serviceParts } from '#domain/billing-cycle.ts'
import { addDays, cycleHolding, daysIn, type BillingInterval, type Period } from '#domain/calendar.ts'
import { roundHalfAwayFromZero } from '#domain/money.ts'
import {
  applyShare,
  creditMinor,
  daysBought,
  daysOnFixedMonths,
  measureInCycles,
  prorate,
  shareOf,
  unusedShare,
  type Proration,
} from '#domain/proration.ts'

const monthly: BillingInterval = { count: 1, unit: 'month' }

function period(start: string, end: string): Period {
  return { start, end }
}

function cents(amount: string, part: Period, cycle: Period, method: Proration = 'day'): number {
  return roundHalfAwayFromZero(prorate(new Big(amount), part, cycle, method).amount, 'EUR')
}

test('24.95 a month joined on 25 September to a document of day 17 costs 18.30 for 22 of 30 days', () => {
  assert.equal(cents('24.95', period('2021-09-25', '2021-10-17'), period('2021-09-17', '2021-10-17')), 1830)
})

test('24.95 a month from 16 September to day 25 costs 7.24 for 9 of 31 days', () => {
  const cycle = cycleHolding(anchorOnBillingDay('2021-09-16', 25, monthly), monthly, '2021-09-16')
  assert.equal(cents('24.95', period('2021-09-16', '2021-09-25'), cycle), 724)
})

test('30.00 a month costs 21.00 for 10 to 30 April', () => {
  assert.equal(cents('30', period('2026-04-10', '2026-05-01'), period('2026-04-01', '2026-05-01')), 2100)
})

test('the bridge of a moved anchor costs 112.88 by the new cycle and 116.64 by the old one', () => {
  const cost = (from: string) => {
    const anchors = [
      { from: '2026-05-01', anchor: '2026-05-01' },
      { from, anchor: anchorOnBillingDay(from, 15, monthly) },
    ]
    const parts = serviceParts({ start: '2026-05-01', end: null }, anchors, monthly, '2026-06-16')
    return parts.map((part) => cents('249.95', part.period, part.cycle))
  }
  assert.deepEqual(cost('2026-06-01'), [24995, 11288, 24995])
  assert.deepEqual(cost('2026-06-15'), [24995, 11664, 24995])
})

test('9 to 28 February of 30.00 is 21.43 by day, 22.00 by a month of 30 days, 30.00 without proration', () => {
  const part = period('2026-02-09', '2026-03-01')
  const cycle = period('2026-02-01', '2026-03-01')
  assert.equal(cents('30', part, cycle, 'day'), 2143)
  assert.equal(cents('30', part, cycle, 'month_30'), 2200)
  assert.equal(cents('30', part, cycle, 'none'), 3000)
})

test('an empty part costs nothing by any method', () => {
  for (const method of ['day', 'month_30', 'none'] as const) {
    assert.equal(
      cents('30', period('2026-02-09', '2026-02-09'), period('2026-02-01', '2026-03-01'), method),
      0,
    )
  }
})

test('a share says both of its numbers', () => {
  const prorated = prorate(
    new Big(31),
    period('2025-01-17', '2025-02-01'),
    period('2025-01-01', '2025-02-01'),
    'day',
  )
  assert.deepEqual([prorated.numerator, prorated.denominator, prorated.amount.toFixed()], [15, 31, '15'])
})

test('months of 30 days count the difference of the day numbers', () => {
  assert.equal(daysOnFixedMonths(period('2023-05-23', '2023-06-15')), 22)
  assert.equal(daysOnFixedMonths(period('2023-05-15', '2023-05-23')), 8)
  assert.equal(daysOnFixedMonths(period('2023-12-15', '2024-03-15')), 90)
  assert.equal(daysOnFixedMonths(period('2023-05-23', '2023-06-15'), 28), 20)
})

test('the 31st alone is the whole of a cycle of its own, in months of 30 days too', () => {
  const day = period('2026-01-31', '2026-02-01')
  assert.equal(cents('2', day, day, 'month_30'), 200)
})

test('599.95 for May changed to 9.95 on the 7th gives back 483.83 and charges 8.02', () => {
  const may = period('2012-05-01', '2012-06-01')
  assert.equal(
    creditMinor({ amountMinor: 59995, creditedMinor: 0 }, unusedShare(may, '2012-05-07', 'day')),
    48383,
  )
  assert.equal(cents('9.95', period('2012-05-07', '2012-06-01'), may), 802)
})

test('a second change is prorated over what was billed for the part: 8.02 gives back 7.70', () => {
  const billed = period('2012-05-07', '2012-06-01')
  assert.equal(
    creditMinor({ amountMinor: 802, creditedMinor: 0 }, unusedShare(billed, '2012-05-08', 'day')),
    770,
  )
})

test('a credit never exceeds what earlier credits left of the charge', () => {
  const unused = unusedShare(period('2012-05-01', '2012-06-01'), '2012-05-02', 'day')
  assert.equal(creditMinor({ amountMinor: 24995, creditedMinor: 1000 }, unused), 23995)
  assert.equal(creditMinor({ amountMinor: 24995, creditedMinor: 24995 }, unused), 0)
})

test('249.95 for 31 days, paused for 10 of them, gives back 80.63', () => {
  const billed = period('2026-07-01', '2026-08-01')
  const paused = shareOf(period('2026-07-05', '2026-07-15'), billed, 'day')
  assert.equal(creditMinor({ amountMinor: 24995, creditedMinor: 0 }, paused), 8063)
})

test('without proration nothing comes back', () => {
  assert.deepEqual(unusedShare(period('2026-05-01', '2026-06-01'), '2026-05-07', 'none'), {
    numerator: 0,
    denominator: 1,
  })
})

test('an end before or after the billed period gives back all of it, or nothing', () => {
  const billed = period('2026-05-01', '2026-06-01')
  assert.deepEqual(unusedShare(billed, '2026-04-01', 'day'), { numerator: 31, denominator: 31 })
  assert.equal(unusedShare(billed, '2026-06-01', 'day').numerator, 0)
  assert.equal(unusedShare(billed, '2026-07-01', 'month_30').numerator, 0)
})

test('10.00 monthly from 5 February forced to 5 June is 40.00 in arrears and 50.00 in advance', () => {
  const full = (part: Period) => {
    const anchors = [{ from: part.start, anchor: '2026-01-05' }]
    const parts = serviceParts(part, anchors, monthly, part.end)
    return parts.reduce((sum, { period: own, cycle }) => sum + cents('10', own, cycle), 0)
  }
  assert.equal(full(period('2026-02-05', '2026-06-05')), 4000)
  assert.equal(full(period('2026-02-05', '2026-07-05')), 5000)
})

test('an unused 15.00 buys 8 begun days at 2.00', () => {
  const { exact, days } = daysBought(new Big(15), new Big(2))
  assert.deepEqual([exact.toFixed(), days], ['7.5', 8])
  assert.equal(daysBought(new Big(16), new Big(2)).days, 8)
})

test('15 January to 10 April are two months and 27 of 31 days', () => {
  assert.deepEqual(measureInCycles(period('2019-01-15', '2019-04-11'), monthly), {
    whole: 2,
    rest: { numerator: 27, denominator: 31 },
  })
  assert.equal(measureInCycles(period('2019-01-15', '2019-01-15'), monthly).rest.numerator, 0)
})

const anyCycle = fc
  .record({
    anchor: fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('2000-01-01', days)),
    interval: fc.record<BillingInterval>({
      count: fc.integer({ min: 1, max: 12 }),
      unit: fc.constantFrom<BillingInterval['unit']>('day', 'month'),
    }),
  })
  .map(({ anchor, interval }) => cycleHolding(anchor, interval, anchor))
const anyMethod = fc.constantFrom<Proration>('day', 'month_30')
const anyCuts = fc.array(fc.integer({ min: 1, max: 366 }), { maxLength: 6 })
const anyAmountMinor = fc.integer({ min: 0, max: 10_000_000 })

/** A period cut after some of its days. */
function cut(whole: Period, after: readonly number[]): Period[] {
  const length = daysIn(whole)
  const cuts = [...new Set(after.map((days) => days % length))].filter((days) => days > 0)
  const days = [0, ...cuts.toSorted((first, second) => first - second), length]
  return days.slice(1).map((end, n) => period(addDays(whole.start, days[n] ?? 0), addDays(whole.start, end)))
}

test('the shares of a cycle that is cut anywhere are together the whole', () => {
  fc.assert(
    fc.property(anyCycle, anyCuts, anyMethod, (cycle, cuts, method) => {
      const shares = cut(cycle, cuts).map((part) => shareOf(part, cycle, method))
      const sum = shares.reduce((total, share) => total + share.numerator, 0)
      assert.equal(sum, shares[0]?.denominator)
    }),
  )
})

test('splitting a period changes its price by no more than half a minor unit a part', () => {
  fc.assert(
    fc.property(anyCycle, anyCuts, anyMethod, anyAmountMinor, (cycle, cuts, method, amountMinor) => {
      const amount = new Big(amountMinor).div(100)
      const parts = cut(cycle, cuts)
      const sum = parts.reduce(
        (total, part) => total + roundHalfAwayFromZero(prorate(amount, part, cycle, method).amount, 'EUR'),
        0,
      )
      assert.ok(Math.abs(sum - amountMinor) <= parts.length / 2)
    }),
  )
})

test('the credits of a charge are together never more than the charge, in whatever pieces it is given back', () => {
  fc.assert(
    fc.property(anyCycle, anyCuts, anyMethod, anyAmountMinor, (cycle, cuts, method, amountMinor) => {
      let creditedMinor = 0
      for (const part of cut(cycle, cuts)) {
        const credit = creditMinor({ amountMinor, creditedMinor }, shareOf(part, cycle, method))
        assert.ok(Number.isSafeInteger(credit) && credit >= 0)
        creditedMinor += credit
      }
      assert.ok(creditedMinor <= amountMinor)
      assert.ok(amountMinor - creditedMinor <= (cuts.length + 1) / 2)
    }),
  )
})

test('a share of an amount is exact beyond every rounding that follows', () => {
  fc.assert(
    fc.property(anyAmountMinor, fc.integer({ min: 1, max: 366 }), (amountMinor, denominator) => {
      const third = applyShare(new Big(amountMinor), { numerator: 1, denominator })
      assert.ok(third.times(denominator).minus(amountMinor).abs().lt('1e-30'))
    }),
  )
})
