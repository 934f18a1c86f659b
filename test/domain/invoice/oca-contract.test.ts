import assert from 'node:assert/strict'
import test from 'node:test'
import { addDays, billingInterval, type IntervalUnit } from '#domain/calendar.ts'
import type { BillingTiming } from '#domain/product.ts'
import { billableLine, billInTurn, billOn } from '#test/support/billing.ts'

// Facts of the test suite of OCA/contract (github.com/OCA/contract, 17.0), by their names there. Its periods include
// their last day, ours end on the day after; what it invoices on a day, we invoice on that day.

interface Sequence {
  readonly name: string
  readonly startsOn: string
  readonly lastOn: string
  readonly billingTiming: BillingTiming
  readonly unit: IntervalUnit
  readonly periods: readonly [first: string, last: string, invoicedOn: string][]
}

const sequences: Sequence[] = [
  {
    name: 'test_last_invoice_post_paid',
    startsOn: '2018-01-01',
    lastOn: '2018-03-15',
    billingTiming: 'arrears',
    unit: 'month',
    periods: [
      ['2018-01-01', '2018-01-31', '2018-02-01'],
      ['2018-02-01', '2018-02-28', '2018-03-01'],
      ['2018-03-01', '2018-03-15', '2018-03-16'],
    ],
  },
  {
    name: 'test_get_period_to_invoice_monthlylastday_postpaid',
    startsOn: '2018-01-05',
    lastOn: '2018-03-15',
    billingTiming: 'arrears',
    unit: 'month_last_day',
    periods: [
      ['2018-01-05', '2018-01-31', '2018-02-01'],
      ['2018-02-01', '2018-02-28', '2018-03-01'],
      ['2018-03-01', '2018-03-15', '2018-03-16'],
    ],
  },
  {
    name: 'test_get_period_to_invoice_monthly_post_paid',
    startsOn: '2018-01-05',
    lastOn: '2018-03-15',
    billingTiming: 'arrears',
    unit: 'month',
    periods: [
      ['2018-01-05', '2018-02-04', '2018-02-05'],
      ['2018-02-05', '2018-03-04', '2018-03-05'],
      ['2018-03-05', '2018-03-15', '2018-03-16'],
    ],
  },
  {
    name: 'test_get_period_to_invoice_yearly_pre_paid',
    startsOn: '2018-01-05',
    lastOn: '2020-03-15',
    billingTiming: 'advance',
    unit: 'year',
    periods: [
      ['2018-01-05', '2019-01-04', '2018-01-05'],
      ['2019-01-05', '2020-01-04', '2019-01-05'],
      ['2020-01-05', '2020-03-15', '2020-01-05'],
    ],
  },
]

for (const { name, startsOn, lastOn, billingTiming, unit, periods } of sequences) {
  test(`the periods are those of ${name}`, () => {
    const line = billableLine({
      startsOn,
      endsOn: addDays(lastOn, 1),
      billingTiming,
      billingCycleAnchor: startsOn,
      interval: billingInterval({ count: 1, unit }),
    })
    const invoiceDates = periods.map(([, , invoicedOn]) => invoicedOn)
    const eves = invoiceDates.map((date) => addDays(date, -1))
    const { line: billed, drafts } = billInTurn(line, [...invoiceDates, ...eves].toSorted())
    assert.deepEqual(
      drafts.map((draft) => draft.servicePeriod),
      periods.map(([first, last]) => ({ start: first, end: addDays(last, 1) })),
    )
    assert.deepEqual(billOn([billed], '2099-01-01'), [])
  })
}

interface Proration {
  readonly name: string
  readonly unit: IntervalUnit
  readonly anchor: string
  readonly startsOn: string
  readonly lastOn: string | null
  readonly billingTiming: BillingTiming
  readonly factor: number
}

const prorations: Proration[] = [
  { name: 'Case 4', unit: 'month', anchor: '2018-01-01', startsOn: '2018-02-01', lastOn: '2018-02-25', billingTiming: 'advance', factor: 0.892 },
  { name: 'Case 5', unit: 'month', anchor: '2018-01-05', startsOn: '2018-01-05', lastOn: null, billingTiming: 'arrears', factor: 1 },
  { name: 'Case 9', unit: 'month_last_day', anchor: '2018-01-01', startsOn: '2018-01-01', lastOn: '2018-02-25', billingTiming: 'arrears', factor: 1 },
  { name: 'Case 10', unit: 'month_last_day', anchor: '2018-01-05', startsOn: '2018-01-05', lastOn: '2018-02-25', billingTiming: 'arrears', factor: 0.87 },
  { name: 'Case 11', unit: 'month_last_day', anchor: '2018-01-05', startsOn: '2018-02-01', lastOn: '2018-02-25', billingTiming: 'arrears', factor: 0.892 },
  { name: 'Case 12', unit: 'month_last_day', anchor: '2018-02-01', startsOn: '2018-02-01', lastOn: '2018-02-14', billingTiming: 'arrears', factor: 0.5 },
  { name: 'Case 14', unit: 'month_last_day', anchor: '2017-02-15', startsOn: '2018-01-31', lastOn: null, billingTiming: 'arrears', factor: 0.032 },
  { name: 'Case 23', unit: 'month_last_day', anchor: '2018-04-16', startsOn: '2018-04-16', lastOn: null, billingTiming: 'advance', factor: 0.5 },
] // prettier-ignore

for (const { name, unit, factor, lastOn, anchor, ...line } of prorations) {
  test(`the first part is the share of its period that prorated_quantity ${name} says`, () => {
    const [draft] = billOn(
      [
        billableLine({
          startsOn: line.startsOn,
          billingTiming: line.billingTiming,
          billingCycleAnchor: anchor,
          endsOn: lastOn === null ? null : addDays(lastOn, 1),
          interval: billingInterval({ count: 1, unit }),
          unitPrice: '1000000',
        }),
      ],
      '2018-06-01',
    )
    assert.ok(Math.abs((draft?.amountMinor ?? 0) / 100_000_000 - factor) < 0.005, String(draft?.amountMinor))
  })
}

test('a line of one day is invoiced once', () => {
  const day = billableLine({ startsOn: '2018-05-09', endsOn: '2018-05-10', billingCycleAnchor: '2018-05-09' })
  const { drafts } = billInTurn(day, ['2018-05-09', '2018-05-09', '2018-06-09'])
  assert.deepEqual(
    drafts.map((draft) => draft.servicePeriod),
    [{ start: '2018-05-09', end: '2018-05-10' }],
  )
})
