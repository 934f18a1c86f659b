import Big from 'big.js'
import type { Recurrence } from '../calendar.ts'
import { formatMoney } from '../money.ts'
import type { BillingType } from '../product.ts'
import { counted, describePriceModel } from './describe.ts'
import { unitPriceOf } from './unit-price.ts'
import type { Price } from './price.ts'

/** What a price is said from. */
export interface SaidPrice {
  readonly price: Price
  readonly currency: string
  readonly unit: string
  readonly billingType: BillingType
  /** Null: paid once. */
  readonly recurrence: Recurrence | null
}

/** What is sold of it, and what one full period of that comes to. */
export interface SaidLine extends SaidPrice {
  readonly name: string
  readonly quantity: string
  readonly amountMinor: number
}

/** Units that name the time itself: nobody says "10.00 USD per month a month". */
const timeUnits = new Set(['day', 'week', 'month', 'quarter', 'year'])

/**
 * A price as one sentence, the same wherever it is said: `1.00 USD per user a month`, `1.00 USD per GiB, billed after
 * each month`, `20.00 USD per piece, once`.
 * @throws `currency_unknown`
 */
export function priceSentence(said: SaidPrice): string {
  const { price, currency, unit, billingType, recurrence } = said
  const isOfTime = price.model === 'per_unit' && recurrence !== null && timeUnits.has(unit)
  const unitAmount = unitPriceOf(price)
  const model =
    isOfTime && billingType === 'flat' && unitAmount !== null
      ? describePriceModel({ model: 'flat', amount: unitAmount }, currency, unit)
      : describePriceModel(price, currency, unit)
  if (billingType === 'usage') return `${model}, billed after each ${periodOf(recurrence)}`
  if (recurrence === null) return `${model}, once`
  return /[,;]/.test(model) ? `${model}; ${every(recurrence)}` : `${model} ${each(recurrence)}`
}

/**
 * What a line costs: `5 users included in 5.00 USD a month`, `3 pieces for 60.00 USD, once`. Where a price is not simply so
 * much a unit, it follows: `5 users for 25.00 USD a month: up to 10 users 5.00 USD per user, …`.
 */
export function lineSentence(line: SaidLine): string {
  const { billingType, quantity, unit, price, currency, recurrence, amountMinor } = line
  if (billingType === 'usage') return priceSentence(line)
  const isOne = new Big(quantity).eq(1)
  if (isOne && billingType === 'flat') return priceSentence(line)
  const amount = formatMoney(amountMinor, currency)
  const verb = billingType === 'threshold' ? 'included in' : 'for'
  const when = recurrence === null ? ', once' : ` ${each(recurrence)}`
  const isPlain = price.model === 'flat' || unitPriceOf(price) !== null
  const how = isPlain ? '' : `: ${describePriceModel(price, currency, unit)}`
  return `${counted(quantity, unit)} ${verb} ${amount}${when}${how}`
}

/**
 * Everything that is sold together, as one sentence: `5 users included in 5.00 USD a month; Network 1.00 USD per GiB, billed
 * after each month.` What a kit's own price stands for is only counted.
 */
export function offerSentence(lines: readonly (SaidLine & { readonly isIncluded: boolean })[]): string {
  const sentences = lines.map((line) => {
    if (line.isIncluded) return `${counted(line.quantity, line.unit)} included`
    return line.billingType === 'threshold' ? lineSentence(line) : `${line.name} ${lineSentence(line)}`
  })
  return sentences.length === 0 ? '' : `${sentences.join('; ')}.`
}

/** `a month`, `every 3 months`. */
function each(recurrence: Recurrence): string {
  return recurrence.count === 1 ? `a ${wordOf(recurrence)}` : every(recurrence)
}

function every(recurrence: Recurrence): string {
  return `every ${periodOf(recurrence)}`
}

function periodOf(recurrence: Recurrence | null): string {
  if (recurrence === null) return 'period'
  return recurrence.count === 1 ? wordOf(recurrence) : `${recurrence.count} ${wordOf(recurrence)}s`
}

function wordOf({ unit }: Recurrence): string {
  return unit === 'month_last_day' ? 'month' : unit.replace('_', '-')
}
