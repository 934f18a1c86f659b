import Big from 'big.js'
import { assert } from '#domain/assert.ts'
import { addDays } from '#domain/calendar.ts'
import { decimalAmount, roundHalfAwayFromZero } from '#domain/money.ts'
import type {
  SupplierDocument,
  SupplierDocumentLine,
  SupplierDocumentParty,
} from '#domain/supplier-invoice.ts'
import { taxCodes } from './ubl-tax-code.ts'
import { writeXml, type XmlNode } from './xml.ts'

/**
 * A finalized document as UBL 2.1, in the terms of EN 16931: what a machine reads of it. Whatever of our lines UBL has no words for
 * (prices by tiers, prices that hold their tax) is one line with its amount, whose description says the quantity.
 *
 * A credit note says what it gives back, so what is negative on ours is positive on it.
 * @param options the number of the document that this one corrects, and what of it was paid when it was finalized
 */
export function writeUblInvoice(
  document: SupplierDocument,
  options: { corrects: string | null; prepaidMinor: number },
): string {
  const isCredit = document.kind === 'credit_note'
  const root = isCredit ? 'CreditNote' : 'Invoice'
  const print: Print = {
    amount: (name, minor) => [
      name,
      decimalAmount(minor, document.currency),
      { currencyID: document.currency },
    ],
    sign: isCredit ? -1 : 1,
    currency: document.currency,
    lineNames: isCredit
      ? ['cac:CreditNoteLine', 'cbc:CreditedQuantity']
      : ['cac:InvoiceLine', 'cbc:InvoicedQuantity'],
  }
  return writeXml([
    root,
    [
      ...head(document, options.corrects),
      ...parties(document),
      ...sums(document, options.prepaidMinor, print),
      ...document.lines.map((line, index) => lineOf(line, { position: index + 1, document, print })),
    ],
    {
      xmlns: `urn:oasis:names:specification:ubl:schema:xsd:${root}-2`,
      'xmlns:cac': 'urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2',
      'xmlns:cbc': 'urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2',
    },
  ])
}

interface Print {
  readonly amount: (name: string, minor: number) => XmlNode
  readonly sign: 1 | -1
  readonly currency: string
  readonly lineNames: readonly [line: string, quantity: string]
}

type Nodes = (XmlNode | null)[]

const given = (name: string, text: unknown): XmlNode | null =>
  typeof text === 'string' && text.trim() !== '' ? [name, text] : null

function head(document: SupplierDocument, corrects: string | null): Nodes {
  const isCredit = document.kind === 'credit_note'
  const notes = [document.seller['note'], document.buyer['note'], ...document.taxes.map(({ note }) => note)]
  const reference: XmlNode | null =
    corrects === null
      ? null
      : ['cac:BillingReference', [['cac:InvoiceDocumentReference', [['cbc:ID', corrects]]]]]
  return [
    ['cbc:CustomizationID', 'urn:cen.eu:en16931:2017'],
    ['cbc:ID', document.number],
    ['cbc:IssueDate', document.issued_on],
    isCredit ? null : ['cbc:DueDate', document.due_on],
    isCredit ? ['cbc:CreditNoteTypeCode', '381'] : ['cbc:InvoiceTypeCode', '380'],
    ...[...new Set(notes)].map((note) => given('cbc:Note', note)),
    ['cbc:DocumentCurrencyCode', document.currency],
    given('cbc:BuyerReference', document.buyer['reference']),
    document.purchase_order_reference === null
      ? null
      : ['cac:OrderReference', [['cbc:ID', document.purchase_order_reference]]],
    reference,
  ]
}

function parties(document: SupplierDocument): Nodes {
  const isTaxed = document.lines.some((line) => categoryOf(line, document).code !== 'O')
  return [
    ['cac:AccountingSupplierParty', [party(document.seller, isTaxed)]],
    ['cac:AccountingCustomerParty', [party(document.buyer, isTaxed)]],
    ...paymentMeans(document),
    ...paymentTerms(document),
  ]
}

