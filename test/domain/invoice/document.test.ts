import assert from 'node:assert/strict'
import test from 'node:test'
import { computeDocument, type DocumentDraft, type DocumentInput } from '#domain/invoice/document.ts'
import type { DiscountInForce } from '#domain/invoice/discounting.ts'
import type { BillableLine, DuePart } from '#domain/invoice/lines.ts'
import type { Price } from '#domain/pricing/price.ts'
import { determineTax, type TaxRate } from '#domain/tax.ts'
import { afterBillingOf, billableLine, billInTurn, documentInput, usageOf } from '#test/support/billing.ts'

function compute(
  lines: readonly BillableLine[],
  asOf: string,
  overrides: Partial<DocumentInput> & { usage?: string } = {},
): DocumentDraft {
  const { usage = '0', ...others } = overrides
  const input = documentInput(lines, asOf, { usageOf: () => ({ usage: usageOf(usage) }), ...others })
  const draft = computeDocument(input)
  assert.ok(draft, 'nothing is due')
  return draft
}

/** `recurring 2026-05-01/2026-06-01 1000`, with what was taken off: `1000-100`. */
function tell(draft: DocumentDraft): string[] {
  return draft.lines.map((line) => {
    const period = line.servicePeriod ? `${line.servicePeriod.start}/${line.servicePeriod.end} ` : ''
    const off = line.discountMinor === 0 ? '' : `-${line.discountMinor}`
    return `${line.kind} ${period}${line.ratedMinor}${off}`
  })
}

function metered(overrides: Parameters<typeof billableLine>[0] = {}): BillableLine {
  const usage = { id: 'usage', billingType: 'usage', billingTiming: 'arrears', metric: 'network' } as const
  return billableLine({ ...usage, unit: 'GiB', ...overrides })
}

function discount(overrides: Partial<DiscountInForce> = {}): DiscountInForce {
  return {
    id: 'discount',
    name: 'Welcome',
    scope: 'line',
    percent: '10',
    amountMinor: null,
    productId: null,
    subscriptionId: null,
    startsOn: '2026-01-01',
    endsOn: null,
    periodCount: null,
    ...overrides,
  }
}

const vat: TaxRate = {
  id: 'vat',
  country: 'DE',
  region: null,
  category: 'standard',
  name: 'USt',
  ratePercent: '19',
  startsOn: null,
  endsOn: '2026-07-01',
}

function taxed(
  rates: readonly TaxRate[],
  overrides: Partial<DocumentInput['tax']> = {},
): DocumentInput['tax'] {
  const buyer = { country: 'DE', region: null, isBusiness: false, taxId: null }
  const person = { ...buyer, isTaxIdVerified: false, exemption: null }
  return {
    arePricesInclusive: false,
    taxRounding: 'document',
    decide: (category, on) => determineTax({ seller: { country: 'DE' }, buyer: person, category, on }, rates),
    ...overrides,
  }
}

const volume: Price = {
  model: 'volume',
  tiers: [
    { upTo: '10', unitAmount: '5' },
    { upTo: null, unitAmount: '4' },
  ],
}

test('of a part of a period the tier is chosen by the full quantity, and flat amounts are prorated too', () => {
  const line = billableLine({ price: volume, quantity: '12', startsOn: '2026-04-16' })
  const draft = compute([{ ...line, billingCycleAnchor: '2026-04-01' }], '2026-04-16')
  assert.deepEqual(tell(draft), ['recurring 2026-04-16/2026-05-01 2400'])
  assert.equal(draft.lines[0]?.explanation.formula, '12 × 4 × 15 / 30 days')
  assert.equal(draft.lines[0]?.unitPrice, null)
})

