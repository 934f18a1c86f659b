import assert from 'node:assert/strict'
import test from 'node:test'
import { computeDocument, type DocumentLineDraft } from '#domain/invoice/document.ts'
import { spanOf } from '#domain/invoice/lines.ts'
import {
  afterBillingOf,
  billableLine,
  billInTurn,
  billOn,
  documentInput,
  totalMinor,
  usageOf,
} from '#test/support/billing.ts'

/** `recurring 2026-05-07/2026-06-01 802`, or `one_time 2000`. */
function tell(draft: DocumentLineDraft): string {
  const period = draft.servicePeriod
  return [draft.kind, period ? `${period.start}/${period.end}` : '', draft.amountMinor]
    .filter((part) => part !== '')
    .join(' ')
}

test('a line that joins on 25 September pays 18.30 up to the 17th, then 24.95 with the others', () => {
  const joined = billableLine({
    unitPrice: '24.95',
    billingCycleAnchor: '2026-08-17',
    startsOn: '2026-09-25',
  })
  const { drafts } = billInTurn(joined, ['2026-09-25', '2026-10-17'])
  assert.deepEqual(drafts.map(tell), [
    'recurring 2026-09-25/2026-10-17 1830',
    'recurring 2026-10-17/2026-11-17 2495',
  ])
})

test('a line that joins on 16 September pays 7.24 up to the 25th', () => {
  const joined = billableLine({
    unitPrice: '24.95',
    billingCycleAnchor: '2026-08-25',
    startsOn: '2026-09-16',
  })
  assert.deepEqual(billOn([joined], '2026-09-16').map(tell), ['recurring 2026-09-16/2026-09-25 724'])
})

test('30.00 a month from the 10th of April are 21.00 for 21 of 30 days', () => {
  const late = billableLine({ unitPrice: '30', startsOn: '2026-04-10' })
  const [draft] = billOn([late], '2026-04-10')
  assert.equal(draft?.amountMinor, 2100)
  assert.deepEqual(draft?.explanation, {
    formula: '1 × 30 × 21 / 30 days',
    price: { model: 'per_unit', unitAmount: '30' },
    daysServed: 21,
    daysOfCycle: 30,
    cycle: { start: '2026-04-01', end: '2026-05-01' },
  })
})

test('9 to 28 February of 30.00 are 21.43', () => {
  const late = billableLine({ unitPrice: '30', startsOn: '2026-02-09' })
  assert.deepEqual(billOn([late], '2026-02-09').map(tell), ['recurring 2026-02-09/2026-03-01 2143'])
})

test('May, changed on the 7th and again on the 8th: each credit is a share of what was charged', () => {
  const first = billableLine({ id: 'first', unitPrice: '599.95', startsOn: '2026-05-01' })
  const may = billOn([first], '2026-05-01')
  const ended = { ...afterBillingOf(first, may), endsOn: '2026-05-07' }
  const second = billableLine({ id: 'second', unitPrice: '9.95', startsOn: '2026-05-07' })
  const seventh = billOn([ended, second], '2026-05-07')
  assert.deepEqual(seventh.map(tell), [
    'credit 2026-05-07/2026-06-01 -48383',
    'recurring 2026-05-07/2026-06-01 802',
  ])
  const secondEnded = { ...afterBillingOf(second, seventh), endsOn: '2026-05-08' }
  const third = billableLine({ id: 'third', unitPrice: '29.95', startsOn: '2026-05-08' })
  const eighth = billOn([afterBillingOf(ended, seventh), secondEnded, third], '2026-05-08')
  assert.deepEqual(eighth.map(tell), [
    'credit 2026-05-08/2026-06-01 -770',
    'recurring 2026-05-08/2026-06-01 2319',
  ])
})

