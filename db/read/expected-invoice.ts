import { addDays, laterDate } from '#domain/calendar.ts'
import type { DocumentLineDraft } from '#domain/invoice/document.ts'
import { settle } from '#domain/invoice/balance.ts'
import { billsToCome, type SimulatedBill } from '#domain/invoice/simulation.ts'
import type { Db } from '../database.ts'
import { readStanding, type ForeseenOf, type ReadStanding } from './standing.ts'

/** What is billed next, if nothing more is used and nothing changes. */
export interface ExpectedInvoices {
  readonly on: string
  /** Whole documents: those of one customer bill what else lies on them, too. Mostly one. */
  readonly bills: readonly ExpectedBill[]
  readonly standing: ReadStanding
}

/** A bill with what will pay of it before anybody is asked for money. */
export interface ExpectedBill extends SimulatedBill {
  readonly balanceUsedMinor: number
  readonly dueMinor: number
}

/** A trial, or a year that is paid for, may lie before the next invoice. */
const horizonDays = 800

/**
 * The next invoices of a subscription or a document: all that are made on the first day on which one is. They are computed
 * by the function that makes them, from what was measured so far. Null when none is to come.
 * @throws what `computeDocument` refuses
 */
export async function readExpectedInvoices(db: Db, of: ForeseenOf): Promise<ExpectedInvoices | null> {
  const standing = await readStanding(db, of)
  return standing && expectInvoices(standing, of)
}

/** The same of a standing that was read. @throws what `computeDocument` refuses */
export function expectInvoices(standing: ReadStanding, of: ForeseenOf): ExpectedInvoices | null {
  return expectBills(standing, (bill) => isOf(bill, of, standing))
}

/** The bills of the first day on which there is one of those that are looked for. */
export function expectBills(
  standing: ReadStanding,
  isWanted: (bill: SimulatedBill) => boolean,
): ExpectedInvoices | null {
  const last = standing.documents.reduce(
    (latest, { nextInvoiceOn }) => laterDate(latest, nextInvoiceOn ?? latest),
    standing.today,
  )
  const bills: ExpectedBill[] = []
  // Every bill uses the balance, also one that nobody asked about.
  let { balanceMinor } = standing
  for (const bill of billsToCome(standing, new Map(), addDays(last, horizonDays))) {
    if (bills[0] !== undefined && bills[0].on !== bill.on) break
    const { balanceUsedMinor, balanceLeftMinor, dueMinor } = settle(bill.draft.totalMinor, { balanceMinor })
    balanceMinor = balanceLeftMinor
    if (isWanted(bill)) bills.push({ ...bill, balanceUsedMinor: Math.max(0, balanceUsedMinor), dueMinor })
  }
  const [first] = bills
  return first === undefined ? null : { on: first.on, bills, standing }
}

function isOf(bill: SimulatedBill, of: ForeseenOf, standing: ReadStanding): boolean {
  return 'documentId' in of
    ? bill.documentId === of.documentId
    : bill.draft.lines.some((line) => subscriptionOf(line, standing) === of.subscriptionId)
}

/** Null for a one-off charge. */
export function subscriptionOf(line: DocumentLineDraft, { subscriptionIds }: ReadStanding): string | null {
  return subscriptionIds.get(line.subscriptionLineId ?? '') ?? null
}