test('of usage neither the quantity nor what is included is prorated; what it costs at least is', () => {
  const price: Price = { model: 'per_unit', unitAmount: '1', includedQuantity: '10', leastAmount: '20' }
  const line = metered({ price, startsOn: '2026-04-16', billingCycleAnchor: '2026-04-01' })
  const thirteen = compute([line], '2026-05-01', { usage: '13' })
  assert.deepEqual(tell(thirteen), ['usage 2026-04-16/2026-05-01 1000'])
  assert.deepEqual(thirteen.lines[0]?.explanation, {
    formula: '10 GiB included + 3 GiB × 1 + 7 up to 10 at least',
    price,
    steps: [
      { kind: 'included', quantity: '10' },
      { kind: 'units', quantity: '3', unitAmount: '1', amount: '3' },
      { kind: 'least', bound: '10', amount: '7' },
    ],
    daysServed: 15,
    daysOfCycle: 30,
    cycle: { start: '2026-04-01', end: '2026-05-01' },
    usage: usageOf('13'),
  })
})

test('by months of 30 days 9 to 28 February of 30.00 are 22.00, without proration 30.00', () => {
  const served = { unitPrice: '30', startsOn: '2026-02-09' }
  const fixed = billableLine({ ...served, terms: { proration: 'month_30' } })
  const whole = billableLine({ ...served, terms: { proration: 'none' } })
  assert.deepEqual(tell(compute([fixed], '2026-02-09')), ['recurring 2026-02-09/2026-03-01 2200'])
  assert.deepEqual(tell(compute([whole], '2026-02-09')), ['recurring 2026-02-09/2026-03-01 3000'])
})

test('what was paid beyond the end is kept where the terms keep it, or where nothing is prorated', () => {
  for (const terms of [{ unusedTime: 'keep' }, { proration: 'none' }] as const) {
    const line = billableLine({ terms })
    const paid = afterBillingOf(line, compute([line], '2026-01-01').lines)
    assert.equal(computeDocument(documentInput([{ ...paid, endsOn: '2026-01-16' }], '2026-01-16')), null)
  }
})

test('a line of no day bills nothing, whatever its terms keep', () => {
  for (const terms of [{ unusedTime: 'keep' }, { proration: 'none' }] as const) {
    const line = billableLine({ terms, startsOn: '2026-01-16' })
    const paid = afterBillingOf(line, compute([line], '2026-01-16').lines)
    const undone = compute([{ ...paid, endsOn: '2026-01-16' }], '2026-01-16')
    assert.equal(undone.totalMinor, -(paid.billed[0]?.amountMinor ?? 0))
  }
})

test('a credit gives back a share of what was billed, tax and discount included, and no more than is left', () => {
  const tax = taxed([vat])
  const line = billableLine({ unitPrice: '249.95' })
  const january = compute([line], '2026-01-01', { tax, discounts: [discount()] })
  assert.deepEqual([january.netMinor, january.taxMinor], [22495, 4274])
  const [charge] = afterBillingOf(line, january.lines).billed
  assert.ok(charge)
  const decision = tax.decide('standard', '2026-01-01')
  const ended = (creditedMinor: number, endsOn: string): BillableLine => ({
    ...line,
    endsOn,
    billed: [{ ...charge, tax: decision, creditedMinor, creditedTaxMinor: 190 }],
  })
  const half = compute([ended(1000, '2026-01-17')], '2026-02-01', { tax })
  assert.deepEqual([half.netMinor, half.taxMinor], [-10885, -2068])
  assert.equal(half.kind, 'credit_note')
  assert.equal(half.lines[0]?.creditsLineId, charge.id)
  const all = compute([ended(1000, '2026-01-01')], '2026-02-01', { tax })
  assert.deepEqual([all.netMinor, all.taxMinor], [-21495, -4084])
  assert.deepEqual(
    all.taxes.map(({ baseMinor, taxMinor }) => [baseMinor, taxMinor]),
    [[-21495, -4084]],
  )
  assert.equal(computeDocument(documentInput([ended(22495, '2026-01-01')], '2026-02-01')), null)
})

