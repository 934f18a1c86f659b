import Big from 'big.js'
import { settle } from '#domain/invoice/balance.ts'
import { determineTax, taxOn } from '#domain/tax.ts'
import type { Adapter, Vector } from '../adapter.ts'
import { decimal, fromCents, has, toCents, wordOf, type Inputs } from '../calendar-inputs.ts'
import {
  inCents,
  inMajor,
  lineOf,
  linesOf,
  namedTotals,
  percentOf,
  roundingModeOf,
  taxedAt,
  totalsOf,
} from '../taxed-lines.ts'

function exclusive({ inputs }: Vector) {
  return namedTotals(totalsOf(linesOf(inputs), { mode: roundingModeOf(inputs['round']) }))
}

function inclusive({ inputs }: Vector) {
  const roundedFirst = wordOf(inputs, 'round', 'tax', 'net') ?? 'net'
  const totals = totalsOf(linesOf(inputs), { arePricesInclusive: true, roundedFirst })
  return { ...namedTotals(totals), net_cents: totals.netMinor }
}

function lineRounding({ inputs }: Vector) {
  const mode = roundingModeOf(inputs['round'])
  if (has(inputs, 'rates_percent')) return taxPerCodeAndLine(inputs)
  const lines = linesOf(inputs)
  const cents = exactTax(lines[0])
  return {
    ...namedTotals(totalsOf(lines, { mode })),
    unrounded: has(inputs, 'amount_cents') || has(inputs, 'lines_cents') ? cents : inMajor(cents),
  }
}

function exactTax(
  line: { exactMinor?: Big; tax: { rates: readonly { ratePercent: string }[] } } | undefined,
) {
  return taxOn(line?.exactMinor ?? new Big(0), line?.tax.rates[0]?.ratePercent ?? '0')
}

/** Every line bears every code; one answer where all are alike, as in an example that states but one. */
function taxPerCodeAndLine(inputs: Inputs) {
  const tax = taxedAt(...(inputs['rates_percent'] as unknown[]))
  const totals = totalsOf(
    linesOf(inputs).map((line) => ({ ...line, tax })),
    { mode: roundingModeOf(inputs['round']) },
  )
  const each = totals.lines.flatMap((line) => line.taxes.map(({ taxMinor }) => fromCents(taxMinor)))
  const isAlike = new Set(each.map((amount) => amount.toFixed())).size === 1
  return { ...namedTotals(totals), tax_per_code_and_line: isAlike ? each[0] : each }
}

function multiple({ inputs }: Vector) {
  const percents = (inputs['rates_percent'] as unknown[]).map(decimal)
  const [line] = linesOf(inputs)
  if (!line) return {}
  const taxWith = (...rates: Big[]) => totalsOf([{ ...line, tax: taxedAt(...rates) }])
  const totals = taxWith(...percents)
  const together = percents.reduce((sum, percent) => sum.plus(percent), new Big(0))
  return {
    ...namedTotals(totals),
    taxes: totals.lines[0]?.taxes.map(({ taxMinor }) => fromCents(taxMinor)),
    tax_on_total_rate: fromCents(taxWith(together).taxMinor),
  }
}

function roundingLevel({ inputs }: Vector) {
  if (has(inputs, 'fees_precise_cents')) return feesAndWallet(inputs)
  if (has(inputs, 'unit_amount')) return perItem(inputs)
  const lines = linesOf(inputs)
  const byLine = totalsOf(lines)
  return {
    per_line: fromCents(byLine.lines[0]?.taxMinor ?? 0),
    line_unrounded: inMajor(exactTax(lines[0])),
    tax_by_line: fromCents(byLine.taxMinor),
    tax_by_invoice: fromCents(totalsOf(lines, { rounding: 'document' }).taxMinor),
  }
}

function perItem(inputs: Inputs) {
  const tax = taxedAt(percentOf(inputs))
  const unit = inCents(decimal(inputs['unit_amount']))
  const quantity = decimal(inputs['quantity'])
  return {
    per_item_then_multiply: fromCents(totalsOf([lineOf(unit, tax)]).taxMinor).times(quantity),
    on_line_total: fromCents(totalsOf([lineOf(unit.times(quantity), tax)]).taxMinor),
  }
}

function feesAndWallet(inputs: Inputs) {
  const tax = taxedAt(percentOf(inputs))
  const fees = (inputs['fees_precise_cents'] as unknown[]).map((fee) => ({
    amountMinor: toCents(inMajor(decimal(fee))),
    tax,
  }))
  const totals = totalsOf(fees, { rounding: 'document' })
  const prepaidMinor = Number(inputs['wallet_cents'] ?? 0)
  const settlement = settle(totals.totalMinor, { prepaidMinor, balanceMinor: 0 })
  return {
    fees_cents: totals.netMinor,
    tax_cents: totals.taxMinor,
    total_with_tax_cents: totals.totalMinor,
    prepaid_cents: settlement.prepaidUsedMinor,
    total_cents: settlement.dueMinor,
    wallet_left_cents: settlement.prepaidLeftMinor,
  }
}

/** A French seller and a German business whose id was verified: who they are does not matter to the example. */
function reverseCharge({ inputs }: Vector) {
  const rate = { id: 'fr', country: 'FR', region: null, category: 'standard', name: 'VAT', ratePercent: '20' }
  const tax = determineTax(
    {
      seller: { country: 'FR' },
      buyer: {
        country: 'DE',
        region: null,
        isBusiness: true,
        taxId: 'DE123456789',
        isTaxIdVerified: true,
        exemption: null,
      },
      category: 'standard',
      on: '2026-01-01',
    },
    [{ ...rate, startsOn: null, endsOn: null }],
  )
  return namedTotals(totalsOf(linesOf(inputs).map((line) => ({ ...line, tax }))))
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'tax.exclusive': exclusive,
  'tax.inclusive': inclusive,
  'tax.line_rounding': lineRounding,
  'tax.multiple': multiple,
  'tax.rounding_level': roundingLevel,
  'tax.reverse_charge': reverseCharge,
}