test('5 to 10 users on 10 April: 3.50 back and 7.00 more, for the same days', () => {
  const five = billableLine({ id: 'five', quantity: '5', unitPrice: '1', startsOn: '2026-04-01' })
  const paid = { ...afterBillingOf(five, billOn([five], '2026-04-01')), endsOn: '2026-04-10' }
  const ten = billableLine({ id: 'ten', quantity: '10', unitPrice: '1', startsOn: '2026-04-10' })
  const drafts = billOn([paid, ten], '2026-05-01')
  assert.deepEqual(drafts.map(tell), [
    'credit 2026-04-10/2026-05-01 -350',
    'recurring 2026-04-10/2026-05-01 700',
    'recurring 2026-05-01/2026-06-01 1000',
  ])
})

test('a change on the first day of a period credits all of it, and bills all of the new', () => {
  const five = billableLine({ id: 'five', quantity: '5', unitPrice: '1', startsOn: '2026-04-01' })
  const paid = { ...afterBillingOf(five, billOn([five], '2026-04-01')), endsOn: '2026-04-01' }
  const ten = billableLine({ id: 'ten', quantity: '10', unitPrice: '1', startsOn: '2026-04-01' })
  assert.deepEqual(billOn([paid, ten], '2026-04-01').map(tell), [
    'credit 2026-04-01/2026-05-01 -500',
    'recurring 2026-04-01/2026-05-01 1000',
  ])
})

test('a line that lived no day bills nothing', () => {
  assert.deepEqual(billOn([billableLine({ endsOn: '2026-01-01' })], '2026-06-01'), [])
})

test('advance is billed on the first day of each period, the last one cut at the end', () => {
  const line = billableLine({
    billingCycleAnchor: '2026-01-05',
    startsOn: '2026-01-05',
    endsOn: '2026-03-16',
  })
  assert.deepEqual(billOn([line], '2026-01-04'), [])
  const { drafts } = billInTurn(line, ['2026-01-05', '2026-02-04', '2026-02-05', '2026-03-05', '2026-04-05'])
  assert.deepEqual(drafts.map(tell), [
    'recurring 2026-01-05/2026-02-05 1000',
    'recurring 2026-02-05/2026-03-05 1000',
    'recurring 2026-03-05/2026-03-16 355',
  ])
})

test('arrears are billed on the day after the last of each period, the last one on the 16th', () => {
  const line = billableLine({
    billingTiming: 'arrears',
    billingCycleAnchor: '2026-01-05',
    startsOn: '2026-01-05',
    endsOn: '2026-03-16',
  })
  assert.deepEqual(billOn([line], '2026-02-04'), [])
  assert.deepEqual(billOn([line], '2026-02-05').map(tell), ['recurring 2026-01-05/2026-02-05 1000'])
  const { line: billed } = billInTurn(line, ['2026-02-05', '2026-03-05'])
  assert.deepEqual(billOn([billed], '2026-03-15'), [])
  assert.deepEqual(billOn([billed], '2026-03-16').map(tell), ['recurring 2026-03-05/2026-03-16 355'])
})

test('advance of the coming period and arrears of the past one are due on one day', () => {
  const flat = billableLine({ id: 'flat', startsOn: '2026-03-01' })
  const network = billableLine({
    id: 'network',
    billingType: 'usage',
    billingTiming: 'arrears',
    unitPrice: '1',
    startsOn: '2026-03-01',
  })
  const paid = afterBillingOf(flat, billOn([flat], '2026-03-01'))
  const drafts = billOn([paid, network], '2026-04-01', '3')
  assert.deepEqual(drafts.map(tell), [
    'recurring 2026-04-01/2026-05-01 1000',
    'usage 2026-03-01/2026-04-01 300',
  ])
  assert.equal(totalMinor(drafts), 1300)
})

test('usage is never prorated: a part of a period bills all that was used in it', () => {
  const network = billableLine({
    billingType: 'usage',
    billingTiming: 'arrears',
    unitPrice: '0.125',
    startsOn: '2026-03-20',
  })
  const [draft] = billOn([network], '2026-04-01', '3')
  assert.equal(draft?.amountMinor, 38)
  assert.equal(draft?.quantity, '3')
  assert.deepEqual(draft?.explanation, {
    formula: '3 GiB × 0.125',
    price: { model: 'per_unit', unitAmount: '0.125' },
    usage: usageOf('3'),
    exactAmount: '0.375',
  })
})