test('a trial of 15 days from 3 January is free, and a change inside it begins no new one', () => {
  const first = billableLine({
    startsOn: '2026-01-03',
    billingCycleAnchor: '2026-01-03',
    terms: { trialDays: 15 },
  })
  assert.equal(computeDocument(documentInput([first], '2026-01-17')), null)
  assert.deepEqual(tell(compute([first], '2026-01-18')), ['recurring 2026-01-18/2026-02-03 516'])
  const second = { ...first, startsOn: '2026-01-10' }
  assert.deepEqual(tell(compute([second], '2026-01-18')), ['recurring 2026-01-18/2026-02-03 516'])
})

test('a fee of three periods is billed three times, over a change of its line too', () => {
  const line = billableLine({ unitPrice: '30', terms: { periodCount: 3 } })
  const { drafts } = billInTurn(line, ['2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01', '2026-05-01'])
  assert.deepEqual(
    drafts.map((draft) => draft.servicePeriod?.start),
    ['2026-01-01', '2026-02-01', '2026-03-01'],
  )
  const successor = { ...line, id: 'second', startsOn: '2026-03-01' }
  const after = billInTurn({ ...successor, firstStartsOn: '2026-01-01' }, ['2026-03-01', '2026-04-01'])
  assert.deepEqual(
    after.drafts.map((draft) => draft.servicePeriod?.start),
    ['2026-03-01'],
  )
})

test('usage of 0 is left out where the terms say so, and a document of nothing else is not made', () => {
  const hidden = metered({ terms: { isZeroShown: false } })
  assert.equal(computeDocument(documentInput([hidden], '2026-02-01')), null)
  const flat = billableLine()
  assert.deepEqual(tell(compute([flat, hidden], '2026-01-01')), ['recurring 2026-01-01/2026-02-01 1000'])
  assert.deepEqual(tell(compute([hidden], '2026-02-01', { usage: '1' })), [
    'usage 2026-01-01/2026-02-01 1000',
  ])
  assert.deepEqual(tell(compute([metered()], '2026-02-01')), ['usage 2026-01-01/2026-02-01 0'])
})

test('late usage costs what the whole comes to less what was billed: -70.00 when it reaches a lower tier', () => {
  const price: Price = {
    model: 'volume',
    tiers: [
      { upTo: '15', unitAmount: '10' },
      { upTo: null, unitAmount: '5' },
    ],
  }
  const part: DuePart = {
    kind: 'late_usage',
    line: metered(),
    servicePeriod: { start: '2026-01-01', end: '2026-02-01' },
    cycle: { start: '2026-01-01', end: '2026-02-01' },
    price,
    billedQuantity: '15',
    late: { usage: usageOf('1') },
    eventIds: ['event'],
  }
  const draft = compute([], '2026-04-01', { parts: [part] })
  assert.deepEqual(tell(draft), ['late_usage 2026-01-01/2026-02-01 -7000'])
  assert.deepEqual(draft.lines[0]?.lateEventIds, ['event'])
  assert.equal(draft.lines[0]?.explanation.formula, 'late: 16 GiB × 5, less 150 that were billed')
})

test('a late event of a price by events costs its own share and fee, past the free events', () => {
  const price: Price = { model: 'percentage', ratePercent: '2.9', amountPerEvent: '0.30', freeEvents: 1 }
  const part: DuePart = {
    kind: 'late_usage',
    line: metered(),
    servicePeriod: { start: '2026-01-01', end: '2026-02-01' },
    cycle: { start: '2026-01-01', end: '2026-02-01' },
    price,
    billedQuantity: '500',
    billedMinor: 1395,
    late: { usage: usageOf('100') },
    valuesByNow: ['50', '150', '150', '150', '100'],
    eventIds: ['event'],
  }
  assert.deepEqual(tell(compute([], '2026-04-01', { parts: [part] })), [
    'late_usage 2026-01-01/2026-02-01 320',
  ])
})

