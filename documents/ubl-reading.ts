import Big from 'big.js'
import { addDays } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { roundHalfAwayFromZero } from '#domain/money.ts'
import type { StatedDocument, StatedLine } from '#domain/stated-invoice.ts'
import type { SupplierDocumentParty, SupplierDocumentTax } from '#domain/supplier-invoice.ts'
import { taxCategories } from './ubl-tax-code.ts'
import { readXml, type XmlElement } from './xml-tree.ts'

const greatestName = 300

/** What a file says; the number of the document that it corrects, where it names one. */
export interface ReadUbl {
  readonly stated: Omit<StatedDocument, 'document' | 'corrects'>
  readonly corrects: string | null
}

/**
 * An invoice or credit note in UBL 2.1, as `writeUblInvoice` and others write it. What has no place here is left alone, since the file
 * itself is kept. Allowances and charges of the whole document are lines. Of inclusive prices UBL knows nothing, and how a supplier
 * rounds its tax it does not say: the sums are those of its taxes.
 * @throws `xml_malformed`, `ubl_unreadable` with what is missing
 */
export function readUblInvoice(xml: string): ReadUbl {
  const root = readXml(xml)
  const isCredit = root.name === 'CreditNote'
  if (!isCredit && root.name !== 'Invoice') throw unreadable(`it is a ${root.name}, no Invoice or CreditNote`)
  const currency = textAt(root, 'DocumentCurrencyCode')
  if (!/^[A-Z]{3}$/.test(currency)) throw unreadable(`${currency} is no currency`)
  const amount = amountReader(currency)
  const totals = childAt(root, 'LegalMonetaryTotal')
  const issuedOn = dayAt(root, 'IssueDate')
  const taxTotal = all(root, 'TaxTotal').find(
    (one) => find(one, 'TaxAmount')?.attributes.get('currencyID') === currency,
  )
  return {
    corrects: find(root, 'BillingReference', 'InvoiceDocumentReference', 'ID')?.text ?? null,
    stated: {
      kind: isCredit ? 'credit_note' : 'invoice',
      number: textAt(root, 'ID'),
      currency,
      issued_on: issuedOn,
      due_on: dueOf(root) ?? issuedOn,
      instalments: null,
      net_minor: amount(childAt(totals, 'TaxExclusiveAmount')),
      tax_minor: taxTotal === undefined ? 0 : amount(childAt(taxTotal, 'TaxAmount')),
      total_minor: amount(childAt(totals, 'TaxInclusiveAmount')),
      are_prices_inclusive: false,
      tax_rounding: 'line',
      purchase_order_reference: find(root, 'OrderReference', 'ID')?.text ?? null,
      seller: partyOf(root, 'AccountingSupplierParty'),
      buyer: partyOf(root, 'AccountingCustomerParty'),
      lines: [
        ...all(root, isCredit ? 'CreditNoteLine' : 'InvoiceLine').map((line) =>
          lineOf(line, isCredit, amount),
        ),
        ...all(root, 'AllowanceCharge').map((one) => allowanceOf(one, amount)),
      ],
      taxes: taxTotal === undefined ? [] : all(taxTotal, 'TaxSubtotal').map((part) => taxOf(part, amount)),
    },
  }
}

type ReadAmount = (element: XmlElement) => number

/** Amounts of another currency are none of this document. */
function amountReader(currency: string): ReadAmount {
  return (element) => {
    const stated = element.attributes.get('currencyID') ?? currency
    if (stated !== currency) throw unreadable(`${element.name} is in ${stated}, the document in ${currency}`)
    return roundHalfAwayFromZero(new Big(decimalOf(element)), currency)
  }
}

function dueOf(root: XmlElement): string | undefined {
  const due = find(root, 'DueDate') ?? find(root, 'PaymentMeans', 'PaymentDueDate')
  return due === undefined ? undefined : toDay(due)
}

function partyOf(root: XmlElement, name: string): SupplierDocumentParty {
  const party = find(root, name, 'Party')
  const textOf = (...path: string[]) => (party === undefined ? undefined : find(party, ...path)?.text)
  const lines = [
    textOf('PostalAddress', 'StreetName'),
    textOf('PostalAddress', 'AdditionalStreetName'),
    textOf('PostalAddress', 'AddressLine', 'Line'),
    [textOf('PostalAddress', 'PostalZone'), textOf('PostalAddress', 'CityName')].filter(Boolean).join(' '),
  ].filter(Boolean)
  return {
    name: (textOf('PartyLegalEntity', 'RegistrationName') ?? textOf('PartyName', 'Name') ?? '').slice(
      0,
      greatestName,
    ),
    address: lines.length === 0 ? null : lines.join('\n'),
    country: textOf('PostalAddress', 'Country', 'IdentificationCode') ?? null,
    taxId: textOf('PartyTaxScheme', 'CompanyID') ?? null,
  }
}

