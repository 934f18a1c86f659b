import Big from 'big.js'
import { computeTotals } from '#domain/invoice/totals.ts'
import { roundDecimal, roundMinor } from '#domain/money.ts'
import { sumOf } from '#domain/pricing/decimal.ts'
import {
  applyDiscounts,
  applyDiscountsExactly,
  type DiscountableLine,
  type Discount,
} from '#domain/pricing/discount.ts'
import type { TaxDecision } from '#domain/tax.ts'
import type { Adapter } from '../adapter.ts'
import { decimal, fromCents, toCents, type Inputs } from '../calendar-inputs.ts'

const document = { kind: 'document' } as const

function listOf(inputs: Inputs, name: string): readonly unknown[] {
  const value = inputs[name]
  if (!Array.isArray(value)) throw new Error(`${name} is no list`)
  return value
}

function wholeOf(inputs: Inputs): DiscountableLine {
  return { id: 'whole', productId: null, amountMinor: toCents(decimal(inputs['subtotal'])) }
}

const sequence: Adapter = ({ inputs }) => {
  const discounts = listOf(inputs, 'coupons_percent').map((percent, index): Discount => ({
    id: `${index}`,
    scope: document,
    percent: decimal(percent).toFixed(),
  }))
  const { applied } = applyDiscounts([wholeOf(inputs)], discounts)
  return { after: applied.map(({ afterMinor }) => fromCents(afterMinor)) }
}

const clamp: Adapter = ({ inputs }) => {
  const discounts = listOf(inputs, 'coupons').map((amount, index): Discount => ({
    id: `${index}`,
    scope: document,
    amountMinor: toCents(decimal(amount)),
  }))
  const { netMinor } = applyDiscounts([wholeOf(inputs)], discounts)
  const rate = inputs['tax_percent'] === 'any' ? '20' : decimal(inputs['tax_percent'] ?? 0).toFixed()
  const lines = netMinor.map((amountMinor) => ({ amountMinor, tax: taxAt(rate) }))
  const totals = computeTotals(lines, { rounding: 'document', arePricesInclusive: false })
  return {
    taxable: fromCents(totals.netMinor),
    tax: fromCents(totals.taxMinor),
    total: fromCents(totals.totalMinor),
  }
}

function taxAt(ratePercent: string): TaxDecision {
  const rates = [{ name: `${ratePercent} %`, ratePercent }]
  return { category: 'standard', rates, note: null, rule: 'same_country' }
}

/** `metrics m1,m2`: fees whose id ends so. `plan of s2`: fees whose id begins so. `all`: every fee. */
function lineIdsOf(scope: unknown, ids: readonly string[]): readonly string[] {
  const [, kind, names = ''] =
    /^(metrics?|plans?)(?:\s+of)?\s+(.+)$/.exec(typeof scope === 'string' ? scope : '') ?? []
  const wanted = names.split(',').map((name) => name.trim())
  if (kind?.startsWith('metric'))
    return ids.filter((id) => wanted.some((name) => id === name || id.endsWith(`.${name}`)))
  if (kind?.startsWith('plan')) return ids.filter((id) => wanted.some((name) => id.startsWith(`${name}.`)))
  if (scope === 'all' || scope === undefined || scope === null) return ids
  throw new Error(`no scope is called ${JSON.stringify(scope)}`)
}

const allocate: Adapter = ({ inputs }) => {
  const fees = listOf(inputs, 'fees_cents') as Inputs[]
  const coupons = listOf(inputs, 'coupons_cents') as Inputs[]
  const lines = fees.map((fee) => ({
    id: String(fee['id']),
    productId: null,
    amountMinor: Number(fee['amount']),
  }))
  const ids = lines.map(({ id }) => id)
  const discounts = coupons.map((coupon, index): Discount => {
    const lineIds = lineIdsOf(coupon['scope'], ids)
    return { id: `${index}`, scope: { kind: 'line', lineIds }, amountMinor: Number(coupon['amount']) }
  })
  const { applied, netMinor } = applyDiscountsExactly(lines, discounts)
  const taxable = netMinor.map((exactMinor, index) => ({
    amountMinor: roundMinor(exactMinor),
    exactMinor,
    tax: taxAt(decimal(fees[index]?.['tax'] ?? 0).toFixed()),
  }))
  const exclusive = { arePricesInclusive: false } as const
  const { taxMinor } = computeTotals(taxable, { rounding: 'total', ...exclusive })
  const net = sumOf(netMinor)
  return {
    shares_cents: ids.map((_, index) =>
      sumOf(applied.map(({ sharesMinor }) => toFiveDecimals(sharesMinor[index] ?? new Big(0)))),
    ),
    fee_taxes_cents: computeTotals(taxable, { rounding: 'line', ...exclusive }).lines.map(
      (line) => line.taxMinor,
    ),
    fees_cents: sumOf(lines.map(({ amountMinor }) => new Big(amountMinor))),
    coupons_cents: toFiveDecimals(sumOf(applied.map(({ amountMinor }) => amountMinor))),
    subtotal_ex_tax_cents: roundMinor(net),
    tax_cents: taxMinor,
    total_cents: sumOf([new Big(roundMinor(net)), new Big(taxMinor)]),
  }
}

/** The shares of each coupon are stated to five decimals. */
function toFiveDecimals(exact: Big): Big {
  return roundDecimal(exact, 5)
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'coupon.sequence': sequence,
  'coupon.clamp': clamp,
  'coupon.allocate': allocate,
}