test('each usage part is asked for with its own dates', () => {
  const network = billableLine({ billingType: 'usage', billingTiming: 'arrears', startsOn: '2026-01-10' })
  const asked: string[] = []
  computeDocument(
    documentInput([network], '2026-03-15', {
      usageOf: (part) => {
        asked.push(`${part.servicePeriod.start}/${part.servicePeriod.end}`)
        return { usage: usageOf('1') }
      },
    }),
  )
  assert.deepEqual(asked, ['2026-01-10/2026-02-01', '2026-02-01/2026-03-01'])
})

test('a one-time fee is due when its line starts, once', () => {
  const fee = billableLine({ interval: null, unitPrice: '20', quantity: '2', startsOn: '2026-02-01' })
  assert.deepEqual(billOn([fee], '2026-01-31'), [])
  const { drafts } = billInTurn(fee, ['2026-02-01', '2026-02-01', '2026-03-01'])
  assert.deepEqual(drafts.map(tell), ['one_time 4000'])
})

test('what was paid beyond the end is credited once, usage and one-time fees never', () => {
  const line = billableLine({ id: 'flat', startsOn: '2026-04-01' })
  const fee = billableLine({ id: 'fee', interval: null, startsOn: '2026-04-01' })
  const april = billOn([line, fee], '2026-04-01')
  const cancelled = { ...afterBillingOf(line, april), endsOn: '2026-04-16' }
  const feeEnded = { ...afterBillingOf(fee, april), endsOn: '2026-04-16' }
  const first = billOn([cancelled, feeEnded], '2026-04-16')
  assert.deepEqual(first.map(tell), ['credit 2026-04-16/2026-05-01 -500'])
  assert.deepEqual(billOn([afterBillingOf(cancelled, first), feeEnded], '2026-06-01'), [])
})

test('days that were billed anew are credited once, also where they cost nothing', () => {
  const { line } = billInTurn(billableLine({ unitPrice: '0' }), ['2026-01-01'])
  const billedAnew = line.billed.map((part) => ({ ...part, id: 'revision' }))
  const ended = { ...line, billed: [...line.billed, ...billedAnew], endsOn: '2026-01-10' }
  const credits = billOn([ended], '2026-01-10')
  assert.deepEqual(
    credits.map(({ kind, creditsLineId }) => [kind, creditsLineId]),
    [['credit', 'revision']],
  )
})

test('a line that ends before it was ever billed is charged for its days and credited nothing', () => {
  const line = billableLine({ startsOn: '2026-04-01', endsOn: '2026-04-16' })
  assert.deepEqual(billOn([line], '2026-04-16').map(tell), ['recurring 2026-04-01/2026-04-16 500'])
})

test('periods that were missed are billed in order, oldest first', () => {
  assert.deepEqual(billOn([billableLine()], '2026-03-20').map(tell), [
    'recurring 2026-01-01/2026-02-01 1000',
    'recurring 2026-02-01/2026-03-01 1000',
    'recurring 2026-03-01/2026-04-01 1000',
  ])
})

test('with month_last_day the first period ends with its month', () => {
  const line = billableLine({
    interval: { count: 1, unit: 'month_last_day' },
    billingCycleAnchor: '2026-01-05',
    startsOn: '2026-01-05',
  })
  assert.deepEqual(
    billOn([line], '2026-02-01').map((draft) => draft.servicePeriod),
    [
      { start: '2026-01-05', end: '2026-02-01' },
      { start: '2026-02-01', end: '2026-03-01' },
    ],
  )
})

test('a document spans from the first day of its lines to the end of the last', () => {
  const drafts = [
    ...billOn([billableLine()], '2026-01-01'),
    ...billOn([billableLine({ interval: null })], '2026-01-01'),
    ...billOn(
      [billableLine({ billingTiming: 'arrears', startsOn: '2025-12-10', billingCycleAnchor: '2025-12-01' })],
      '2026-01-01',
    ),
  ]
  assert.deepEqual(spanOf(drafts), { start: '2025-12-10', end: '2026-02-01' })
  assert.equal(spanOf(billOn([billableLine({ interval: null })], '2026-01-01')), undefined)
})
