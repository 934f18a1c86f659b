import Big from 'big.js'
import { divide, roundMinor, roundToTotal, type RoundingMode } from '../money.ts'
import { taxOn, type AppliedTaxRate, type TaxCategory, type TaxDecision } from '../tax.ts'

/** A line before tax. With inclusive prices its amount holds the tax already. Negative lines are credits. */
export interface TaxableLine {
  readonly amountMinor: number
  readonly tax: TaxDecision
  /** The amount before the line was rounded, where tax is to be taken from it (exclusive prices only). */
  readonly exactMinor?: Big
}

export interface TotalsOptions {
  /**
   * Where tax is rounded: once per rate and document (the default of a seller), on each line, or once on the document's
   * whole tax. 3 lines of 6.99 at 20 percent bear 4.19, on each line 4.20.
   */
  readonly rounding: 'document' | 'line' | 'total'
  readonly arePricesInclusive: boolean
  /** Of an inclusive price the net is rounded and the tax is the rest, or the other way round. */
  readonly roundedFirst?: 'net' | 'tax'
  readonly mode?: RoundingMode
}

/** One rate's part of a line's tax, in the order of the line's decision. */
export interface LineTax extends AppliedTaxRate {
  readonly taxMinor: number
}

export interface LineAmounts {
  readonly netMinor: number
  readonly taxMinor: number
  readonly grossMinor: number
  readonly taxes: readonly LineTax[]
}

/** One entry of the breakdown: all lines of a category and rate. What is not taxed has a rate of 0 and the reason. */
export interface TaxTotal {
  readonly category: TaxCategory
  readonly name: string
  readonly ratePercent: string
  readonly baseMinor: number
  readonly taxMinor: number
  readonly note: string | null
}

export interface Totals<Line> {
  readonly lines: readonly (Line & LineAmounts)[]
  readonly taxes: readonly TaxTotal[]
  readonly netMinor: number
  readonly taxMinor: number
  readonly totalMinor: number
}

/**
 * Net, tax and total of a document, all in minor units. They add up exactly: net is the sum of the lines, tax the sum of
 * its breakdown and of the lines' parts, total is net plus tax; with inclusive prices the total is the sum of the prices.
 * Tax that was rounded for several lines at once is spread over them by largest remainder, so a line's own part may be
 * one minor unit beside its own rounding. Several rates of a line share one base.
 */
export function computeTotals<Line extends TaxableLine>(
  lines: readonly Line[],
  options: TotalsOptions,
): Totals<Line> {
  const amounts =
    options.rounding === 'line'
      ? lines.flatMap((line) => amountsOf([line], options))
      : amountsOf(lines, options)
  const computed = lines.map((line, index) => ({ ...line, ...(amounts[index] ?? nothing) }))
  const netMinor = sum(computed.map((line) => line.netMinor))
  const taxMinor = sum(computed.map((line) => line.taxMinor))
  return {
    lines: computed,
    taxes: breakdown(computed),
    netMinor,
    taxMinor,
    totalMinor: netMinor + taxMinor,
  }
}

const nothing: LineAmounts = { netMinor: 0, taxMinor: 0, grossMinor: 0, taxes: [] }

/** The amounts of lines that are rounded together. */
function amountsOf(lines: readonly TaxableLine[], options: TotalsOptions): LineAmounts[] {
  return options.arePricesInclusive ? inclusiveAmounts(lines, options) : exclusiveAmounts(lines, options)
}

/** A line's share of a rate, exact and as it is rounded with the shares of the others. */
interface RateShare {
  readonly lineIndex: number
  readonly rateIndex: number
  readonly rateKey: string
  readonly exact: Big
}

function exclusiveAmounts(lines: readonly TaxableLine[], options: TotalsOptions): LineAmounts[] {
  const shares = lines.flatMap((line, lineIndex) =>
    line.tax.rates.map((rate, rateIndex) => ({
      lineIndex,
      rateIndex,
      rateKey: keyOf(line.tax, rate),
      exact: taxOn(line.exactMinor ?? new Big(line.amountMinor), rate.ratePercent),
    })),
  )
  const roundTogether = options.rounding === 'total' ? () => '' : (share: RateShare) => share.rateKey
  const taxes = lines.map((line) => line.tax.rates.map(() => 0))
  for (const group of Map.groupBy(shares, roundTogether).values()) {
    const exact = group.map((share) => share.exact)
    const rounded = roundToTotal(exact, roundMinor(sumExact(exact), options.mode))
    for (const [index, { lineIndex, rateIndex }] of group.entries()) {
      const ofLine = taxes[lineIndex]
      if (ofLine) ofLine[rateIndex] = rounded[index] ?? 0
    }
  }
  return lines.map((line, index) => lineAmounts(line.tax, line.amountMinor, taxes[index] ?? []))
}

