import Big from 'big.js'
import { roundDecimal } from './money.ts'
import { isStorable } from './storable-text.ts'

export interface SupplierDocumentLine {
  readonly description: string
  readonly quantity: string
  readonly unit: string
  readonly unit_price: string | null
  readonly service_period: { readonly starts_on: string; readonly ends_on: string } | null
  readonly amount_minor: number
  readonly tax_category: string
  readonly tax_rate_percent: string
  readonly tax_minor: number
  /** What it bills, as the supplier calls it: by these it is told here what the line is for. Left out by who sent before they were. */
  readonly product_code?: string | null | undefined
  readonly subscription?: string | null | undefined
}

export interface SupplierDocumentTax {
  readonly category: string
  readonly name: string
  readonly rate_percent: string
  readonly base_minor: number
  readonly tax_minor: number
  readonly note: string | null
}

/** A party as the document states it; what a reader does not know of it, it keeps. */
export interface SupplierDocumentParty {
  readonly name: string
  readonly [field: string]: unknown
}

/**
 * One finalized document as it goes from who bills to who is billed: the names are those of the message. Amounts in minor units
 * of its currency, decimals as text, dates without time. A reader of this version leaves alone what it does not know.
 */
export interface SupplierDocument {
  /** The supplier's own id of it: `inv_…`. */
  readonly document: string
  readonly kind: 'invoice' | 'credit_note'
  readonly number: string
  /** The document that a credit note corrects: `inv_…`. */
  readonly corrects: string | null
  readonly currency: string
  readonly issued_on: string
  readonly due_on: string
  readonly instalments: readonly { readonly due_on: string; readonly amount_minor: number }[] | null
  readonly net_minor: number
  readonly tax_minor: number
  readonly total_minor: number
  readonly are_prices_inclusive: boolean
  readonly tax_rounding: string
  readonly purchase_order_reference: string | null
  readonly seller: SupplierDocumentParty
  readonly buyer: SupplierDocumentParty
  readonly lines: readonly SupplierDocumentLine[]
  readonly taxes: readonly SupplierDocumentTax[]
}

/** As it was sent before lines named what they bill. What went out so goes out so again, if its answer was lost. */
export function withoutReferences(document: SupplierDocument): SupplierDocument {
  const lines = document.lines.map(({ product_code: _product, subscription: _subscription, ...line }) => line)
  return { ...document, lines }
}

const deepest = 20

/**
 * Whether a received value can be hashed and kept whole: text that a database takes, integers that are exact, and no deeper than any
 * document is. Looked at without recursion, so that depth alone harms nobody.
 */
export function isKeepable(received: unknown): boolean {
  const waiting: [unknown, number][] = [[received, 0]]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [value, depth] = next
    if (depth > deepest) return false
    if (typeof value === 'string' && !isStorable(value)) return false
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return false
    if (typeof value !== 'object' || value === null) continue
    for (const [name, inner] of Object.entries(value)) {
      if (!isStorable(name)) return false
      waiting.push([inner, depth + 1])
    }
  }
  return true
}

/**
 * Why the sums of a received document are not what they should be, or null where they are. It is told and stored beside the
 * document, never corrected: what the supplier wrote is what it claims.
 *
 * Checked: net plus tax is the total; the lines are the net; the lines' taxes and the taxes by
 * rate are the document's tax; instalments are the total; a tax that is rounded once per rate is that rate of its base.
 * @param agreed the currency in which the supplier bills
 * @example lines 40.00 and 9.99 under a net of 50.00: "the lines come to 4999, the net says 5000"
 */
export function disagreementOf(document: SupplierDocument, agreed: string): string | null {
  return findDisagreement(document, agreed)?.detail ?? null
}

/** The same, with the pointer of the field that says another sum: who writes a document down by hand can correct it. */
export function findDisagreement(
  document: SupplierDocument,
  agreed: string,
): { readonly pointer: string; readonly detail: string } | null {
  if (document.currency !== agreed)
    return { pointer: '/currency', detail: `it is in ${document.currency}, agreed is ${agreed}` }
  const wrong = claimsOf(document).find(({ found, claimed }) => found !== claimed)
  if (wrong === undefined) return null
  const { pointer, what, found, claim, claimed } = wrong
  return { pointer, detail: `${what} come to ${found}, ${claim} says ${claimed}` }
}

/** A sum of ours, and what the document says that it is, at `pointer`. */
interface Claim {
  readonly pointer: string
  readonly what: string
  readonly found: number
  readonly claim: string
  readonly claimed: number
}

function claimsOf(document: SupplierDocument): Claim[] {
  const { net_minor: net, tax_minor: tax, total_minor: total, lines, taxes, instalments } = document
  // A credit note says what it gives back; its lines and taxes are what they take from those that it corrects.
  const sign = document.kind === 'credit_note' ? -1 : 1
  const sumUp = (amounts: readonly number[]) => sign * sumOf(amounts)
  const ofTotal = { pointer: '/total_minor', claim: 'the total', claimed: total }
  const ofNet = { pointer: '/net_minor', claim: 'the net', claimed: net }
  const ofTax = { pointer: '/tax_minor', claim: 'the tax', claimed: tax }
  return [
    { ...ofTotal, what: 'net and tax', found: net + tax },
    { ...ofNet, what: 'the lines', found: sumUp(lines.map((line) => line.amount_minor)) },
    { ...ofTax, what: "the lines' taxes", found: sumUp(lines.map((line) => line.tax_minor)) },
    { ...ofTax, what: 'the taxes', found: sumUp(taxes.map((part) => part.tax_minor)) },
    ...taxes.flatMap((part, index) => rateClaim(document, part, index)),
    ...(instalments === null
      ? []
      : [
          {
            ...ofTotal,
            what: 'the instalments',
            found: sumOf(instalments.map((part) => part.amount_minor)),
          },
        ]),
  ]
}

/**
 * Where tax is rounded on each line or once on the whole, one rate alone cannot be checked; of inclusive prices the net is the rest;
 * a credit note gives back shares of what was charged.
 */
function rateClaim(document: SupplierDocument, part: SupplierDocumentTax, index: number): Claim[] {
  if (
    document.tax_rounding !== 'document' ||
    document.are_prices_inclusive ||
    document.kind === 'credit_note'
  )
    return []
  // Larger than an amount can be, it is not what the document says either.
  const exact = new Big(part.base_minor).times(part.rate_percent).div(100)
  const found = Number(roundDecimal(exact, 0).toFixed(0))
  const what = `${part.rate_percent} % of ${part.base_minor}`
  return [{ pointer: `/taxes/${index}/tax_minor`, what, found, claim: part.name, claimed: part.tax_minor }]
}

function sumOf(amounts: readonly number[]): number {
  return amounts.reduce((sum, amount) => sum + amount, 0)
}