test('of a price by events one that takes another back owes nothing: what was billed of all comes off what they are by now', () => {
  const part: DuePart = {
    kind: 'late_usage',
    line: metered(),
    servicePeriod: { start: '2026-01-01', end: '2026-02-01' },
    cycle: { start: '2026-01-01', end: '2026-02-01' },
    price: { model: 'percentage', ratePercent: '2.9', amountPerEvent: '0.30', leastPerEvent: '1.00' },
    billedQuantity: '100',
    billedMinor: 320,
    late: { usage: usageOf('-100') },
    valuesByNow: [],
    eventIds: ['reversal'],
  }
  const draft = compute([], '2026-04-01', { parts: [part] })
  assert.deepEqual(tell(draft), ['late_usage 2026-01-01/2026-02-01 -320'])
  assert.match(String(draft.lines[0]?.explanation.formula), /, less 3.2 that were billed$/)
})

test('a waiting one-off stands beside what recurs, taxed by the day it was charged for', () => {
  const rates = [vat, { ...vat, id: 'new', ratePercent: '20', startsOn: '2026-07-01', endsOn: null }]
  const part: DuePart = {
    kind: 'one_off',
    charge: {
      id: 'charge',
      subscriptionId: null,
      productId: null,
      description: 'Migration',
      quantity: '2',
      unit: 'hour',
      price: { model: 'per_unit', unitAmount: '6' },
      taxCategory: 'standard',
      chargedOn: '2026-06-30',
    },
  }
  const line = billableLine({ startsOn: '2026-07-01', billingCycleAnchor: '2026-07-01' })
  const input = documentInput([line], '2026-07-01', { tax: taxed(rates) })
  const draft = computeDocument({ ...input, parts: [...input.parts, part] })
  assert.ok(draft)
  assert.deepEqual(tell(draft), ['recurring 2026-07-01/2026-08-01 1000', 'one_off 1200'])
  assert.deepEqual(
    draft.taxes.map(({ ratePercent, baseMinor, taxMinor }) => [ratePercent, baseMinor, taxMinor]),
    [
      ['20', 1000, 200],
      ['19', 1200, 228],
    ],
  )
  assert.equal(draft.lines[1]?.oneOffChargeId, 'charge')
})

test('line discounts come before document discounts, those one after the other, then tax', () => {
  const lines = [billableLine({ unitPrice: '100' })]
  const document = { scope: 'document' } as const
  const two = [discount({ ...document, id: 'first' }), discount({ ...document, id: 'second' })]
  assert.deepEqual(tell(compute(lines, '2026-01-01', { discounts: two })), [
    'recurring 2026-01-01/2026-02-01 10000-1900',
  ])
  const mixed = [discount({ ...document, percent: null, amountMinor: 1000 }), discount()]
  const tax = taxed([{ ...vat, ratePercent: '20' }])
  const draft = compute(lines, '2026-01-01', { discounts: mixed, tax })
  assert.deepEqual([draft.netMinor, draft.taxMinor, draft.totalMinor], [8000, 1600, 9600])
  assert.deepEqual(
    draft.lines[0]?.explanation.discounts?.map(({ amountMinor }) => amountMinor),
    [1000, 1000],
  )
})

test('10.00 off three equal lines are 3.34, 3.33 and 3.33, and never more than there is', () => {
  const lines = ['a', 'b', 'c'].map((id) => billableLine({ id }))
  const ten = discount({ scope: 'document', percent: null, amountMinor: 1000 })
  const off = (amountMinor: number) =>
    compute(lines, '2026-01-01', { discounts: [{ ...ten, amountMinor }] }).lines.map(
      (line) => line.discountMinor,
    )
  assert.deepEqual(off(1000), [334, 333, 333])
  assert.deepEqual(off(9999), [1000, 1000, 1000])
})

test('10 % for two periods is off two periods of each line, usage in arrears included', () => {
  const discounts = [discount({ periodCount: 2 })]
  const amounts = (line: BillableLine, dates: readonly string[]) => {
    let current = line
    return dates.map((date) => {
      const draft = compute([current], date, { discounts, usage: '1' })
      current = afterBillingOf(current, draft.lines)
      return draft.totalMinor
    })
  }
  assert.deepEqual(amounts(billableLine(), ['2026-01-01', '2026-02-01', '2026-03-01']), [900, 900, 1000])
  assert.deepEqual(amounts(metered(), ['2026-02-01', '2026-03-01', '2026-04-01']), [900, 900, 1000])
})

