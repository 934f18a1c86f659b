import Big from 'big.js'
import { assert } from './assert.ts'
import { addDays, compareDates } from './calendar.ts'
import { BusinessError } from './errors.ts'
import { spread } from './money.ts'

/** When a single amount is due, counted from the issue date. */
export type DueRule =
  /** So many days later. */
  | { readonly kind: 'days'; readonly days: number }
  /** The last day of the month that the days lead to. */
  | { readonly kind: 'end_of_month'; readonly days: number }
  /** The first such day of a month on or after what the days lead to; a month that lacks it gives its last. */
  | { readonly kind: 'fixed_day'; readonly days: number; readonly day: number }

export type PaymentTerms =
  | DueRule
  /** Shares in percent that sum to 100. */
  | {
      readonly kind: 'instalments'
      readonly parts: readonly { readonly percent: string; readonly due: DueRule }[]
    }

export interface Instalment {
  readonly dueOn: string
  readonly amountMinor: number
}

export const defaultPaymentTerms: DueRule = { kind: 'days', days: 14 }

/** @throws `field_invalid` */
export function checkPaymentTerms(terms: PaymentTerms): void {
  const rules = terms.kind === 'instalments' ? terms.parts.map(({ due }) => due) : [terms]
  for (const rule of rules) checkDueRule(rule)
  if (terms.kind !== 'instalments') return
  const percents = terms.parts.map(({ percent }) => new Big(percent))
  const total = percents.reduce((sum, percent) => sum.plus(percent), new Big(0))
  if (!total.eq(100) || percents.some((percent) => percent.lte(0))) {
    throw new BusinessError('field_invalid', 'Instalments are shares above 0 that sum to 100 percent.')
  }
}

function checkDueRule(rule: DueRule): void {
  if (!Number.isInteger(rule.days) || rule.days < 0 || rule.days > 366) {
    throw new BusinessError('field_invalid', 'Days to pay are a whole number from 0 to 366.')
  }
  if (rule.kind === 'fixed_day' && (!Number.isInteger(rule.day) || rule.day < 1 || rule.day > 31)) {
    throw new BusinessError('field_invalid', 'The day of the month is a whole number from 1 to 31.')
  }
}

/**
 * What is due of a document and when, earliest first; the parts sum to the total to the cent. Issued on 31 January, 30
 * days and end of month: due on 31 March, because 30 days later is 2 March.
 */
export function planInstalments(terms: PaymentTerms, issuedOn: string, totalMinor: number): Instalment[] {
  if (terms.kind !== 'instalments') return [{ dueOn: dueDate(terms, issuedOn), amountMinor: totalMinor }]
  const shares = spread(
    totalMinor,
    terms.parts.map(({ percent }) => new Big(percent)),
  )
  return terms.parts
    .map(({ due }, index) => ({ dueOn: dueDate(due, issuedOn), amountMinor: shares[index] ?? 0 }))
    .toSorted((first, second) => compareDates(first.dueOn, second.dueOn))
}

/** What a document says of when it is due. */
export interface StatedDues {
  /** The last day: all is due then. */
  readonly dueOn: string
  /** Null where all is due on one day. */
  readonly instalments: readonly Instalment[] | null
}

/** As `planInstalments`, for what a document keeps. What is owed to the customer is in one piece. */
export function stateDues(terms: PaymentTerms, issuedOn: string, totalMinor: number): StatedDues {
  const plan = planInstalments(terms, issuedOn, totalMinor)
  const last = plan.at(-1)
  assert(last, 'a document is due on one day at least')
  return { dueOn: last.dueOn, instalments: plan.length === 1 || totalMinor <= 0 ? null : plan }
}

/** What is due when, of a document's total. */
export function instalmentsOf(dues: StatedDues, totalMinor: number): readonly Instalment[] {
  return dues.instalments ?? [{ dueOn: dues.dueOn, amountMinor: totalMinor }]
}

/** What is left of each instalment, once so much was set against the document: the earliest is paid first. */
export function leaveUnpaid(instalments: readonly Instalment[], setAgainstMinor: number): Instalment[] {
  let leftMinor = setAgainstMinor
  return instalments.map(({ dueOn, amountMinor }) => {
    const takenMinor = Math.min(leftMinor, amountMinor)
    leftMinor -= takenMinor
    return { dueOn, amountMinor: amountMinor - takenMinor }
  })
}

function dueDate(rule: DueRule, issuedOn: string): string {
  const later = Temporal.PlainDate.from(addDays(issuedOn, rule.days))
  switch (rule.kind) {
    case 'days':
      return later.toString()
    case 'end_of_month':
      return later.with({ day: later.daysInMonth }).toString()
    case 'fixed_day': {
      const sameMonth = later.with({ day: rule.day })
      if (Temporal.PlainDate.compare(sameMonth, later) >= 0) return sameMonth.toString()
      return later.with({ day: 1 }).add({ months: 1 }).with({ day: rule.day }).toString()
    }
  }
}