/** One group with one note is all that EN 16931 has for instalments. */
function paymentTerms({ instalments, currency }: SupplierDocument): Nodes {
  if (instalments === null) return []
  const dues = instalments.map(
    ({ due_on: dueOn, amount_minor: minor }) =>
      `${decimalAmount(minor, currency)} ${currency} due on ${dueOn}`,
  )
  return [['cac:PaymentTerms', [['cbc:Note', dues.join('; ')]]]]
}

/** Where nothing is subject to VAT no id of VAT may stand: the tax id then says only who it is. */
function party(of: SupplierDocumentParty, isTaxed: boolean): XmlNode {
  const address = typeof of['address'] === 'string' ? of['address'].split('\n') : []
  const [street, second, ...more] = address.filter((line) => line.trim() !== '')
  const rest = given('cbc:Line', more.join(', '))
  const country = given('cbc:IdentificationCode', of['country'])
  const taxId = isTaxed ? given('cbc:CompanyID', of['taxId']) : null
  const otherId = isTaxed ? null : given('cbc:ID', of['taxId'])
  const email = given('cbc:ElectronicMail', of['email'])
  return [
    'cac:Party',
    [
      otherId && ['cac:PartyIdentification', [otherId]],
      ['cac:PartyName', [['cbc:Name', of.name]]],
      [
        'cac:PostalAddress',
        [
          given('cbc:StreetName', street),
          given('cbc:AdditionalStreetName', second),
          rest && ['cac:AddressLine', [rest]],
          country && ['cac:Country', [country]],
        ],
      ],
      taxId && ['cac:PartyTaxScheme', [taxId, ['cac:TaxScheme', [['cbc:ID', 'VAT']]]]],
      [
        'cac:PartyLegalEntity',
        [['cbc:RegistrationName', of.name], given('cbc:CompanyID', of['registration'])],
      ],
      email && ['cac:Contact', [email]],
    ],
  ]
}

function paymentMeans({ kind, number, seller }: SupplierDocument): Nodes {
  const account = seller['bankAccount']
  if (kind === 'credit_note' || typeof account !== 'object' || account === null) return []
  const { iban, bic, name } = account as Record<string, unknown>
  const branch = given('cbc:ID', bic)
  return [
    [
      'cac:PaymentMeans',
      [
        ['cbc:PaymentMeansCode', '30'],
        ['cbc:PaymentID', number],
        [
          'cac:PayeeFinancialAccount',
          [
            given('cbc:ID', iban),
            given('cbc:Name', name),
            branch && ['cac:FinancialInstitutionBranch', [branch]],
          ],
        ],
      ],
    ],
  ]
}

function sums(document: SupplierDocument, prepaidMinor: number, print: Print): Nodes {
  const { net_minor: net, tax_minor: tax, total_minor: total } = document
  return [
    ['cac:TaxTotal', [print.amount('cbc:TaxAmount', tax), ...subtotals(document, print)]],
    [
      'cac:LegalMonetaryTotal',
      [
        print.amount('cbc:LineExtensionAmount', net),
        print.amount('cbc:TaxExclusiveAmount', net),
        print.amount('cbc:TaxInclusiveAmount', total),
        prepaidMinor === 0 ? null : print.amount('cbc:PrepaidAmount', prepaidMinor),
        print.amount('cbc:PayableAmount', total - prepaidMinor),
      ],
    ],
  ]
}

/**
 * By what lines say: two taxes on the same lines, as of a country and its region, are one rate there, and each sum of tax is of the
 * lines of one rate.
 */
