import { compareDates, daysIn } from './calendar.ts'
import { moneyState } from './invoice/balance.ts'
import { instalmentsOf, leaveUnpaid, type Instalment, type StatedDues } from './payment-terms.ts'

/** A supplier invoice and what was set against it, in minor units; payments that were reversed are taken off beforehand. */
export interface Payable extends StatedDues {
  /** Below 0 where the supplier owes it to us. */
  readonly totalMinor: number
  readonly paidMinor: number
  /** Credit notes that were set off against it. */
  readonly creditedMinor: number
  /** Of a credit: what of it was set off. */
  readonly usedMinor: number
  /** Our own sums come to something else, or we said to the supplier that it is wrong and have no answer yet. */
  readonly isDisputed: boolean
  /** A credit note that came before what it corrects. */
  readonly isWaiting: boolean
  /** It was recorded by hand and misread: nothing of it is owed. */
  readonly isVoid: boolean
}

export const payableStates = [
  'open',
  'partly_paid',
  'paid',
  'overdue',
  'credited',
  'used',
  'waiting',
  'disputed',
  'void',
] as const

export type PayableState = (typeof payableStates)[number]

/** What is left to pay; below 0 what is left of a credit. Of what the supplier claims: a dispute changes nothing of it. */
export function openPayableMinor(payable: Payable): number {
  const { totalMinor, paidMinor, creditedMinor, usedMinor, isVoid } = payable
  if (isVoid) return 0
  return totalMinor < 0 ? totalMinor + usedMinor : totalMinor - paidMinor - creditedMinor
}

/**
 * Where a supplier invoice stands on a date. What is settled in full is paid, or credited where credit notes alone cover it; a credit
 * that was set off in full is used. Only of what is left it is told that it is disputed, waits for what it corrects, or is late: the
 * due date itself is not overdue, and of instalments the earliest is paid first.
 */
export function payableState(payable: Payable, on: string): PayableState {
  if (payable.isVoid) return 'void'
  const isSettled = openPayableMinor(payable) === 0
  if (payable.totalMinor < 0 && isSettled) return 'used'
  if (!isSettled && payable.isDisputed) return 'disputed'
  if (!isSettled && payable.isWaiting) return 'waiting'
  if (payable.totalMinor < 0) return 'open'
  const state = moneyState(
    {
      totalMinor: payable.totalMinor,
      paidMinor: payable.paidMinor,
      creditNotesMinor: payable.creditedMinor,
      dueOn: payable.dueOn,
      instalments: statedInstalments(payable),
      isVoid: false,
      isUncollectible: false,
    },
    on,
  )
  return state === 'uncollectible' || state === 'void' ? 'open' : state
}

/** When how much of it is due, and what of that is left. A credit is due in one piece. */
export function payableDues(payable: Payable): (Instalment & { readonly openMinor: number })[] {
  const dues = instalmentsOf(
    { dueOn: payable.dueOn, instalments: statedInstalments(payable) },
    payable.totalMinor,
  )
  if (payable.isVoid) return dues.map((due) => ({ ...due, openMinor: 0 }))
  if (payable.totalMinor < 0) return dues.map((due) => ({ ...due, openMinor: openPayableMinor(payable) }))
  const left = leaveUnpaid(dues, payable.paidMinor + payable.creditedMinor)
  return dues.map((due, index) => ({ ...due, openMinor: left[index]?.amountMinor ?? 0 }))
}

/** Instalments that do not come to the total are a claim that nobody can pay by: then all is due on the last day. */
function statedInstalments({ instalments, totalMinor }: Payable): readonly Instalment[] | null {
  if (instalments === null) return null
  const sumMinor = instalments.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  const isWhole = sumMinor === totalMinor && instalments.every(({ amountMinor }) => amountMinor >= 0)
  return isWhole ? instalments.toSorted((first, second) => compareDates(first.dueOn, second.dueOn)) : null
}

export const ages = ['not_due', 'days_1_30', 'days_31_60', 'days_61_90', 'over_90_days', 'credit'] as const

/** By how many days something is late; what the supplier owes us stands apart, below 0. */
export type Age = (typeof ages)[number]

/** What is owed to one supplier in one currency, by age: the ages sum to what is open. */
export interface AgedPayables {
  readonly supplierId: string
  readonly currency: string
  readonly openMinor: number
  /** How many of its documents are open. */
  readonly documents: number
  readonly byAge: Readonly<Record<Age, number>>
}

/**
 * The ageing of payables, by supplier and currency: what is left of each due date by the days since. Amounts of two currencies are
 * never summed. A credit note that waits for what it corrects counts for nothing until that is there.
 * @example due on 1 March, read on 1 March: not due; on 2 March: 1 to 30 days
 */
export function agePayables(
  payables: readonly (Payable & { readonly supplierId: string; readonly currency: string })[],
  on: string,
): AgedPayables[] {
  const groups = Map.groupBy(
    payables.filter((payable) => openPayableMinor(payable) !== 0 && !payable.isWaiting),
    ({ supplierId, currency }) => `${supplierId} ${currency}`,
  )
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const byAge = emptyAges()
    for (const payable of group)
      for (const { dueOn, openMinor } of payableDues(payable))
        byAge[openMinor < 0 ? 'credit' : ageOf(dueOn, on)] += openMinor
    const openMinor = group.reduce((sum, payable) => sum + openPayableMinor(payable), 0)
    const { supplierId, currency } = first
    return [{ supplierId, currency, openMinor, documents: group.length, byAge }]
  })
}

/** What is owed in all, by currency. */
export function totalPayables(aged: readonly AgedPayables[]): Omit<AgedPayables, 'supplierId'>[] {
  return [...Map.groupBy(aged, ({ currency }) => currency)].map(([currency, group]) => {
    const byAge = emptyAges()
    for (const row of group) for (const age of ages) byAge[age] += row.byAge[age]
    return {
      currency,
      byAge,
      openMinor: group.reduce((sum, row) => sum + row.openMinor, 0),
      documents: group.reduce((sum, row) => sum + row.documents, 0),
    }
  })
}

function emptyAges(): Record<Age, number> {
  return { not_due: 0, days_1_30: 0, days_31_60: 0, days_61_90: 0, over_90_days: 0, credit: 0 }
}

function ageOf(dueOn: string, on: string): Age {
  if (compareDates(dueOn, on) >= 0) return 'not_due'
  const days = daysIn({ start: dueOn, end: on })
  if (days <= 30) return 'days_1_30'
  if (days <= 60) return 'days_31_60'
  return days <= 90 ? 'days_61_90' : 'over_90_days'
}