test('three discounted months stay three months where the line moves to a yearly plan', () => {
  const yearlyFrom = (startsOn: string) =>
    billableLine({
      unitPrice: '120',
      interval: { count: 12, unit: 'month' },
      billingCycleAnchor: startsOn,
      startsOn,
      firstStartsOn: '2026-01-01',
      formerCycles: [{ from: '2026-01-01', anchor: '2026-01-01', interval: { count: 1, unit: 'month' } }],
    })
  for (const scope of ['line', 'document'] as const) {
    const discounts = [discount({ scope, periodCount: 3 })]
    const offFrom = (day: string) => compute([yearlyFrom(day)], day, { discounts }).lines[0]?.discountMinor
    // The third month is 31 of 365 days: 10 % of 10.19.
    assert.equal(offFrom('2026-03-01'), 102)
    assert.equal(offFrom('2026-04-01'), 0)
  }
  const once = [discount({ scope: 'document', percent: null, amountMinor: 500, periodCount: 3 })]
  assert.equal(
    compute([yearlyFrom('2026-04-01')], '2026-04-01', { discounts: once }).lines[0]?.discountMinor,
    0,
  )
})

test('the periods of a discount are those of its line, also after a change within one of them', () => {
  const discounts = [discount({ startsOn: '2026-01-10', periodCount: 1 })]
  const changed = billableLine({
    startsOn: '2026-02-10',
    firstStartsOn: '2026-01-01',
    formerCycles: [{ from: '2026-01-01', anchor: '2026-01-01', interval: { count: 1, unit: 'month' } }],
  })
  // 19 of 28 days of February, the first period after the one that was paid for.
  assert.equal(compute([changed], '2026-02-10', { discounts }).lines[0]?.discountMinor, 68)
})

test('a one-off is discounted within the periods of its document, and not for ever', () => {
  const charge = (chargedOn: string) => ({
    id: 'charge',
    subscriptionId: null,
    productId: null,
    description: 'Work',
    quantity: '1',
    unit: 'hour',
    price: { model: 'per_unit', unitAmount: '10' } as const,
    taxCategory: 'standard',
    chargedOn,
  })
  const offOn = (on: string, overrides: Partial<DocumentInput> = {}) => {
    const parts: DuePart[] = [{ kind: 'one_off', charge: charge(on) }]
    return compute([billableLine()], on, { parts, ...overrides }).lines[0]?.discountMinor
  }
  for (const scope of ['line', 'document'] as const) {
    const twoPeriods = [discount({ scope, periodCount: 2 })]
    assert.equal(offOn('2026-02-01', { discounts: twoPeriods }), 100)
    assert.equal(offOn('2026-03-01', { discounts: twoPeriods }), 0)
    assert.equal(offOn('2026-03-01', { discounts: twoPeriods, lines: [], cycles: null }), 0)
    assert.equal(offOn('2026-03-01', { discounts: [discount({ scope })], lines: [], cycles: null }), 100)
  }
})

test('a discount that begins inside a period which is paid for counts from the next one', () => {
  const discounts = [discount({ startsOn: '2026-01-10', periodCount: 1 })]
  let line = billableLine()
  const totals = ['2026-01-01', '2026-02-01', '2026-03-01'].map((date) => {
    const draft = compute([line], date, { discounts })
    line = afterBillingOf(line, draft.lines)
    return draft.totalMinor
  })
  assert.deepEqual(totals, [1000, 900, 1000])
  const joining = billableLine({ startsOn: '2026-01-10' })
  assert.equal(compute([joining], '2026-01-10', { discounts }).lines[0]?.discountMinor, 71)
})

