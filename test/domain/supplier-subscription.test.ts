import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  issuedWithin,
  meetExpectations,
  type ArrivedInvoice,
  type SupplierSubscription,
} from '#domain/supplier-subscription.ts'

const subscription = (different: Partial<SupplierSubscription> = {}): SupplierSubscription => ({
  id: 'a',
  amountMinor: null,
  lineText: null,
  beginsOn: '2026-01-31',
  endsOn: null,
  graceDays: 5,
  ...different,
})
const invoice = (
  id: string,
  issuedOn: string,
  netMinor = 100,
  lines: ArrivedInvoice['lines'] = [],
): ArrivedInvoice => ({ id, issuedOn, netMinor, lines })
const at = (today: string, from: string | null = null) => ({ today, from, until: today })
const told = (...of: Parameters<typeof meetExpectations>) =>
  meetExpectations(...of).map(({ subscriptionId, expectedOn, state, invoiceId }) =>
    [subscriptionId, expectedOn, state, invoiceId].join(' ').trim(),
  )

test('every month from a day on is expected, by the last day of a month that lacks it', () => {
  assert.deepEqual(told([subscription()], [], at('2026-04-05')), [
    'a 2026-01-31 missing',
    'a 2026-02-28 missing',
    'a 2026-03-31 awaited',
  ])
})

test('it is waited for through its days of grace, and missing on the next', () => {
  const state = (today: string) => meetExpectations([subscription()], [], at(today))[0]?.state
  assert.deepEqual([state('2026-02-05'), state('2026-02-06')], ['awaited', 'missing'])
})

test('from its end on nothing is expected', () => {
  const of = [subscription({ endsOn: '2026-02-28' })]
  assert.deepEqual(told(of, [], at('2026-06-01')), ['a 2026-01-31 missing'])
})

test('an invoice is for a month from a week before its day until a week before the next one', () => {
  const months = (issuedOn: string) =>
    meetExpectations([subscription()], [invoice('i', issuedOn)], at('2026-04-30'))
      .filter(({ invoiceId }) => invoiceId === 'i')
      .map(({ expectedOn }) => expectedOn)
  assert.deepEqual(months('2026-01-23'), [])
  assert.deepEqual(months('2026-01-24'), ['2026-01-31'])
  assert.deepEqual(months('2026-02-20'), ['2026-01-31'])
  assert.deepEqual(months('2026-02-21'), ['2026-02-28'])
})

test('of several each takes the invoice that is nearest in amount, and one of no amount what is left', () => {
  const of = [
    subscription({ id: 'any' }),
    subscription({ id: 'small', amountMinor: 100 }),
    subscription({ id: 'large', amountMinor: 900 }),
  ]
  const came = [invoice('about-900', '2026-01-31', 880), invoice('about-100', '2026-02-02', 120)]
  assert.deepEqual(told(of, came, at('2026-02-10')), [
    'any 2026-01-31 missing',
    'small 2026-01-31 received about-100',
    'large 2026-01-31 received about-900',
  ])
})

test('one invoice meets all that are told by the text of its lines, each with its own amount', () => {
  const line = (text: string, amountMinor: number) => ({ names: [null, text], amountMinor })
  const both = invoice('both', '2026-01-31', 300, [line('rack', 100), line('power', 200)])
  const of = [
    subscription({ id: 'rack', lineText: 'rack' }),
    subscription({ id: 'power', lineText: 'power' }),
    subscription({ id: 'other' }),
  ]
  assert.deepEqual(
    meetExpectations(of, [both], at('2026-02-01')).map((one) => [one.subscriptionId, one.receivedMinor]),
    [
      ['rack', 100],
      ['power', 200],
      ['other', null],
    ],
  )
})

test('of the last months the same is told from the invoices of their days alone as from those of all years', () => {
  const of = [
    subscription({ id: 'early', beginsOn: '2020-01-02', amountMinor: 100 }),
    subscription({ id: 'late', beginsOn: '2020-01-31', amountMinor: 100 }),
  ]
  const months = Array.from({ length: 75 }, (_, n) =>
    Temporal.PlainDate.from('2020-01-01').add({ months: n }),
  )
  const came = months.flatMap((day, n) => [
    // Now and then one stays away.
    ...(n % 10 === 3 ? [] : [invoice(`early-${n}`, day.add({ days: 3 }).toString())]),
    ...(n % 10 === 6 ? [] : [invoice(`late-${n}`, day.add({ days: 27 }).toString())]),
  ])
  const days = at('2026-04-01', '2026-01-01')
  const { first, last } = issuedWithin(days)
  assert.deepEqual([first, last], ['2025-10-25', '2026-05-01'])
  const near = came.filter(({ issuedOn }) => first !== null && issuedOn >= first && issuedOn <= last)
  const bounded = told(of, near, days)
  assert.deepEqual(
    bounded,
    told(of, came, { ...days, from: null }).filter((text) => text.includes(' 2026-')),
  )
  assert.ok(near.length <= 12)
  assert.ok(
    bounded.some((text) => text.endsWith('missing')),
    bounded.join('\n'),
  )
})

test('without texts no invoice meets two months, and what was met stays met when another one comes', () => {
  const invoices = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 1_000 })), { maxLength: 12 })
    .map((rows) =>
      rows.map(([day, net], index) =>
        invoice(`i${index}`, Temporal.PlainDate.from('2026-01-01').add({ days: day }).toString(), net),
      ),
    )
  const of = [subscription({ amountMinor: 300 }), subscription({ id: 'b', beginsOn: '2026-02-10' })]
  fc.assert(
    fc.property(invoices, (came) => {
      const met = (some: readonly ArrivedInvoice[]) =>
        meetExpectations(of, some, at('2026-07-31')).filter(({ state }) => state === 'received')
      const ids = met(came).map(({ invoiceId }) => invoiceId)
      assert.equal(new Set(ids).size, ids.length)
      assert.ok(met(came.slice(1)).length <= ids.length)
    }),
  )
})