function subtotals(document: SupplierDocument, { amount, sign }: Print): XmlNode[] {
  const groups = Map.groupBy(document.lines, (line) => {
    const { code, percent } = categoryOf(line, document)
    return `${code} ${percent}`
  })
  return [...groups.values()].map((lines) => {
    const [first] = lines
    assert(first, 'a group has a line')
    const { category, code, percent } = categoryOf(first, document)
    const note = document.taxes.find((tax) => tax.category === category)?.note ?? reasons.get(code) ?? null
    return [
      'cac:TaxSubtotal',
      [
        amount('cbc:TaxableAmount', sign * sumOf(lines, (line) => line.amount_minor)),
        amount('cbc:TaxAmount', sign * sumOf(lines, (line) => line.tax_minor)),
        taxCategory('cac:TaxCategory', { code, percent, note }),
      ],
    ]
  })
}

function sumOf<T>(of: readonly T[], amountOf: (one: T) => number): number {
  return of.reduce((sum, one) => sum + amountOf(one), 0)
}

/** Why there is no tax, where the document does not say it: EN 16931 asks for a reason of these. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['E', 'Exempt from tax'],
  ['AE', 'Reverse charge'],
  ['O', 'Not subject to VAT'],
])

/** What is said without an amount has no tax of its own, and bears the first of the document: none may stand beside "out of scope". */
function categoryOf(line: SupplierDocumentLine, { lines }: SupplierDocument) {
  const isText = line.tax_category === 'out_of_scope' && line.amount_minor === 0
  const { tax_category: category, tax_rate_percent: rate } =
    (isText ? lines.find((other) => other.tax_category !== 'out_of_scope') : undefined) ?? line
  return { category, code: taxCodes.get(category) ?? 'O', percent: new Big(rate).toFixed() }
}

function taxCategory(name: string, of: { code: string; percent: string; note: string | null }): XmlNode {
  const { code, percent, note } = of
  return [
    name,
    [
      ['cbc:ID', code],
      code === 'O' ? null : ['cbc:Percent', percent],
      code === 'S' || code === 'Z' ? null : given('cbc:TaxExemptionReason', note),
      ['cac:TaxScheme', [['cbc:ID', 'VAT']]],
    ],
  ]
}

function lineOf(
  line: SupplierDocumentLine,
  { position, document, print }: { position: number; document: SupplierDocument; print: Print },
): XmlNode {
  const amountMinor = print.sign * line.amount_minor
  const { quantity, price, isWhole } = priceOf(line, amountMinor, print.currency)
  const period = line.service_period
  const [name, quantityName] = print.lineNames
  return [
    name,
    [
      ['cbc:ID', String(position)],
      isWhole ? ['cbc:Note', `${line.quantity} ${line.unit}`] : null,
      [quantityName, quantity, { unitCode: 'C62' }],
      print.amount('cbc:LineExtensionAmount', amountMinor),
      period && [
        'cac:InvoicePeriod',
        [
          ['cbc:StartDate', period.starts_on],
          ['cbc:EndDate', addDays(period.ends_on, -1)],
        ],
      ],
      [
        'cac:Item',
        [
          ['cbc:Name', line.description],
          taxCategory('cac:ClassifiedTaxCategory', { ...categoryOf(line, document), note: null }),
        ],
      ],
      ['cac:Price', [['cbc:PriceAmount', price, { currencyID: print.currency }]]],
    ],
  ]
}

/** Quantity times price is the amount, and no price is below nothing: where ours is another sum, the line is one of its amount. */
function priceOf(line: SupplierDocumentLine, amountMinor: number, currency: string) {
  const sign = amountMinor < 0 ? -1 : 1
  const quantity = new Big(line.quantity).abs()
  const price = line.unit_price === null ? null : new Big(line.unit_price).abs()
  if (price !== null && roundHalfAwayFromZero(quantity.times(price), currency) === Math.abs(amountMinor))
    return { quantity: quantity.times(sign).toFixed(), price: price.toFixed(), isWhole: false }
  const whole = decimalAmount(Math.abs(amountMinor), currency)
  return { quantity: String(sign), price: whole, isWhole: true }
}
