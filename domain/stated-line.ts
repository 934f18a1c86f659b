import Big from 'big.js'
import { fieldError } from './errors.ts'
import { parseAmount, roundMinor } from './money.ts'
import type { StatedLine } from './stated-invoice.ts'
import type { SupplierDocumentTax } from './supplier-invoice.ts'

/** Lines as they are typed, with the taxes that they come to. */
export interface TypedLines {
  readonly lines: readonly StatedLine[]
  readonly taxes: readonly SupplierDocumentTax[]
  readonly tax_rounding: 'document' | 'line'
}

const category = (percent: Big) => (percent.eq(0) ? 'zero' : 'standard')

/**
 * Lines as a person types them, one a row: what it is; net; tax in percent; tax. Without a percentage there is no tax. Where a row
 * states its tax, every tax is the sum of its rows, as some suppliers round; otherwise it is the rate of what they come to.
 * @throws `field_invalid` at `/lines`, with the row
 * @example "Hosting; 100.00; 20" is one line of 100.00 and 20.00 of tax
 */
export function parseTypedLines(text: string, currency: string): TypedLines {
  const rows = text
    .split('\n')
    .map((row) => row.trim())
    .filter((row) => row !== '')
  const lines = rows.map((row, index) => parseRow(row, index + 1, currency))
  const isRoundedByLine = lines.some((line) => line.tax_minor !== undefined)
  const groups = [...Map.groupBy(lines, (line) => line.tax_rate_percent)].map(([rate, group]) => {
    const base_minor = group.reduce((sum, line) => sum + line.amount_minor, 0)
    const ofRate = (minor: number) => roundMinor(new Big(minor).times(rate).div(100))
    const ofLines = group.reduce((sum, line) => sum + (line.tax_minor ?? ofRate(line.amount_minor)), 0)
    const tax_minor = isRoundedByLine ? ofLines : ofRate(base_minor)
    const said = { category: category(new Big(rate)), name: `${rate} %`, rate_percent: rate }
    return { ...said, base_minor, tax_minor, note: null }
  })
  return { lines, taxes: groups, tax_rounding: isRoundedByLine ? 'line' : 'document' }
}

function parseRow(row: string, position: number, currency: string): StatedLine {
  const [description = '', net = '', rate = '0', tax, ...more] = row.split(';').map((cell) => cell.trim())
  const refuse = (what: string) => fieldError('/lines', 'field_invalid', `Row ${position}: ${what}.`)
  if (description === '' || net === '' || more.length > 0)
    throw refuse('it says what it is; its net; its tax in percent, and if need be its tax')
  if (!/^\d{1,2}(\.\d{1,6})?$|^100$/.test(rate)) throw refuse(`${rate} is no percentage from 0 to 100`)
  const amount = (cell: string) => {
    try {
      return parseAmount(cell, currency)
    } catch {
      throw refuse(`${cell} is no amount in ${currency}`)
    }
  }
  const percent = new Big(rate)
  return {
    description,
    quantity: '1',
    unit: 'piece',
    unit_price: null,
    service_period: null,
    amount_minor: amount(net),
    tax_category: category(percent),
    tax_rate_percent: percent.toFixed(),
    ...(tax === undefined ? {} : { tax_minor: amount(tax) }),
    product_code: null,
    subscription: null,
  }
}
