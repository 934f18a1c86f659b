import Big from 'big.js'
import { BusinessError } from '../errors.ts'
import { divide, roundMinor, roundToTotal, spread } from '../money.ts'
import { taxOn } from '../tax.ts'
import type { LineAmounts, LineTax } from './totals.ts'

/** A line of a finalized invoice, amounts in minor units. */
export interface CreditableLine {
  readonly id: string
  readonly quantity: string
  readonly netMinor: number
  readonly taxes: readonly LineTax[]
}

/** A line of a credit note: amounts have the sign opposite to the line they credit. */
export interface CreditLine extends LineAmounts {
  readonly lineId: string
  /** How much of the line's quantity is taken back; null when an amount was. */
  readonly quantity: string | null
}

/**
 * What to credit, net of tax: all that is left, amounts or quantities of lines, or an amount of the document, which is
 * spread over its lines by what is left of them. Amounts are in minor units and have the sign of their line.
 */
export type CreditRequest =
  | { readonly kind: 'full' }
  | { readonly kind: 'lines'; readonly lines: readonly LineCredit[] }
  | { readonly kind: 'amount'; readonly netMinor: number }

export type LineCredit =
  | { readonly lineId: string; readonly netMinor: number }
  | { readonly lineId: string; readonly quantity: string }

/**
 * The lines of a credit note, each with its tax. A note's tax is rounded once per rate; what takes the last of a line
 * takes the rest of its tax, so that the notes of an invoice mirror it to the cent and never exceed it: 726.86 and 42.14 of
 * 769.00 at 20 percent are credited 145.37 and 8.43, together the invoice's 153.80.
 * @param credited lines of the notes that were made before
 * @throws `credit_exceeds_invoice` when more is asked than is left, or nothing is
 */
export function creditLines(
  lines: readonly CreditableLine[],
  request: CreditRequest,
  credited: readonly CreditLine[],
): CreditLine[] {
  const left = lines.map((line) => whatIsLeft(line, credited))
  const parts = partsOf(left, request)
  if (parts.length === 0) throw new BusinessError('credit_exceeds_invoice', 'Nothing is left to credit.')
  const taxes = taxesOf(parts)
  return parts.map(({ left: { line }, netMinor, quantity }, index) => {
    const ofLine = taxes[index] ?? []
    const taxMinor = sum(ofLine)
    return {
      lineId: line.id,
      quantity,
      netMinor: -netMinor,
      taxMinor: negated(taxMinor),
      grossMinor: -netMinor - taxMinor,
      taxes: line.taxes.map((tax, rate) => ({ ...tax, taxMinor: negated(ofLine[rate] ?? 0) })),
    }
  })
}

interface Left {
  readonly line: CreditableLine
  readonly netMinor: number
  readonly taxMinors: readonly number[]
  readonly creditedQuantity: Big
}

interface Part {
  readonly left: Left
  readonly netMinor: number
  readonly quantity: string | null
}

function whatIsLeft(line: CreditableLine, credited: readonly CreditLine[]): Left {
  const before = credited.filter(({ lineId }) => lineId === line.id)
  return {
    line,
    netMinor: line.netMinor + sum(before.map((credit) => credit.netMinor)),
    taxMinors: line.taxes.map(
      ({ taxMinor }, rate) => taxMinor + sum(before.map((credit) => credit.taxes[rate]?.taxMinor ?? 0)),
    ),
    creditedQuantity: before.reduce((total, { quantity }) => total.plus(quantity ?? 0), new Big(0)),
  }
}

function partsOf(left: readonly Left[], request: CreditRequest): Part[] {
  switch (request.kind) {
    case 'full':
      return left
        .filter(({ netMinor, taxMinors }) => netMinor !== 0 || taxMinors.some((taxMinor) => taxMinor !== 0))
        .map((of) => ({ left: of, netMinor: of.netMinor, quantity: null }))
    case 'amount':
      return partsOfAmount(left, request.netMinor)
    case 'lines':
      return partsOfLines(left, request.lines)
  }
}

function partsOfAmount(left: readonly Left[], netMinor: number): Part[] {
  const positive = left.filter((of) => of.netMinor > 0)
  if (netMinor <= 0 || netMinor > sum(positive.map((of) => of.netMinor))) throw exceeds()
  const shares = spread(
    netMinor,
    positive.map((of) => new Big(of.netMinor)),
  )
  return positive
    .map((of, index) => ({ left: of, netMinor: shares[index] ?? 0, quantity: null }))
    .filter((part) => part.netMinor !== 0)
}

/** Credits of one line in one request come one after the other, as if each were a note of its own. */
function partsOfLines(left: readonly Left[], credits: readonly LineCredit[]): Part[] {
  const parts: Part[] = []
  for (const credit of credits) {
    const of = left.find(({ line }) => line.id === credit.lineId)
    if (!of) throw new BusinessError('not_found', `The invoice has no line ${credit.lineId}.`)
    if (parts.some((part) => part.left === of)) {
      throw new BusinessError('field_invalid', `Line ${credit.lineId} is named twice.`)
    }
    const quantity = 'quantity' in credit ? credit.quantity : null
    const netMinor = 'quantity' in credit ? netOfQuantity(of, credit.quantity) : credit.netMinor
    if (netMinor === 0 || !isWithin(netMinor, of.netMinor)) throw exceeds()
    parts.push({ left: of, netMinor, quantity })
  }
  return parts
}

/** Counted from the line's whole quantity, so that quantities credited one by one sum to the line's amount. */
function netOfQuantity({ line, creditedQuantity }: Left, quantity: string): number {
  const until = creditedQuantity.plus(quantity)
  if (new Big(quantity).lte(0) || until.gt(line.quantity)) throw exceeds()
  const upTo = (share: Big) => roundMinor(divide(share.times(line.netMinor), new Big(line.quantity)))
  return upTo(until) - upTo(creditedQuantity)
}

function isWithin(amountMinor: number, leftMinor: number): boolean {
  return Math.sign(amountMinor) === Math.sign(leftMinor) && Math.abs(amountMinor) <= Math.abs(leftMinor)
}

function exceeds(): BusinessError {
  return new BusinessError('credit_exceeds_invoice', 'More is asked for than is left of the invoice.')
}

/** The tax of every part by the rates of its line. */
function taxesOf(parts: readonly Part[]): number[][] {
  const taxes = parts.map(({ left }) => [...left.taxMinors])
  const partial = parts.flatMap(({ left, netMinor }, index) =>
    netMinor === left.netMinor
      ? []
      : left.line.taxes.map((tax, rate) => ({
          index,
          rate,
          key: `${tax.name} ${tax.ratePercent}`,
          exact: taxOn(new Big(netMinor), tax.ratePercent),
        })),
  )
  for (const group of Map.groupBy(partial, ({ key }) => key).values()) {
    const exact = group.map((share) => share.exact)
    const rounded = roundToTotal(exact, roundMinor(exact.reduce((total, tax) => total.plus(tax), new Big(0))))
    for (const [position, { index, rate }] of group.entries()) {
      const ofPart = taxes[index]
      if (ofPart) ofPart[rate] = within(rounded[position] ?? 0, ofPart[rate] ?? 0)
    }
  }
  return taxes
}

/** No more tax than is left of the line, and none of the other sign. */
function within(taxMinor: number, leftMinor: number): number {
  return leftMinor >= 0
    ? Math.max(0, Math.min(taxMinor, leftMinor))
    : Math.min(0, Math.max(taxMinor, leftMinor))
}

function negated(amountMinor: number): number {
  return amountMinor === 0 ? 0 : -amountMinor
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
