import { addDays, compareDates, cycleBoundary, type BillingInterval } from './calendar.ts'

/** Something that a supplier bills every month, from a day on: of each month an invoice is expected. */
export interface SupplierSubscription {
  readonly id: string
  /** About what it comes to, net; null where nobody can say. */
  readonly amountMinor: number | null
  /** The very text by which the supplier names its line; null: any invoice will do. */
  readonly lineText: string | null
  /** The first day on which an invoice is expected; the day of the month of every other. */
  readonly beginsOn: string
  /** Half-open; null while it goes on. */
  readonly endsOn: string | null
  /** For so many days after its day a month's invoice is waited for; then it is missing. */
  readonly graceDays: number
}

/** An invoice of the same supplier, as far as it can be told for what it is. */
export interface ArrivedInvoice {
  readonly id: string
  readonly issuedOn: string
  readonly netMinor: number
  readonly lines: readonly { readonly names: readonly (string | null)[]; readonly amountMinor: number }[]
}

export const expectationStates = ['awaited', 'received', 'missing'] as const

/** One month of a supplier subscription. */
export interface Expectation {
  readonly subscriptionId: string
  readonly expectedOn: string
  readonly amountMinor: number | null
  readonly state: (typeof expectationStates)[number]
  readonly invoiceId: string | null
  /** What of the invoice is for it, net. */
  readonly receivedMinor: number | null
}

const monthly: BillingInterval = { count: 1, unit: 'month' }
/** Suppliers bill early, too: an invoice is for a month from so many days before its day, until as many before the next one's. */
const earlyDays = 7

/** So many months before those that are asked for take part: an invoice of theirs is not taken for one of these. */
const monthsBefore = 2

/** The days an invoice is issued on that can be for a month that is expected within these days, both of them included. */
export function issuedWithin(days: Pick<AskedDays, 'from' | 'until'>): {
  first: string | null
  last: string
} {
  const { from, until } = days
  return {
    first: from === null ? null : addDays(firstTakenPart(from), -earlyDays),
    last: Temporal.PlainDate.from(until).add({ months: 1 }).toString(),
  }
}

export interface AskedDays {
  readonly today: string
  /** What is expected earlier is not told; null: all of it is. */
  readonly from: string | null
  /** What is expected later is not looked at. */
  readonly until: string
}

function firstTakenPart(from: string): string {
  return Temporal.PlainDate.from(from).subtract({ months: monthsBefore }).toString()
}

/**
 * What one supplier's subscriptions expect up to a day, and which of its invoices each is met by. One invoice can meet several that
 * are told by the text of their line. Of those that are not, each takes an invoice of its own: the one that is nearest in amount,
 * then in days.
 * @param invoices all that are issued on the days of `issuedWithin`
 * @example every month from 31 January: 31 January, 28 February, 31 March
 */
export function meetExpectations(
  subscriptions: readonly SupplierSubscription[],
  invoices: readonly ArrivedInvoice[],
  days: AskedDays,
): Expectation[] {
  const { from } = days
  const takesPart = from === null ? null : firstTakenPart(from)
  const months = subscriptions
    .flatMap((subscription) => listMonths(subscription, days.until))
    .filter(({ expectedOn }) => takesPart === null || compareDates(expectedOn, takesPart) >= 0)
  const met = new Map<Month, { readonly invoiceId: string; readonly receivedMinor: number }>()
  const taken = new Set<string>()
  for (const month of months) {
    const { lineText } = month.subscription
    if (lineText === null) continue
    const own = (invoice: ArrivedInvoice) => invoice.lines.filter(({ names }) => names.includes(lineText))
    const found = invoices
      .filter((invoice) => isFor(invoice, month) && own(invoice).length > 0)
      .toSorted((first, second) => compareDates(first.issuedOn, second.issuedOn))[0]
    if (found === undefined) continue
    taken.add(found.id)
    const receivedMinor = own(found).reduce((sum, line) => sum + line.amountMinor, 0)
    met.set(month, { invoiceId: found.id, receivedMinor })
  }
  for (const { month, invoice } of listPairs(months, invoices)) {
    if (met.has(month) || taken.has(invoice.id)) continue
    taken.add(invoice.id)
    met.set(month, { invoiceId: invoice.id, receivedMinor: invoice.netMinor })
  }
  return months
    .filter(({ expectedOn }) => from === null || compareDates(expectedOn, from) >= 0)
    .map((month) => toExpectation(month, met.get(month), days.today))
}

interface Month {
  readonly subscription: SupplierSubscription
  readonly expectedOn: string
  /** Half-open: when an invoice of it is issued. */
  readonly start: string
  readonly end: string
}

function listMonths(subscription: SupplierSubscription, until: string): Month[] {
  const months: Month[] = []
  const dayOf = (n: number) => cycleBoundary(subscription.beginsOn, monthly, n)
  const isExpected = (day: string) =>
    compareDates(day, until) <= 0 &&
    (subscription.endsOn === null || compareDates(day, subscription.endsOn) < 0)
  for (let n = 0; isExpected(dayOf(n)); n += 1) {
    const [start, end] = [addDays(dayOf(n), -earlyDays), addDays(dayOf(n + 1), -earlyDays)]
    months.push({ subscription, expectedOn: dayOf(n), start, end })
  }
  return months
}

function isFor({ issuedOn }: ArrivedInvoice, { start, end }: Month): boolean {
  return compareDates(start, issuedOn) <= 0 && compareDates(issuedOn, end) < 0
}

/** The nearest first; of two that are as near, the one of the earlier month. */
function listPairs(months: readonly Month[], invoices: readonly ArrivedInvoice[]) {
  return months
    .filter(({ subscription }) => subscription.lineText === null)
    .flatMap((month) =>
      invoices
        .filter((invoice) => isFor(invoice, month))
        .map((invoice) => ({
          month,
          invoice,
          // Where nobody said an amount, it comes after those whose amount tells them.
          offMinor: Math.abs(invoice.netMinor - (month.subscription.amountMinor ?? Number.MAX_SAFE_INTEGER)),
          offDays: Math.abs(daysApart(month.expectedOn, invoice.issuedOn)),
        })),
    )
    .toSorted(
      (first, second) =>
        first.offMinor - second.offMinor ||
        first.offDays - second.offDays ||
        compareDates(first.month.expectedOn, second.month.expectedOn),
    )
}

function daysApart(first: string, second: string): number {
  return Temporal.PlainDate.from(first).until(second, { largestUnit: 'day' }).days
}

function toExpectation(
  { subscription, expectedOn }: Month,
  met: { readonly invoiceId: string; readonly receivedMinor: number } | undefined,
  today: string,
): Expectation {
  const isLate = compareDates(addDays(expectedOn, subscription.graceDays), today) < 0
  return {
    subscriptionId: subscription.id,
    expectedOn,
    amountMinor: subscription.amountMinor,
    state: met !== undefined ? 'received' : isLate ? 'missing' : 'awaited',
    invoiceId: met?.invoiceId ?? null,
    receivedMinor: met?.receivedMinor ?? null,
  }
}
