import type Big from 'big.js'
import { addDays, startOfDay } from '#domain/calendar.ts'
import { settle } from '#domain/invoice/balance.ts'
import { creditMinor } from '#domain/proration.ts'
import type { Adapter, Vector } from '../adapter.ts'
import { decimal, fromCents, has, integer, text, toCents, type Inputs } from '../calendar-inputs.ts'
import { sumOf } from '../taxed-lines.ts'

/** Documents of several customers that one payer gets: a summary a day, one item a child, the net of what the child has. */
function parentSummary({ inputs }: Vector) {
  if (has(inputs, 'parent_invoice_date')) return { commit_at: endOfDay(text(inputs, 'parent_invoice_date')) }
  if (has(inputs, 'children')) return summary(inputs['children'] as Inputs[])
  if (has(inputs, 'child_item_adjs')) return adjusted(inputs)
  return oneChild(inputs)
}

/** Counts its items; as a draft it owes nothing yet. */
function summary(children: readonly Inputs[]) {
  const items = children.map((child) => sumOf([child['invoice']].flat().map(decimal)))
  return {
    parent_items: items.length,
    parent_total: sumOf(items),
    status: 'DRAFT',
    parent_balance_while_draft: 0,
    child_balance_while_draft: 0,
  }
}

function oneChild(inputs: Inputs) {
  const recurring = decimal(inputs['child_recurring'])
  const repair = has(inputs, 'days_used') ? repairOf(inputs, recurring) : decimal(0)
  const adjustment = decimal(inputs['child_item_adj'] ?? 0)
  const credit = decimal(inputs['child_credit'] ?? 0)
    .abs()
    .neg()
  const item = sumOf([recurring, repair, adjustment, credit])
  return {
    child_repair: repair,
    parent_item: item,
    parent_items: 1,
    parent_total: item,
    paid: fromCents(settle(toCents(item), { balanceMinor: 0 }).dueMinor),
  }
}

/** The days that were not used come back, prorated over what was billed. */
function repairOf(inputs: Inputs, recurring: Big): Big {
  const days = integer(inputs, 'period_days')
  const share = { numerator: days - integer(inputs, 'days_used'), denominator: days }
  return fromCents(creditMinor({ amountMinor: toCents(recurring), creditedMinor: 0 }, share)).neg()
}

/** Each adjustment after the commit is an item of its own, and both balances follow. */
function adjusted(inputs: Inputs) {
  const adjustments = (inputs['child_item_adjs'] as unknown[]).map(decimal)
  const charged = sumOf([decimal(inputs['child_recurring']), ...adjustments])
  const { dueMinor } = settle(toCents(charged.minus(decimal(inputs['paid'] ?? 0))), { balanceMinor: 0 })
  return { child_balance: fromCents(dueMinor), parent_balance: fromCents(dueMinor) }
}

function endOfDay(date: string): string {
  return Temporal.Instant.from(startOfDay('UTC', addDays(date, 1)))
    .subtract({ milliseconds: 1 })
    .toString()
}

export const adapters: Readonly<Record<string, Adapter>> = { 'invoice.parent_summary': parentSummary }
