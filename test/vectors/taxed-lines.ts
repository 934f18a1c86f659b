import type Big from 'big.js'
import { computeTotals, type TaxableLine, type Totals, type TotalsOptions } from '#domain/invoice/totals.ts'
import type { RoundingMode } from '#domain/money.ts'
import type { TaxDecision } from '#domain/tax.ts'
import { decimal, fromCents, has, toCents, type Inputs } from './calendar-inputs.ts'

/** What bears these rates, all on one base; without one it is out of scope. */
export function taxedAt(...percents: readonly unknown[]): TaxDecision {
  return {
    category: percents.length === 0 ? 'out_of_scope' : 'standard',
    rates: percents.map((percent, index) => ({
      name: `tax ${index + 1}`,
      ratePercent: decimal(percent).toFixed(),
    })),
    note: null,
    rule: percents.length === 0 ? 'seller_has_no_rates' : 'same_country',
  }
}

/** A line of an amount in cents; tax is taken from the amount as it is stated, also where it has parts of a cent. */
export function lineOf(cents: Big, tax: TaxDecision): TaxableLine {
  return { amountMinor: toCents(inMajor(cents)), exactMinor: cents, tax }
}

export function totalsOf(lines: readonly TaxableLine[], options: Partial<TotalsOptions> = {}) {
  return computeTotals(lines, { rounding: 'line', arePricesInclusive: false, ...options })
}

/** The sum of amounts that bear no tax, as the total of their document. */
export function sumOf(amounts: readonly Big[]): Big {
  return fromCents(totalsOf(amounts.map((amount) => lineOf(inCents(amount), taxedAt()))).totalMinor)
}

/** Totals under all names that the examples have for them. */
export function namedTotals(totals: Totals<TaxableLine>) {
  const taxes = totals.lines.map((line) => line.taxMinor)
  return {
    net: fromCents(totals.netMinor),
    subtotal: fromCents(totals.netMinor),
    tax: fromCents(totals.taxMinor),
    total: fromCents(totals.totalMinor),
    taxes: taxes.map(fromCents),
    taxes_cents: taxes,
    subtotal_cents: totals.netMinor,
    tax_cents: totals.taxMinor,
    total_cents: totals.totalMinor,
  }
}

export function percentOf(inputs: Inputs): unknown {
  if (has(inputs, 'rate')) return decimal(inputs['rate']).times(100)
  return inputs['rate_percent'] ?? inputs['tax_percent'] ?? 0
}

/** Lines as a list of amounts or of `{amount, rate_percent}`, in major units or in cents by the name of the list. */
export function linesOf(inputs: Inputs): TaxableLine[] {
  const list = (inputs['lines_cents'] ??
    inputs['lines'] ?? [amountIn(inputs).toFixed()]) as readonly unknown[]
  return list.map((entry) => {
    const { amount, ...own } = isInputs(entry) ? entry : { amount: entry }
    const cents = has(inputs, 'lines_cents') ? decimal(amount) : inCents(decimal(amount))
    return lineOf(cents, taxedAt(percentOf({ ...inputs, ...own })))
  })
}

function amountIn(inputs: Inputs): Big {
  return has(inputs, 'amount_cents')
    ? inMajor(decimal(inputs['amount_cents']))
    : decimal(inputs['amount'] ?? inputs['taxable'])
}

function isInputs(entry: unknown): entry is Inputs {
  return typeof entry === 'object' && entry !== null
}

/** Names of the modes elsewhere: half_up is our nearest. Without a name the policy says it in words, if at all. */
export function roundingModeOf(name: unknown, policy = ''): RoundingMode {
  if (typeof name !== 'string') return modeIn(policy.toLowerCase()) ?? 'nearest'
  const mode = modeIn(name.toLowerCase())
  if (mode === undefined) throw new Error(`no rounding is called ${name}`)
  return mode
}

function modeIn(words: string): RoundingMode | undefined {
  if (/even|bank/.test(words)) return 'half_even'
  if (/half.?(up|away)|near/.test(words)) return 'nearest'
  if (/half/.test(words)) return undefined
  if (/up|ceil/.test(words)) return 'up'
  if (/down|floor/.test(words)) return 'down'
  return /round/.test(words) ? 'nearest' : undefined
}

export function inCents(amount: Big): Big {
  return amount.times(100)
}

export function inMajor(cents: Big): Big {
  return cents.times('0.01')
}