test('an amount is taken off once a period: not on the bill of an end, and of a customer not on that of a beginning', () => {
  const amount = { scope: 'document', percent: null, amountMinor: 500 } as const
  const off = (reason: DocumentInput['reason'], overrides: Partial<DiscountInForce> = {}) =>
    compute([billableLine()], '2026-01-01', { reason, discounts: [discount({ ...amount, ...overrides })] })
      .lines[0]?.discountMinor
  assert.equal(off('period'), 500)
  assert.equal(off('opening'), 0)
  assert.equal(off('opening', { subscriptionId: 'subscription' }), 500)
  assert.equal(off('final', { subscriptionId: 'subscription' }), 0)
  assert.equal(off('period', { subscriptionId: 'another' }), 0)
  assert.equal(off('period', { productId: 'another' }), 0)
})

const bounds = { subscriptionId: 'subscription', leastAmount: null, greatestAmount: null }

test('a commitment of 100.00 with lines of 70.00 is trued up by 30.00, on the document after the period', () => {
  const flat = billableLine({ id: 'flat', unitPrice: '50' })
  const january = compute([flat, metered({ unitPrice: '1' })], '2026-01-01', {
    bounds: [{ ...bounds, leastAmount: '100' }],
  })
  assert.deepEqual(tell(january), ['recurring 2026-01-01/2026-02-01 5000'])
  const paid = afterBillingOf(flat, january.lines)
  const february = compute([paid, metered({ unitPrice: '1' })], '2026-02-01', {
    bounds: [{ ...bounds, leastAmount: '100' }],
    usage: '20',
  })
  assert.deepEqual(tell(february), [
    'recurring 2026-02-01/2026-03-01 5000',
    'usage 2026-01-01/2026-02-01 2000',
    'true_up 2026-01-01/2026-02-01 3000',
  ])
})

test('of two days of 29 a commitment of 100.00 is 6.90, on the bill of the end', () => {
  const line = billableLine({
    unitPrice: '0',
    startsOn: '2024-02-01',
    billingCycleAnchor: '2024-02-01',
    endsOn: '2024-02-03',
  })
  const paid = afterBillingOf({ ...line, endsOn: null }, compute([line], '2024-02-01').lines)
  const draft = computeDocument({
    ...documentInput([{ ...paid, endsOn: '2024-02-03' }], '2024-02-03', { reason: 'final' }),
    bounds: [{ ...bounds, leastAmount: '100' }],
    parts: [{ kind: 'one_time', line: billableLine({ id: 'fee', interval: null }) }],
  })
  assert.deepEqual(draft && tell(draft), ['one_time 1000', 'true_up 2024-02-01/2024-02-03 690'])
})

test('the last commitment of a subscription with a setup fee, which never ends, is billed with its end', () => {
  const line = billableLine({ unitPrice: '50' })
  const fee = billableLine({ id: 'fee', interval: null })
  const january = compute([line, fee], '2026-01-01', { bounds: [{ ...bounds, leastAmount: '100' }] })
  const ended = { ...afterBillingOf(line, january.lines), endsOn: '2026-02-01' }
  const draft = computeDocument(
    documentInput([ended, afterBillingOf(fee, january.lines)], '2026-02-01', {
      reason: 'final',
      bounds: [{ ...bounds, leastAmount: '100' }],
    }),
  )
  assert.deepEqual(draft && tell(draft), ['true_up 2026-01-01/2026-02-01 5000'])
})

test('days of a pause count for no commitment', () => {
  const before = billableLine({ id: 'before', unitPrice: '0', endsOn: '2026-04-11' })
  const after = billableLine({ id: 'after', unitPrice: '0', startsOn: '2026-04-21' })
  const least = [{ ...bounds, leastAmount: '90' }]
  const draft = compute([before, after], '2026-05-01', { bounds: least, parts: [] })
  assert.deepEqual(tell(draft), ['true_up 2026-04-01/2026-05-01 6000'])
  const paused = { ...after, startsOn: '2026-05-03' }
  assert.equal(
    computeDocument(documentInput([before, paused], '2026-06-01', { bounds: least, parts: [] }))?.totalMinor,
    8419,
  )
  const input = documentInput([{ ...before, endsOn: '2026-04-01' }, paused], '2026-05-01', { bounds: least, parts: [] }) // prettier-ignore
  assert.equal(computeDocument(input), null)
})