function categoryOf(of: XmlElement | undefined) {
  const code = of === undefined ? 'O' : textAt(of, 'ID')
  const percent = of === undefined ? undefined : find(of, 'Percent')
  return {
    tax_category: taxCategories.get(code) ?? code,
    tax_rate_percent: percent === undefined ? '0' : new Big(decimalOf(percent)).toFixed(),
  }
}

function lineOf(line: XmlElement, isCredit: boolean, amount: ReadAmount): StatedLine {
  const quantity = find(line, isCredit ? 'CreditedQuantity' : 'InvoicedQuantity')
  const price = find(line, 'Price', 'PriceAmount')
  const [start, end] = [find(line, 'InvoicePeriod', 'StartDate'), find(line, 'InvoicePeriod', 'EndDate')]
  return {
    description: find(line, 'Item', 'Name')?.text ?? find(line, 'Item', 'Description')?.text ?? '',
    quantity: quantity === undefined ? '1' : decimalOf(quantity),
    unit: quantity?.attributes.get('unitCode') ?? 'C62',
    unit_price: price === undefined ? null : decimalOf(price),
    // UBL names the last day, we the one after it.
    service_period:
      start === undefined || end === undefined
        ? null
        : { starts_on: toDay(start), ends_on: addDays(toDay(end), 1) },
    amount_minor: amount(childAt(line, 'LineExtensionAmount')),
    ...categoryOf(find(line, 'Item', 'ClassifiedTaxCategory')),
    product_code: find(line, 'Item', 'SellersItemIdentification', 'ID')?.text || null,
    subscription: null,
  }
}

function allowanceOf(one: XmlElement, amount: ReadAmount): StatedLine {
  const sign = textAt(one, 'ChargeIndicator') === 'true' ? 1 : -1
  return {
    description: find(one, 'AllowanceChargeReason')?.text ?? (sign > 0 ? 'Charge' : 'Allowance'),
    quantity: '1',
    unit: 'C62',
    unit_price: null,
    service_period: null,
    amount_minor: sign * amount(childAt(one, 'Amount')),
    ...categoryOf(find(one, 'TaxCategory')),
    product_code: null,
    subscription: null,
  }
}

function taxOf(part: XmlElement, amount: ReadAmount): SupplierDocumentTax {
  const { tax_category: category, tax_rate_percent: rate } = categoryOf(childAt(part, 'TaxCategory'))
  return {
    category,
    name: `${rate} %`,
    rate_percent: rate,
    base_minor: amount(childAt(part, 'TaxableAmount')),
    tax_minor: amount(childAt(part, 'TaxAmount')),
    note: find(part, 'TaxCategory', 'TaxExemptionReason')?.text ?? null,
  }
}

const all = (of: XmlElement, name: string) => of.children.filter((child) => child.name === name)

function find(of: XmlElement, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>(
    (found, name) => found?.children.find((child) => child.name === name),
    of,
  )
}

function childAt(of: XmlElement, name: string): XmlElement {
  const found = find(of, name)
  if (found === undefined) throw unreadable(`${of.name} has no ${name}`)
  return found
}

function textAt(of: XmlElement, name: string): string {
  const { text } = childAt(of, name)
  if (text === '') throw unreadable(`${name} of ${of.name} is empty`)
  return text
}

const dayAt = (of: XmlElement, name: string) => toDay(childAt(of, name))

function toDay({ name, text }: XmlElement): string {
  const day = text.slice(0, 10)
  if (/^(19|20)\d{2}-\d{2}-\d{2}$/.test(day) && isDay(day)) return day
  throw unreadable(`${name} is no day: ${text.slice(0, 40)}`)
}

function isDay(text: string): boolean {
  try {
    return Temporal.PlainDate.from(text).toString() === text
  } catch {
    return false
  }
}

function decimalOf({ name, text }: XmlElement): string {
  if (/^[+-]?\d{1,15}(\.\d{1,15})?$/.test(text)) return text.replace('+', '')
  throw unreadable(`${name} is no decimal: ${text.slice(0, 40)}`)
}

function unreadable(what: string): BusinessError {
  return new BusinessError('ubl_unreadable', `The file is not read: ${what}.`)
}
