import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  ages,
  agePayables,
  openPayableMinor,
  payableDues,
  payableState,
  totalPayables,
  type Payable,
} from '#domain/payable.ts'
import { holds } from '#test/support/property.ts'

function payable(different: Partial<Payable> = {}): Payable {
  return {
    totalMinor: 12_000,
    paidMinor: 0,
    creditedMinor: 0,
    usedMinor: 0,
    dueOn: '2026-03-15',
    instalments: null,
    isDisputed: false,
    isWaiting: false,
    isVoid: false,
    ...different,
  }
}

const halves = [
  { dueOn: '2026-03-15', amountMinor: 6_000 },
  { dueOn: '2026-04-15', amountMinor: 6_000 },
]

test('of a void one nothing is owed, whatever it says', () => {
  const voided = payable({ isVoid: true, isDisputed: true, instalments: halves })
  assert.deepEqual([openPayableMinor(voided), payableState(voided, '2026-09-01')], [0, 'void'])
  assert.deepEqual(
    payableDues(voided).map(({ openMinor }) => openMinor),
    [0, 0],
  )
  assert.deepEqual(agePayables([{ ...voided, supplierId: 'a', currency: 'USD' }], '2026-09-01'), [])
})

test('a supplier invoice is open until its due date has passed, and then overdue by what is late', () => {
  assert.equal(payableState(payable(), '2026-03-15'), 'open')
  assert.equal(payableState(payable(), '2026-03-16'), 'overdue')
  assert.equal(payableState(payable({ paidMinor: 1 }), '2026-03-15'), 'partly_paid')
  const parts = payable({ instalments: halves, dueOn: '2026-04-15' })
  assert.equal(payableState({ ...parts, paidMinor: 6_000 }, '2026-04-15'), 'partly_paid')
  assert.equal(payableState({ ...parts, paidMinor: 5_999 }, '2026-03-16'), 'overdue')
})

test('what is settled is paid, credited or used, whatever was said of it before', () => {
  const all = { isDisputed: true, isWaiting: true }
  assert.equal(payableState(payable({ ...all, paidMinor: 12_000 }), '2027-01-01'), 'paid')
  assert.equal(payableState(payable({ ...all, creditedMinor: 12_000 }), '2027-01-01'), 'credited')
  assert.equal(payableState(payable({ ...all, totalMinor: -500, usedMinor: 500 }), '2027-01-01'), 'used')
  assert.equal(payableState(payable({ totalMinor: 0 }), '2027-01-01'), 'paid')
})

test('what is left of a dispute or of a credit that waits says so', () => {
  assert.equal(payableState(payable({ isDisputed: true, paidMinor: 1 }), '2027-01-01'), 'disputed')
  assert.equal(payableState(payable({ totalMinor: -500, isWaiting: true }), '2026-03-01'), 'waiting')
  assert.equal(payableState(payable({ totalMinor: -500 }), '2027-01-01'), 'open')
})

test('instalments that do not come to the total are due as a whole on the last day', () => {
  const wrong = payable({ instalments: halves.slice(1), dueOn: '2026-04-15' })
  assert.deepEqual(payableDues(wrong), [{ dueOn: '2026-04-15', amountMinor: 12_000, openMinor: 12_000 }])
})

test('what is owed is told by the days since it was due, to the day', () => {
  const on = '2026-06-30'
  const due = (dueOn: string) => ({ ...payable({ dueOn }), supplierId: 'one', currency: 'USD' })
  const days = [
    '2026-06-30',
    '2026-06-29',
    '2026-05-31',
    '2026-05-30',
    '2026-05-01',
    '2026-04-30',
    '2026-04-01',
    '2026-03-31',
  ]
  const [aged] = agePayables(days.map(due), on)
  assert.deepEqual(aged?.byAge, {
    not_due: 12_000,
    days_1_30: 24_000,
    days_31_60: 24_000,
    days_61_90: 24_000,
    over_90_days: 12_000,
    credit: 0,
  })
})

const amount = fc.integer({ min: 0, max: 100_000 })
const day = fc
  .integer({ min: 0, max: 300 })
  .map((days) => Temporal.PlainDate.from('2026-01-01').add({ days }).toString())
const anyPayable = fc
  .record({
    parts: fc.array(fc.record({ dueOn: day, amountMinor: amount }), { minLength: 1, maxLength: 4 }),
    isCredit: fc.boolean(),
    isWrong: fc.boolean(),
    share: fc.integer({ min: 0, max: 100 }),
    supplierId: fc.constantFrom('one', 'two'),
    currency: fc.constantFrom('USD', 'JPY'),
  })
  .map(({ parts, isCredit, isWrong, share, ...of }) => {
    const sum = parts.reduce((total, part) => total + part.amountMinor, 0)
    const setAgainst = Math.floor((sum * share) / 100)
    const base = payable(isCredit ? { usedMinor: setAgainst } : { paidMinor: setAgainst })
    const instalments = isCredit ? null : isWrong ? parts.slice(1) : parts
    const dueOn =
      parts
        .map((part) => part.dueOn)
        .toSorted()
        .at(-1) ?? ''
    return { ...base, ...of, totalMinor: isCredit ? -sum : sum, instalments, dueOn }
  })

test('a credit note that waits for what it corrects counts for nothing in what is owed', () => {
  const of = { supplierId: 'one', currency: 'USD' }
  const waiting = { ...payable({ totalMinor: -500, isWaiting: true }), ...of }
  assert.deepEqual(agePayables([waiting], '2026-03-01'), [])
  const [aged] = agePayables([waiting, { ...payable(), ...of }], '2026-03-01')
  assert.deepEqual([aged?.openMinor, aged?.documents], [12_000, 1])
})

test('the ageing of payables equals the sum of open supplier invoices, by supplier and currency and in all', async (t) => {
  await holds(t, 300, [fc.array(anyPayable, { maxLength: 12 }), day], (payables, on) => {
    const aged = agePayables(payables, on)
    for (const row of aged) {
      const open = payables
        .filter((one) => one.supplierId === row.supplierId && one.currency === row.currency)
        .reduce((sum, one) => sum + openPayableMinor(one), 0)
      assert.equal(row.openMinor, open)
      assert.equal(
        ages.reduce((sum, age) => sum + row.byAge[age], 0),
        open,
      )
    }
    for (const total of totalPayables(aged)) {
      const open = payables
        .filter(({ currency }) => currency === total.currency)
        .reduce((sum, one) => sum + openPayableMinor(one), 0)
      assert.equal(total.openMinor, open)
    }
  })
})