/** Lines that bear the same rates are rounded together: net = gross / (1 + rate), and the tax is the rest. */
function inclusiveAmounts(lines: readonly TaxableLine[], options: TotalsOptions): LineAmounts[] {
  const amounts: LineAmounts[] = lines.map(() => nothing)
  const entries = lines.map((line, index) => ({ line, index }))
  for (const group of Map.groupBy(entries, ({ line }) => ratesKeyOf(line.tax)).values()) {
    const tax = group[0]?.line.tax
    if (!tax) continue
    const grosses = group.map(({ line }) => line.amountMinor)
    const ofGroup = inclusiveGroup(grosses, tax, options)
    for (const [position, { index }] of group.entries()) amounts[index] = ofGroup[position] ?? nothing
  }
  return amounts
}

function inclusiveGroup(grosses: readonly number[], tax: TaxDecision, options: TotalsOptions): LineAmounts[] {
  const percent = sumExact(tax.rates.map((rate) => new Big(rate.ratePercent)))
  const exactNets = grosses.map((gross) => divide(new Big(gross).times(100), percent.plus(100)))
  const gross = sum(grosses)
  const exactNet = divide(new Big(gross).times(100), percent.plus(100))
  const netMinor =
    options.roundedFirst === 'tax'
      ? gross - roundMinor(new Big(gross).minus(exactNet), options.mode)
      : roundMinor(exactNet, options.mode)
  const nets = roundToTotal(exactNets, netMinor)
  const taxMinors = grosses.map((amount, index) => amount - (nets[index] ?? 0))
  const byRate = splitByRate(exactNets, taxMinors, tax)
  return nets.map((net, index) =>
    lineAmounts(
      tax,
      net,
      byRate.map((ofRate) => ofRate[index] ?? 0),
    ),
  )
}

/** Each rate's part of a group's tax, by line: all but the last by largest remainder, the last takes what is left. */
function splitByRate(exactNets: readonly Big[], taxMinors: readonly number[], tax: TaxDecision): number[][] {
  const exact = tax.rates.map((rate) => exactNets.map((net) => taxOn(net, rate.ratePercent)))
  const totals = roundToTotal(exact.map(sumExact), sum(taxMinors))
  const split: number[][] = []
  for (const [rateIndex, ofLines] of exact.entries()) {
    const isLast = rateIndex === exact.length - 1
    split.push(
      isLast
        ? taxMinors.map((minor, line) => minor - sum(split.map((ofRate) => ofRate[line] ?? 0)))
        : roundToTotal(ofLines, totals[rateIndex] ?? 0),
    )
  }
  return split
}

function lineAmounts(tax: TaxDecision, netMinor: number, taxMinors: readonly number[]): LineAmounts {
  const taxMinor = sum(taxMinors)
  const taxes = tax.rates.map((rate, index) => ({
    name: rate.name,
    ratePercent: rate.ratePercent,
    taxMinor: taxMinors[index] ?? 0,
  }))
  return { netMinor, taxMinor, grossMinor: netMinor + taxMinor, taxes }
}

/** Entries in the order in which the lines first name them. */
function breakdown(lines: readonly (TaxableLine & LineAmounts)[]): TaxTotal[] {
  const entries = lines.flatMap((line) =>
    line.tax.rates.length === 0
      ? [entryOf(line, { name: '', ratePercent: '0', taxMinor: 0 })]
      : line.taxes.map((tax) => entryOf(line, tax)),
  )
  const groups = Map.groupBy(entries, ({ key }) => key).values()
  return [...groups].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const baseMinor = sum(group.map(({ total }) => total.baseMinor))
    return [{ ...first.total, baseMinor, taxMinor: sum(group.map(({ total }) => total.taxMinor)) }]
  })
}

function entryOf(line: TaxableLine & LineAmounts, tax: LineTax): { key: string; total: TaxTotal } {
  const { category, note } = line.tax
  return { key: keyOf(line.tax, tax), total: { category, note, ...tax, baseMinor: line.netMinor } }
}

function keyOf(tax: TaxDecision, rate: AppliedTaxRate): string {
  return JSON.stringify([tax.category, rate.name, new Big(rate.ratePercent).toFixed(), tax.note])
}

function ratesKeyOf(tax: TaxDecision): string {
  return JSON.stringify([tax.category, tax.note, tax.rates.map((rate) => keyOf(tax, rate))])
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function sumExact(values: readonly Big[]): Big {
  return values.reduce((total, value) => total.plus(value), new Big(0))
}
