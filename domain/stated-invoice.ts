import Big from 'big.js'
import { fieldError } from './errors.ts'
import { spread } from './money.ts'
import {
  findDisagreement,
  type SupplierDocument,
  type SupplierDocumentLine,
  type SupplierDocumentTax,
} from './supplier-invoice.ts'

/** A line as it is printed; its tax may be left to that of its rate. */
export type StatedLine = Omit<SupplierDocumentLine, 'tax_minor'> & { readonly tax_minor?: number | undefined }

/**
 * A supplier's document as somebody reads it off: the fields of a message, with the amounts of a credit note above 0, as they are
 * printed.
 */
export type StatedDocument = Omit<SupplierDocument, 'lines'> & { readonly lines: readonly StatedLine[] }

/**
 * What is kept of a document that was read off: as if its supplier had sent it. A line that states no tax bears its share of the tax
 * of its category and rate, by largest remainder.
 *
 * A document that a person wrote down and that does not add up is refused: either it was misread, or the supplier has to send
 * a right one.
 * @param agreed the currency in which the supplier bills
 * @throws `sums_disagree` at the field that says another sum than its parts
 */
export function toSupplierDocument(stated: StatedDocument, agreed: string): SupplierDocument {
  const sign = stated.kind === 'credit_note' ? -1 : 1
  const taxOf = taxesOfLines(stated)
  // Not minus 0, which is another text than 0.
  const signed = (amountMinor: number) => sign * amountMinor + 0
  const document: SupplierDocument = {
    ...stated,
    lines: stated.lines.map((line, index) => ({
      ...line,
      amount_minor: signed(line.amount_minor),
      tax_minor: signed(line.tax_minor ?? taxOf.get(index) ?? 0),
    })),
    taxes: stated.taxes.map((part) => ({
      ...part,
      base_minor: signed(part.base_minor),
      tax_minor: signed(part.tax_minor),
    })),
  }
  const wrong = findDisagreement(document, agreed) ?? findWrongBase(stated)
  if (wrong !== null) throw fieldError(wrong.pointer, 'sums_disagree', `It does not add up: ${wrong.detail}.`)
  return document
}

const isOf = (line: StatedLine, { category, rate_percent: rate }: SupplierDocumentTax) =>
  line.tax_category === category && new Big(line.tax_rate_percent).eq(rate)

/** Of each line that states none, by its index: what of its rate's tax the others have left. */
function taxesOfLines({ lines, taxes }: StatedDocument): Map<number, number> {
  const found = new Map<number, number>()
  for (const part of taxes) {
    const own = lines.map((line, index) => ({ line, index })).filter(({ line }) => isOf(line, part))
    const silent = own.filter(({ line }) => line.tax_minor === undefined)
    const said = own.reduce((sum, { line }) => sum + (line.tax_minor ?? 0), 0)
    const shares = spread(
      part.tax_minor - said,
      silent.map(({ line }) => new Big(line.amount_minor)),
    )
    for (const [position, { index }] of silent.entries()) found.set(index, shares[position] ?? 0)
  }
  return found
}

/** Each tax is of its lines; where prices hold their tax, what is left of them is the base, and the sums tell. */
function findWrongBase(stated: StatedDocument): { pointer: string; detail: string } | null {
  if (stated.are_prices_inclusive) return null
  for (const [index, part] of stated.taxes.entries()) {
    const base = stated.lines
      .filter((line) => isOf(line, part))
      .reduce((sum, line) => sum + line.amount_minor, 0)
    if (base !== part.base_minor)
      return {
        pointer: `/taxes/${index}/base_minor`,
        detail: `the lines of ${part.name} come to ${base}, its base says ${part.base_minor}`,
      }
  }
  return null
}
