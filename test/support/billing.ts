import { computeDocument, type DocumentInput, type DocumentLineDraft } from '#domain/invoice/document.ts'
import { dueParts } from '#domain/invoice/due.ts'
import type { BillableLine, BilledPart } from '#domain/invoice/lines.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import type { TaxDecision } from '#domain/tax.ts'
import { defaultTerms, type Terms } from '#domain/terms.ts'
import type { UsageQuantity } from '#domain/usage.ts'

export const untaxed: TaxDecision = {
  category: 'out_of_scope',
  rates: [],
  note: null,
  rule: 'seller_has_no_rates',
}

type LineOverrides = Partial<Omit<BillableLine, 'terms'>> & {
  readonly unitPrice?: string
  readonly terms?: Partial<Terms>
}

/** One of something for 10.00 USD a month, paid in advance from 1 January 2026 on. */
export function billableLine({
  unitPrice = '10',
  terms = {},
  ...overrides
}: LineOverrides = {}): BillableLine {
  const startsOn = overrides.startsOn ?? '2026-01-01'
  return {
    id: 'line',
    subscriptionId: 'subscription',
    productId: 'product',
    description: 'Flat Odoo',
    billingType: 'flat',
    billingTiming: 'advance',
    interval: { count: 1, unit: 'month' },
    billingCycleAnchor: '2026-01-01',
    quantity: '1',
    unit: 'month',
    metric: null,
    price: perUnitPrice(unitPrice),
    priceListItemId: null,
    taxCategory: 'standard',
    startsOn,
    endsOn: null,
    firstStartsOn: startsOn,
    billed: [],
    ...overrides,
    terms: { ...defaultTerms, ...terms },
  }
}

export function usageOf(quantity: string, unit = 'GiB'): UsageQuantity {
  return { quantity, unit, readingCount: 1, eventCount: 0, firstReadAt: null, lastReadAt: null }
}

/** What a bill of the lines on a date is computed from: in USD, untaxed, of nothing used. */
export function documentInput(
  lines: readonly BillableLine[],
  asOf: string,
  overrides: Partial<DocumentInput> = {},
): DocumentInput {
  const [cycling] = lines.filter((line) => line.interval !== null)
  return {
    reason: 'period',
    currency: 'USD',
    asOf,
    cycles: cycling?.interval ? { anchor: cycling.billingCycleAnchor, interval: cycling.interval } : null,
    lines,
    parts: dueParts(lines, asOf),
    usageOf: () => ({ usage: usageOf('0') }),
    discounts: [],
    bounds: [],
    tax: { arePricesInclusive: false, taxRounding: 'document', decide: () => untaxed },
    language: 'en',
    ...overrides,
  }
}

/** What one billing on a date makes of the lines, in USD, with the same usage for every usage part. */
export function billOn(lines: readonly BillableLine[], asOf: string, usage = '0'): DocumentLineDraft[] {
  const input = documentInput(lines, asOf, { usageOf: () => ({ usage: usageOf(usage) }) })
  return [...(computeDocument(input)?.lines ?? [])]
}

/** The line as it stands after the drafts of it were finalized. */
export function afterBillingOf(line: BillableLine, drafts: readonly DocumentLineDraft[]): BillableLine {
  const own = drafts.filter((draft) => draft.subscriptionLineId === line.id)
  const added = own.map((draft, index): BilledPart => ({
    id: `${line.id}/${line.billed.length + index}`,
    kind: draft.kind,
    servicePeriod: draft.servicePeriod,
    ratedMinor: draft.ratedMinor,
    discountMinor: draft.discountMinor,
    amountMinor: draft.amountMinor,
    taxMinor: draft.taxMinor,
    creditedMinor: 0,
    creditedTaxMinor: 0,
    tax: untaxed,
  }))
  const before = line.billed.map((part): BilledPart => {
    const credits = own.filter((draft) => draft.creditsLineId === part.id)
    return {
      ...part,
      creditedMinor: part.creditedMinor - sum(credits.map((draft) => draft.amountMinor)),
      creditedTaxMinor: part.creditedTaxMinor - sum(credits.map((draft) => draft.taxMinor)),
    }
  })
  return { ...line, billed: [...before, ...added] }
}

/** Bills a line on each of the dates in turn. */
export function billInTurn(
  line: BillableLine,
  dates: readonly string[],
): { line: BillableLine; drafts: DocumentLineDraft[] } {
  let current = line
  const drafts: DocumentLineDraft[] = []
  for (const date of dates) {
    const made = billOn([current], date)
    drafts.push(...made)
    current = afterBillingOf(current, made)
  }
  return { line: current, drafts }
}

export function totalMinor(drafts: readonly DocumentLineDraft[]): number {
  return sum(drafts.map((draft) => draft.amountMinor))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
