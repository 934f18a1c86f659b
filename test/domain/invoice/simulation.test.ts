import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { addDays } from '#domain/calendar.ts'
import { assumeUsage } from '#domain/invoice/assumed-usage.ts'
import { computeDocument } from '#domain/invoice/document.ts'
import type { BillableLine, UsagePart } from '#domain/invoice/lines.ts'
import { simulateDocuments, type SimulatedBill, type Standing } from '#domain/invoice/simulation.ts'
import { afterBillingOf, billableLine, billInTurn, documentInput, usageOf } from '#test/support/billing.ts'

const month = { count: 1, unit: 'month' } as const
const nothing = new Map<string, string>()

/** One document whose first bill is that of its first day, and the ends of its subscriptions. */
function standingOf(lines: readonly BillableLine[], ends: Readonly<Record<string, string>> = {}): Standing {
  const anchor = lines[0]?.billingCycleAnchor ?? '2026-01-01'
  const input = documentInput(lines, anchor)
  const subscriptionIds = [...new Set(lines.map((line) => line.subscriptionId))]
  return {
    documents: [
      {
        id: 'document',
        cycles: { anchor, interval: month },
        advanceDays: 0,
        nextPeriodIndex: 0,
        nextInvoiceOn: anchor,
        input,
      },
    ],
    subscriptions: subscriptionIds.map((id) => ({
      id,
      endsOn: ends[id] ?? null,
      isOver: false,
      documentIds: ['document'],
    })),
    reprice: (part) => part,
  }
}

const totals = (bills: readonly SimulatedBill[]) => bills.map(({ on, draft }) => [on, draft.totalMinor])

test('J-07 twelve months from 31 January are billed on the last day of short months', () => {
  const line = billableLine({ billingCycleAnchor: '2027-01-31', startsOn: '2027-01-31' })
  const bills = simulateDocuments(standingOf([line]), nothing, '2028-01-31')
  assert.deepEqual(
    bills.map(({ on }) => on),
    ['2027-01-31', '2027-02-28', '2027-03-31', '2027-04-30', '2027-05-31', '2027-06-30', '2027-07-31'].concat(
      ['2027-08-31', '2027-09-30', '2027-10-31', '2027-11-30', '2027-12-31', '2028-01-31'],
    ),
  )
  assert.ok(bills.every(({ draft }) => draft.totalMinor === 1000))
})

test('J-07 assumed usage is billed in arrears, a line that begins within a period uses its share of the days', () => {
  const network = billableLine({
    id: 'network',
    billingType: 'usage',
    billingTiming: 'arrears',
    metric: 'network',
    unit: 'GiB',
    unitPrice: '0.01',
    startsOn: '2026-01-15',
  })
  const standing = standingOf([billableLine(), network])
  const bills = simulateDocuments(standing, new Map([['network', '1000']]), '2026-03-01')
  assert.deepEqual(totals(bills), [
    ['2026-01-01', 1000],
    // 17 of 31 days: 548 GiB.
    ['2026-02-01', 1548],
    ['2026-03-01', 2000],
  ])
  const none = simulateDocuments(standing, nothing, '2026-03-01')
  assert.deepEqual(totals(none), [
    ['2026-01-01', 1000],
    ['2026-02-01', 1000],
    ['2026-03-01', 1000],
  ])
})

test('J-07 what was measured in a running period is the least that it is billed for', () => {
  const line = billableLine({ billingType: 'usage', billingTiming: 'arrears', metric: 'network' })
  const period = { start: '2026-01-01', end: '2026-02-01' }
  const part: UsagePart = { kind: 'usage', line, servicePeriod: period, cycle: period }
  const measured = { usage: usageOf('70') }
  const quantityOf = (assumed: string) =>
    assumeUsage(part, new Map([['network', assumed]]), measured).usage.quantity
  assert.equal(quantityOf('50'), '70')
  assert.equal(quantityOf('90.5'), '90.5')
  assert.equal(assumeUsage(part, new Map([['disk', '90']]), measured), measured)
})

test('J-07 a subscription that ends has its last bill on its last day, and the document goes on with the others', () => {
  const ending = billableLine({ id: 'a', subscriptionId: 'a', endsOn: '2026-02-11' })
  const staying = billableLine({ id: 'b', subscriptionId: 'b' })
  const usage = billableLine({
    id: 'u',
    subscriptionId: 'a',
    billingType: 'usage',
    billingTiming: 'arrears',
    metric: 'network',
    unitPrice: '1',
    endsOn: '2026-02-11',
  })
  const standing = standingOf([ending, staying, usage], { a: '2026-02-11' })
  const bills = simulateDocuments(standing, new Map([['network', '28']]), '2026-03-01')
  assert.deepEqual(
    bills.map(({ on, reason, draft }) => [on, reason, draft.lines.map((line) => line.amountMinor)]),
    [
      ['2026-01-01', 'period', [1000, 1000]],
      // 10 of 28 days, for it is known that the line ends.
      ['2026-02-01', 'period', [357, 1000, 2800]],
      ['2026-02-11', 'final', [1000]],
      ['2026-03-01', 'period', [1000]],
    ],
  )
})

