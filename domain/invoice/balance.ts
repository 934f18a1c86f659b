import { compareDates } from '../calendar.ts'
import { instalmentsOf, leaveUnpaid, type StatedDues } from '../payment-terms.ts'

/** What is set against a document after tax, in minor units, none below 0. */
export interface Funds {
  /** Credit notes already made for this very document. */
  readonly creditNotesMinor?: number
  /** Credit the customer paid for in advance. */
  readonly prepaidMinor?: number
  /** What the seller owes the customer from earlier documents. */
  readonly balanceMinor: number
}

export interface Settlement {
  readonly creditNotesUsedMinor: number
  readonly prepaidUsedMinor: number
  readonly prepaidLeftMinor: number
  /** Below 0 when the document adds to the balance instead of using it. */
  readonly balanceUsedMinor: number
  readonly balanceLeftMinor: number
  /** What is left to pay. */
  readonly dueMinor: number
}

/**
 * How a document's total is paid before anybody is asked for money. The order of a document is: line discounts,
 * document discounts, tax, then here credit notes, prepaid credit, the customer's balance, and payment last. Each is used
 * as far as it reaches and never falls below 0: 108.00 with a prepaid credit of 50.00 and a balance of 8.00 leaves
 * 50.00 to pay. A total below nothing is owed to the customer, and becomes balance.
 */
export function settle(totalMinor: number, funds: Funds): Settlement {
  const prepaidMinor = funds.prepaidMinor ?? 0
  let dueMinor = Math.max(0, totalMinor)
  const take = (availableMinor: number): number => {
    const usedMinor = Math.min(dueMinor, Math.max(0, availableMinor))
    dueMinor -= usedMinor
    return usedMinor
  }
  const creditNotesUsedMinor = take(funds.creditNotesMinor ?? 0)
  const prepaidUsedMinor = take(prepaidMinor)
  const owedMinor = Math.max(0, -totalMinor)
  const balanceUsedMinor = take(funds.balanceMinor) - owedMinor
  return {
    creditNotesUsedMinor,
    prepaidUsedMinor,
    prepaidLeftMinor: prepaidMinor - prepaidUsedMinor,
    balanceUsedMinor,
    balanceLeftMinor: funds.balanceMinor - balanceUsedMinor,
    dueMinor,
  }
}

export const moneyStates = [
  'open',
  'partly_paid',
  'paid',
  'overdue',
  'credited',
  'uncollectible',
  'void',
] as const

export type MoneyState = (typeof moneyStates)[number]

/** A finalized invoice and what was set against it, in minor units; money that went back is taken off beforehand. */
export interface InvoiceMoney extends StatedDues {
  readonly totalMinor: number
  readonly creditNotesMinor: number
  /** Payments, balance and prepaid credit. */
  readonly paidMinor: number
  readonly isVoid: boolean
  readonly isUncollectible: boolean
}

/**
 * Where an invoice stands with its money on a date. Nothing left to pay is paid, or credited when credit notes alone
 * cover it; a write-off holds only while something is left, so money that comes after all makes it paid. The due date
 * itself is not overdue; of instalments the earliest is paid first, and one that is late makes the invoice overdue.
 */
export function moneyState(invoice: InvoiceMoney, on: string): MoneyState {
  const standing = standingOf(invoice)
  const isDue = standing === 'open' || standing === 'partly_paid'
  return isDue && isOverdue(invoice, on) ? 'overdue' : standing
}

/** What of it does not depend on the day: what who is billed is told. When it is due he knows. */
export type Standing = Exclude<MoneyState, 'overdue'>

export function standingOf(invoice: InvoiceMoney): Standing {
  if (invoice.isVoid) return 'void'
  if (openMinor(invoice) <= 0) {
    return invoice.totalMinor > 0 && invoice.creditNotesMinor >= invoice.totalMinor ? 'credited' : 'paid'
  }
  if (invoice.isUncollectible) return 'uncollectible'
  return invoice.paidMinor + invoice.creditNotesMinor > 0 ? 'partly_paid' : 'open'
}

function isOverdue(invoice: InvoiceMoney, on: string): boolean {
  const setAgainstMinor = invoice.creditNotesMinor + invoice.paidMinor
  return leaveUnpaid(instalmentsOf(invoice, invoice.totalMinor), setAgainstMinor).some(
    ({ dueOn, amountMinor }) => amountMinor > 0 && compareDates(dueOn, on) < 0,
  )
}

/** What is left to pay of an invoice, never below 0. */
export function openMinor(invoice: InvoiceMoney): number {
  return Math.max(0, invoice.totalMinor - invoice.creditNotesMinor - invoice.paidMinor)
}
