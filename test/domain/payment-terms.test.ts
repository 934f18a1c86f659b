import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  checkPaymentTerms,
  defaultPaymentTerms,
  leaveUnpaid,
  planInstalments,
  stateDues,
  type PaymentTerms,
} from '#domain/payment-terms.ts'

const dates: [what: string, terms: PaymentTerms, issuedOn: string, dueOn: string][] = [
  ['14 days by default', defaultPaymentTerms, '2026-01-31', '2026-02-14'],
  ['30 days end of month', { kind: 'end_of_month', days: 30 }, '2026-01-31', '2026-03-31'],
  ['end of this month', { kind: 'end_of_month', days: 0 }, '2026-02-03', '2026-02-28'],
  ['the 15th', { kind: 'fixed_day', days: 0, day: 15 }, '2026-02-15', '2026-02-15'],
  ['the next 15th', { kind: 'fixed_day', days: 0, day: 15 }, '2026-02-16', '2026-03-15'],
  ['the 15th after 10 days', { kind: 'fixed_day', days: 10, day: 15 }, '2026-12-10', '2027-01-15'],
  ['the 31st in February', { kind: 'fixed_day', days: 0, day: 31 }, '2028-02-10', '2028-02-29'],
  ['the 30th after the end of February', { kind: 'fixed_day', days: 1, day: 30 }, '2026-02-28', '2026-03-30'],
]
for (const [what, terms, issuedOn, dueOn] of dates) {
  test(`E-29 issued on ${issuedOn}, ${what}: due on ${dueOn}`, () => {
    checkPaymentTerms(terms)
    assert.deepEqual(planInstalments(terms, issuedOn, 1000), [{ dueOn, amountMinor: 1000 }])
  })
}

const halves: PaymentTerms = {
  kind: 'instalments',
  parts: [
    { percent: '50', due: { kind: 'days', days: 60 } },
    { percent: '50', due: { kind: 'days', days: 0 } },
  ],
}

test('E-29 instalments of 50 and 50 percent add up to the cent, earliest first', () => {
  checkPaymentTerms(halves)
  assert.deepEqual(planInstalments(halves, '2026-01-31', 1001), [
    { dueOn: '2026-01-31', amountMinor: 500 },
    { dueOn: '2026-04-01', amountMinor: 501 },
  ])
})

test('E-29 instalments add up to the cent for every total and split', () => {
  const shares = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 9 }), shares, (totalMinor, list) => {
      const percents = [...list, 100 - list.reduce((sum, share) => sum + share, 0)]
      const parts = percents.map((percent, index) => ({
        percent: String(percent),
        due: { kind: 'days' as const, days: index * 30 },
      }))
      checkPaymentTerms({ kind: 'instalments', parts })
      const amounts = planInstalments({ kind: 'instalments', parts }, '2026-01-31', totalMinor)
      assert.equal(
        amounts.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
        totalMinor,
      )
    }),
  )
})

test('E-29 a document states its last day, and its instalments where it has several', () => {
  assert.deepEqual(stateDues(defaultPaymentTerms, '2026-01-31', 1000), {
    dueOn: '2026-02-14',
    instalments: null,
  })
  assert.deepEqual(stateDues(halves, '2026-01-31', 1001), {
    dueOn: '2026-04-01',
    instalments: [
      { dueOn: '2026-01-31', amountMinor: 500 },
      { dueOn: '2026-04-01', amountMinor: 501 },
    ],
  })
  assert.deepEqual(stateDues(halves, '2026-01-31', -1001), { dueOn: '2026-04-01', instalments: null })
})

test('what is set against a document pays the earliest instalment first', () => {
  const plan = planInstalments(halves, '2026-01-31', 1000)
  const left = (setAgainstMinor: number) =>
    leaveUnpaid(plan, setAgainstMinor).map(({ amountMinor }) => amountMinor)
  assert.deepEqual(
    [left(0), left(200), left(500), left(700), left(1000)],
    [
      [500, 500],
      [300, 500],
      [0, 500],
      [0, 300],
      [0, 0],
    ],
  )
})

const wrong: PaymentTerms[] = [
  { kind: 'days', days: -1 },
  { kind: 'days', days: 367 },
  { kind: 'end_of_month', days: 1.5 },
  { kind: 'fixed_day', days: 0, day: 32 },
  { kind: 'instalments', parts: [] },
  { kind: 'instalments', parts: [{ percent: '99.9', due: defaultPaymentTerms }] },
  {
    kind: 'instalments',
    parts: [
      { percent: '120', due: defaultPaymentTerms },
      { percent: '-20', due: defaultPaymentTerms },
    ],
  },
]
for (const terms of wrong) {
  test(`terms ${JSON.stringify(terms)} are refused`, () => {
    assert.throws(() => checkPaymentTerms(terms), { code: 'field_invalid' })
  })
}