test('a commitment follows a moved anchor: the bridge of 14 of 31 days is settled by itself, no day of it twice', () => {
  const least = [{ ...bounds, leastAmount: '310' }]
  const moved = {
    billingCycleAnchor: '2026-01-15',
    formerAnchor: { anchor: '2026-01-01', until: '2026-06-01' },
  }
  const line = billableLine({ unitPrice: '0', ...moved })
  const settled = (asOf: string) => tell(compute([line], asOf, { bounds: least, parts: [] }))
  assert.deepEqual(settled('2026-06-01'), ['true_up 2026-05-01/2026-06-01 31000'])
  assert.deepEqual(settled('2026-06-15'), ['true_up 2026-06-01/2026-06-15 14000'])
  assert.deepEqual(settled('2026-07-15'), ['true_up 2026-06-15/2026-07-15 31000'])
})

test('what a period comes to above the greatest amount is taken off as a discount', () => {
  const line = billableLine({ id: 'flat', unitPrice: '160' })
  const greatest = [{ ...bounds, greatestAmount: '170' }]
  const paid = afterBillingOf(line, compute([line], '2026-01-01', { bounds: greatest }).lines)
  const usage = metered({ unitPrice: '22' })
  const draft = compute([paid, usage], '2026-02-01', { bounds: greatest, usage: '1' })
  assert.deepEqual(tell(draft), [
    'recurring 2026-02-01/2026-03-01 16000',
    'usage 2026-01-01/2026-02-01 2200-1200',
  ])
  assert.deepEqual(tell(compute([billableLine({ unitPrice: '250' })], '2026-01-01', { bounds: greatest })), [
    'recurring 2026-01-01/2026-02-01 25000-8000',
  ])
})

test('prices with tax inside are split into net and tax, and a credit gives back both', () => {
  const tax = taxed([{ ...vat, ratePercent: '20' }], { arePricesInclusive: true })
  const line = billableLine({ unitPrice: '12' })
  const january = compute([line], '2026-01-01', { tax })
  assert.deepEqual([january.netMinor, january.taxMinor, january.totalMinor], [1000, 200, 1200])
  assert.equal(january.lines[0]?.ratedMinor, 1200)
  const [charge] = afterBillingOf(line, january.lines).billed
  assert.ok(charge)
  const billed = [{ ...charge, tax: tax.decide('standard', '2026-01-01') }]
  const undone = compute([{ ...line, endsOn: '2026-01-01', billed }], '2026-01-01', { tax })
  assert.deepEqual([undone.netMinor, undone.taxMinor, undone.totalMinor], [-1000, -200, -1200])
  assert.equal(undone.lines[0]?.ratedMinor, -1200)
})

test('the first day of the service period decides the rate, whenever the document is made', () => {
  const rates = [vat, { ...vat, id: 'new', ratePercent: '20', startsOn: '2026-07-01', endsOn: null }]
  const arrears = billableLine({
    billingTiming: 'arrears',
    startsOn: '2026-06-01',
    billingCycleAnchor: '2026-06-01',
  })
  const draft = compute([arrears], '2026-08-01', { tax: taxed(rates) })
  assert.deepEqual(
    draft.lines.map((line) => line.taxRatePercent),
    ['19', '20'],
  )
  assert.deepEqual(draft.lines[0]?.explanation.tax, {
    on: '2026-06-01',
    of: 'standard',
    rule: 'same_country',
    rates: [{ name: 'USt', ratePercent: '19' }],
  })
})

test('the text of a line says its own period in the customer’s language', () => {
  const line = billableLine({
    description: 'Hosting {month} {year}',
    startsOn: '2026-03-01',
    billingCycleAnchor: '2026-03-01',
  })
  assert.equal(compute([line], '2026-03-01', { language: 'de' }).lines[0]?.description, 'Hosting März 2026')
})