test('J-07 a document of which no line goes on bills no more', () => {
  const line = billableLine({ endsOn: '2026-03-01' })
  const bills = simulateDocuments(standingOf([line], { subscription: '2026-03-01' }), nothing, '2027-01-01')
  assert.deepEqual(totals(bills), [
    ['2026-01-01', 1000],
    ['2026-02-01', 1000],
  ])
})

test('J-07 a one-off charge is on the first bill from its day on, and on no other', () => {
  const standing = standingOf([billableLine()])
  const [document] = standing.documents
  assert.ok(document)
  const charge = {
    id: 'charge',
    subscriptionId: null,
    productId: null,
    description: 'Visit',
    quantity: '1',
    unit: 'piece',
    price: { model: 'flat', amount: '50' } as const,
    taxCategory: 'standard',
    chargedOn: '2026-01-20',
  }
  const input = { ...document.input, parts: [{ kind: 'one_off', charge } as const] }
  const bills = simulateDocuments({ ...standing, documents: [{ ...document, input }] }, nothing, '2026-03-01')
  assert.deepEqual(totals(bills), [
    ['2026-01-01', 1000],
    ['2026-02-01', 6000],
    ['2026-03-01', 1000],
  ])
})

test('E-31 a text waits for a bill that is sent', () => {
  const standing = standingOf([billableLine({ unitPrice: '0' })])
  const [document] = standing.documents
  assert.ok(document)
  const text = {
    id: 'text',
    subscriptionId: null,
    productId: null,
    description: 'Thank you',
    quantity: '1',
    unit: 'piece',
    price: { model: 'flat', amount: '0' } as const,
    taxCategory: 'standard',
    chargedOn: '2026-01-01',
    isText: true,
  }
  const work = { ...text, id: 'work', description: 'Visit', chargedOn: '2026-02-01', isText: false }
  const charges = [text, { ...work, price: { model: 'flat', amount: '50' } as const }]
  const parts = charges.map((charge) => ({ kind: 'one_off', charge }) as const)
  const [bill, ...others] = simulateDocuments(
    {
      ...standing,
      skipsZeroInvoices: true,
      documents: [{ ...document, input: { ...document.input, parts } }],
    },
    nothing,
    '2026-03-01',
  )
  assert.deepEqual(others, [])
  assert.equal(bill?.on, '2026-02-01')
  assert.deepEqual(
    bill.draft.lines.map(({ description }) => description).toSorted(),
    ['Thank you', 'Visit', 'Flat Odoo'].toSorted(),
  )
})

const dates = fc.integer({ min: 0, max: 700 }).map((days) => addDays('2026-01-01', days))

test('E-12 a simulation is what billing the line on each of its days in turn would make', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('2026-01-01', '2026-01-31', '2026-02-28'),
      fc.constantFrom('advance' as const, 'arrears' as const),
      fc.integer({ min: 0, max: 45 }),
      dates,
      (anchor, billingTiming, delay, end) => {
        const startsOn = addDays(anchor, delay)
        const endsOn = end > startsOn ? end : null
        const line = billableLine({
          billingCycleAnchor: anchor,
          startsOn,
          endsOn,
          billingTiming,
          unitPrice: '24.95',
        })
        const ends = endsOn === null ? {} : { subscription: endsOn }
        const bills = simulateDocuments(standingOf([line], ends), nothing, '2027-12-31')
        const inTurn = billInTurn(
          line,
          bills.map(({ on }) => on),
        )
        assert.deepEqual(
          bills.flatMap(({ draft }) => draft.lines),
          inTurn.drafts,
        )
        const after = computeDocument(documentInput([inTurn.line], endsOn ?? '2027-12-31'))
        assert.equal(after, null)
      },
    ),
    { numRuns: 500 },
  )
})

test('E-12 a simulation that goes on from where another stopped is the same as one over both', () => {
  const line = billableLine({ startsOn: '2026-01-09' })
  const whole = simulateDocuments(standingOf([line]), nothing, '2026-06-01')
  const first = simulateDocuments(standingOf([line]), nothing, '2026-03-01')
  const left = first.reduce((current, { draft }) => afterBillingOf(current, draft.lines), line)
  const standing = standingOf([left])
  const documents = standing.documents.map((document) => ({
    ...document,
    nextPeriodIndex: 3,
    nextInvoiceOn: '2026-04-01',
  }))
  const second = simulateDocuments({ ...standing, documents }, nothing, '2026-06-01')
  assert.equal(whole.length, 5)
  assert.deepEqual([...first, ...second], whole)
})
