import Big from 'big.js'
import { roundMinor } from '#domain/money.ts'
import { sumOf } from '#domain/pricing/decimal.ts'
import { earlyInvoices, settleEarlyInvoices } from '#domain/pricing/difference.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import { amountOf, type RatingStep } from '#domain/pricing/rated-price.ts'
import { fillMaximum, prorateMinimum, trueUp } from '#domain/pricing/true-up.ts'
import type { Share } from '#domain/proration.ts'
import { taxOn } from '#domain/tax.ts'
import type { Adapter } from '../adapter.ts'
import { decimal, fromCents, has, integer, toCents, type Inputs } from '../calendar-inputs.ts'

function decimals(value: unknown): Big[] {
  return Array.isArray(value) ? value.map(decimal) : has({ value }, 'value') ? [decimal(value)] : []
}

function integers(value: unknown): number[] {
  return decimals(value).map(Number)
}

/** Minor units of money that is written in major ones. */
function centsOf(value: unknown): number {
  return toCents(decimal(value))
}

/** The part of a period that the commitment holds for; the whole where nothing is said. */
function shareOf(inputs: Inputs, days: string): Share {
  if (!has(inputs, days, 'days_in_period')) return { numerator: 1, denominator: 1 }
  return { numerator: integer(inputs, days), denominator: integer(inputs, 'days_in_period') }
}

const minimum: Adapter = ({ inputs }) => {
  if (has(inputs, 'commitment_cents')) return commitmentFee(inputs)
  if (has(inputs, 'minimum_cents')) return taxedTrueUp(inputs)
  const usage = decimals(inputs['usage'])
  const counted = [...decimals(inputs['already_billed']), ...usage]
  const added = trueUp(decimal(inputs['minimum']), counted)
  return { true_up: added, top_up: added, total: sumOf([...usage, added]) }
}

/** The plan's own fee, prorated the same way, and other fees count towards the commitment. */
function commitmentFee(inputs: Inputs) {
  const share = shareOf(inputs, 'days')
  const plan = prorateMinimum(Number(inputs['plan_cents'] ?? 0), share)
  const counted = [new Big(plan), ...decimals(inputs['other_fees_cents'])]
  const committed = new Big(prorateMinimum(integer(inputs, 'commitment_cents'), share))
  return { commitment_fee_cents: trueUp(committed, counted) }
}

function taxedTrueUp(inputs: Inputs) {
  const usage = decimals(inputs['usage_cents'])
  const prorated = prorateMinimum(integer(inputs, 'minimum_cents'), shareOf(inputs, 'days_used'))
  const added = trueUp(new Big(prorated), usage)
  const net = sumOf([...usage, added])
  const rate = decimal(inputs['tax_percent'] ?? 0).toFixed()
  const taxOf = (base: Big) => roundMinor(taxOn(base, rate))
  return {
    true_up_cents: added,
    true_up_tax_cents: taxOf(added),
    usage_tax_cents: taxOf(sumOf(usage)),
    invoice_ex_tax_cents: net,
    tax_cents: taxOf(net),
    total_cents: sumOf([net, new Big(taxOf(net))]),
  }
}

const maximum: Adapter = ({ inputs }) => ({
  ...fillMaximum(
    decimal(inputs['maximum']),
    sumOf(decimals(inputs['already_billed'])),
    decimals(inputs['new_lines']),
  ),
})

const overage: Adapter = ({ inputs }) => {
  const committed = decimal(inputs['committed_quantity'] ?? inputs['committed_per_hour']).toFixed()
  const unitAmount = decimal(inputs['unit_amount']).toFixed()
  const { amount, steps } = ratePrice(
    {
      model: 'commitment',
      unitAmount,
      committedQuantity: committed,
      overageFactor: decimal(inputs['overage_factor'] ?? 1).toFixed(),
      isTruedUp: inputs['true_up'] === true,
    },
    decimal(inputs['usage']),
  )
  const of = (kind: RatingStep['kind']) => sumOf(steps.filter((step) => step.kind === kind).map(amountOf))
  return {
    commitment: ratePrice({ model: 'per_unit', unitAmount }, new Big(committed)).amount,
    overage: of('overage'),
    usage_amount: sumOf([of('committed'), of('overage')]),
    true_up: of('true_up'),
    total: amount,
  }
}

const progressive: Adapter = ({ inputs }) => {
  if (has(inputs, 'steps')) {
    const steps = decimals(inputs['steps']).map(toCents)
    return { invoice_at_lifetime_usage: madeAt(steps, steps) }
  }
  if (has(inputs, 'threshold')) {
    const found = decimals(inputs['usage_when_checked']).map(toCents)
    const [first] = earlyInvoices([centsOf(inputs['threshold'])], found)
    return { invoice: first === undefined ? null : fromCents(first.amountMinor) }
  }
  if (has(inputs, 'final_fees_cents')) {
    return settled(integers(inputs['final_fees_cents']), integers(inputs['progressive_invoiced_cents']))
  }
  if (has(inputs, 'progressive_invoiced_cents')) return twoMonths(inputs)
  const totals = has(inputs, 'usage_units') ? grownAmounts(inputs) : integers(inputs['usage_totals_cents'])
  const invoices = earlyInvoices(integers(inputs['thresholds_cents']), totals)
  const invoiced = invoices.map(({ amountMinor }) => amountMinor)
  return {
    progressive_invoices_cents: invoiced,
    period_end: settled([totals.at(-1) ?? 0, Number(inputs['plan_cents'] ?? 0)], invoiced),
  }
}

/** The totals at which an invoice is made. */
function madeAt(thresholds: readonly number[], totals: readonly number[]): (Big | null)[] {
  return earlyInvoices(thresholds, totals).map(({ foundAt }) => {
    const total = totals[foundAt]
    return total === undefined ? null : fromCents(total)
  })
}

/** Units come one after the other; each time, the whole is rated anew. */
function grownAmounts(inputs: Inputs): number[] {
  const unitAmount = decimal(inputs['unit_amount']).toFixed()
  let units = new Big(0)
  return decimals(inputs['usage_units']).map((more) => {
    units = sumOf([units, more])
    return toCents(ratePrice({ model: 'per_unit', unitAmount }, units).amount)
  })
}

function twoMonths(inputs: Inputs) {
  const plan = Number(inputs['plan_cents'] ?? 0)
  const invoiced = integers(inputs['progressive_invoiced_cents'])
  return {
    month1_total_cents: settled([plan, Number(inputs['month1_usage_cents'] ?? 0)], []).total_cents,
    month2: settled([plan, ...invoiced], invoiced),
  }
}

function settled(fees: readonly number[], invoiced: readonly number[]) {
  const { feesMinor, creditedMinor, excessMinor, totalMinor } = settleEarlyInvoices(fees, invoiced)
  return {
    fees_cents: feesMinor,
    credited_cents: creditedMinor,
    credit_note_cents: excessMinor,
    total_cents: totalMinor,
  }
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'commitment.minimum': minimum,
  'commitment.maximum': maximum,
  'commitment.overage': overage,
  'commitment.window': overage,
  'threshold.progressive': progressive,
}
