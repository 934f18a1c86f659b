import {
  dueParts,
  rateParts,
  type BillableLine,
  type BilledPart,
  type InvoiceLineDraft,
} from '#domain/invoice/lines.ts'
import type { UsageQuantity } from '#domain/usage.ts'

/** One of something for 10.00 USD a month, paid in advance from 1 January 2026 on. */
export function billableLine(overrides: Partial<BillableLine> = {}): BillableLine {
  return {
    id: 'line',
    description: 'Flat Odoo',
    billingType: 'flat',
    billingTiming: 'advance',
    interval: { count: 1, unit: 'month' },
    billingCycleAnchor: '2026-01-01',
    quantity: '1',
    unit: 'month',
    unitPrice: '10',
    startsOn: '2026-01-01',
    endsOn: null,
    billed: [],
    ...overrides,
  }
}

export function usageOf(quantity: string, unit = 'GiB'): UsageQuantity {
  return { quantity, unit, readingCount: 1, eventCount: 0, firstReadAt: null, lastReadAt: null }
}

/** What one billing on a date makes of the lines, in USD, with the same usage for every usage part. */
export function billOn(lines: readonly BillableLine[], asOf: string, usage = '0'): InvoiceLineDraft[] {
  return rateParts(dueParts(lines, asOf), 'USD', () => usageOf(usage))
}

/** The line as it stands after the drafts of it were finalized. */
export function afterBillingOf(line: BillableLine, drafts: readonly InvoiceLineDraft[]): BillableLine {
  const added = drafts
    .filter((draft) => draft.subscriptionLineId === line.id)
    .map(({ kind, servicePeriod, amountMinor }): BilledPart => ({ kind, servicePeriod, amountMinor }))
  return { ...line, billed: [...line.billed, ...added] }
}

/** Bills a line on each of the dates in turn. */
export function billInTurn(
  line: BillableLine,
  dates: readonly string[],
): { line: BillableLine; drafts: InvoiceLineDraft[] } {
  let current = line
  const drafts: InvoiceLineDraft[] = []
  for (const date of dates) {
    const made = billOn([current], date)
    drafts.push(...made)
    current = afterBillingOf(current, made)
  }
  return { line: current, drafts }
}

export function totalMinor(drafts: readonly InvoiceLineDraft[]): number {
  return drafts.reduce((sum, draft) => sum + draft.amountMinor, 0)
}
