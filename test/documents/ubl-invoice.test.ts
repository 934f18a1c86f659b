import assert from 'node:assert/strict'
import test from 'node:test'
import { writeUblInvoice } from '#documents/ubl-invoice.ts'
import { readXml, type XmlElement } from '#documents/xml-tree.ts'
import { supplierDocument } from '#test/support/peer.ts'

const options = { corrects: null, prepaidMinor: 0 }
const [line] = supplierDocument().lines
const [tax] = supplierDocument().taxes
assert.ok(line && tax)

/** The texts of an element, wherever it stands. */
const textsOf = (xml: string, name: string) =>
  [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`, 'g'))].map(([, text]) => text)

test('an invoice says number, dates, currency, lines, tax by rate and totals', () => {
  const xml = writeUblInvoice(supplierDocument(), options)
  assert.match(
    xml,
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/,
  )
  const said = (name: string) => textsOf(xml, `cbc:${name}`)
  assert.deepEqual(
    [said('IssueDate'), said('DueDate'), said('DocumentCurrencyCode'), said('InvoiceTypeCode')],
    [['2026-03-01'], ['2026-03-15'], ['USD'], ['380']],
  )
  assert.equal(said('ID')[0], 'UP-1')
  assert.deepEqual(
    [said('InvoicedQuantity'), said('PriceAmount'), said('StartDate'), said('EndDate')],
    [['1'], ['10'], ['2026-03-01'], ['2026-03-31']],
  )
  assert.deepEqual(said('LineExtensionAmount'), ['10.00', '10.00'])
  assert.deepEqual(
    [said('TaxableAmount'), said('TaxAmount'), said('Percent')],
    [['10.00'], ['2.00', '2.00'], ['20', '20']],
  )
  assert.deepEqual(
    [said('TaxInclusiveAmount'), said('PayableAmount'), said('PrepaidAmount')],
    [['12.00'], ['12.00'], []],
  )
  assert.equal(xml.includes('currencyID="USD"'), true)
})

test('a credit note says what it gives back as more than nothing, and which invoice it corrects', () => {
  const note = supplierDocument({
    kind: 'credit_note',
    number: 'CN-1',
    lines: [{ ...line, amount_minor: -1_000, tax_minor: -200 }],
    taxes: [{ ...tax, base_minor: -1_000, tax_minor: -200 }],
  })
  const xml = writeUblInvoice(note, { ...options, corrects: 'UP-1' })
  assert.match(xml, /<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"/)
  assert.match(xml, /<cac:InvoiceDocumentReference>\s*<cbc:ID>UP-1<\/cbc:ID>/)
  for (const name of ['LineExtensionAmount', 'TaxableAmount', 'TaxAmount', 'PayableAmount'])
    for (const amount of textsOf(xml, `cbc:${name}`)) assert.ok(Number(amount) > 0, `${name} ${amount}`)
  assert.deepEqual([textsOf(xml, 'cbc:CreditedQuantity'), textsOf(xml, 'cbc:DueDate')], [['1'], []])
})

test('a line whose amount is not quantity times price is one of its amount, and says the quantity beside it', () => {
  const of = (different: object) =>
    writeUblInvoice(supplierDocument({ lines: [{ ...line, ...different }] }), options)
  for (const different of [
    { unit_price: null, quantity: '7' },
    { unit_price: '2.00', quantity: '7' },
  ]) {
    const xml = of(different)
    assert.deepEqual(
      [textsOf(xml, 'cbc:InvoicedQuantity'), textsOf(xml, 'cbc:PriceAmount')],
      [['1'], ['10.00']],
    )
    assert.deepEqual(textsOf(xml, 'cbc:Note'), ['7 month'])
  }
  const back = of({ amount_minor: -1_000, unit_price: '10.00', quantity: '1' })
  assert.deepEqual(
    [textsOf(back, 'cbc:InvoicedQuantity'), textsOf(back, 'cbc:PriceAmount')],
    [['-1'], ['10']],
  )
  const parts = of({ quantity: '2.5', unit_price: '4.00' })
  assert.deepEqual(
    [textsOf(parts, 'cbc:InvoicedQuantity'), textsOf(parts, 'cbc:PriceAmount')],
    [['2.5'], ['4']],
  )
})

test('what was paid when it was finalized is taken from what is to pay', () => {
  const xml = writeUblInvoice(supplierDocument(), { ...options, prepaidMinor: 300 })
  assert.deepEqual(
    [textsOf(xml, 'cbc:PrepaidAmount'), textsOf(xml, 'cbc:PayableAmount')],
    [['3.00'], ['9.00']],
  )
})

test('amounts have the decimals of their currency', () => {
  const yen = supplierDocument({ currency: 'JPY' })
  assert.deepEqual(textsOf(writeUblInvoice(yen, options), 'cbc:PayableAmount'), ['1200'])
})

test('parties say their address, tax id, registration and account; what nobody knows is left out', () => {
  const seller = {
    name: 'Upstream & Sons <Ltd>',
    address: '1 High Street\nUnit 2\n\nTown',
    country: 'DE',
    taxId: 'DE123',
    registration: 'HRB 1',
    email: 'bill@upstream.example',
    bankAccount: { iban: 'DE02', bic: 'BIC', name: null },
    note: 'Thanks\u0001.',
  }
  const xml = writeUblInvoice(supplierDocument({ seller }), options)
  assert.ok(xml.includes('<cbc:Name>Upstream &amp; Sons &lt;Ltd&gt;</cbc:Name>'))
  const said = (name: string) => textsOf(xml, `cbc:${name}`)
  assert.deepEqual(
    [said('StreetName'), said('AdditionalStreetName'), said('Line')],
    [['1 High Street'], ['Unit 2'], ['Town']],
  )
  assert.deepEqual(
    [said('CompanyID'), said('PaymentID'), said('Note')],
    [['DE123', 'HRB 1'], ['UP-1'], ['Thanks.']],
  )
  assert.match(xml, /<cac:PayeeFinancialAccount>\s*<cbc:ID>DE02<\/cbc:ID>\s*<cac:FinancialInstitutionBranch>/)
})

test('tax that is not charged says why', () => {
  const free = { tax_category: 'reverse_charge', tax_rate_percent: '0', tax_minor: 0 }
  const xml = writeUblInvoice(
    supplierDocument({
      lines: [{ ...line, ...free }],
      taxes: [
        {
          category: 'reverse_charge',
          name: 'VAT',
          rate_percent: '0',
          base_minor: 1_000,
          tax_minor: 0,
          note: 'Reverse charge',
        },
      ],
    }),
    options,
  )
  assert.match(
    xml,
    /<cbc:ID>AE<\/cbc:ID>\s*<cbc:Percent>0<\/cbc:Percent>\s*<cbc:TaxExemptionReason>Reverse charge</,
  )
})

const seller = {
  name: 'Upstream',
  address: '1 High Street\nUnit 2\nTown\nCounty',
  country: 'DE',
  taxId: 'DE123',
  registration: 'HRB 1',
  email: 'bill@upstream.example',
  bankAccount: { iban: 'DE02', bic: 'BIC', name: 'Upstream' },
  note: 'Thanks.',
}
const buyer = { name: 'Downstream', country: 'FR', taxId: 'FR123', reference: 'REF 7' }
const untaxed = { tax_category: 'out_of_scope', tax_rate_percent: '0', tax_minor: 0 }
const noTax = { ...tax, category: 'out_of_scope', rate_percent: '0', tax_minor: 0 }

test('two taxes on the same lines are one rate, so that what is taxed at it is the sum of its lines', () => {
  const both = { ...line, tax_rate_percent: '14.975', tax_minor: 150 }
  const region = supplierDocument({
    lines: [both, { ...line, tax_rate_percent: '5.0', tax_minor: 50 }],
    taxes: [
      { ...tax, name: 'GST', rate_percent: '5', base_minor: 2_000, tax_minor: 100 },
      { ...tax, name: 'QST', rate_percent: '9.975', tax_minor: 100 },
    ],
    tax_minor: 200,
  })
  const xml = writeUblInvoice(region, options)
  assert.deepEqual(textsOf(xml, 'cbc:TaxableAmount'), ['10.00', '10.00'])
  assert.deepEqual(textsOf(xml, 'cbc:TaxAmount'), ['2.00', '1.50', '0.50'])
  assert.deepEqual(textsOf(xml, 'cbc:Percent'), ['14.975', '5', '14.975', '5'])
})

test('what is not subject to tax says so, and no party is named by an id of VAT', () => {
  const xml = writeUblInvoice(
    supplierDocument({ seller, buyer, lines: [{ ...line, ...untaxed }], taxes: [noTax] }),
    options,
  )
  assert.deepEqual(textsOf(xml, 'cbc:TaxExemptionReason'), ['Not subject to VAT'])
  assert.equal(xml.includes('cac:PartyTaxScheme'), false)
  assert.match(xml, /<cac:PartyIdentification>\s*<cbc:ID>DE123</)
})

test('a line without an amount bears a tax of the document, and instalments are one text', () => {
  const text = { ...line, ...untaxed, amount_minor: 0, quantity: '0', unit_price: null }
  const instalments = [
    { due_on: '2026-03-15', amount_minor: 600 },
    { due_on: '2026-04-15', amount_minor: 600 },
  ]
  const xml = writeUblInvoice(supplierDocument({ lines: [text, line], instalments }), options)
  assert.deepEqual(textsOf(xml, 'cbc:Percent'), ['20', '20', '20'])
  assert.deepEqual(
    [...xml.matchAll(/<cac:PaymentTerms>\s*<cbc:Note>([^<]*)</g)].map(([, note]) => note),
    ['6.00 USD due on 2026-03-15; 6.00 USD due on 2026-04-15'],
  )
})

/** Of UBL 2.1, the order of what we write: an element out of its place is refused by its schema. What may repeat ends in `*`. */
const head =
  'CustomizationID ID IssueDate DueDate InvoiceTypeCode CreditNoteTypeCode Note* DocumentCurrencyCode BuyerReference OrderReference BillingReference AccountingSupplierParty AccountingCustomerParty PaymentMeans PaymentTerms TaxTotal LegalMonetaryTotal'
const lineOrder =
  'ID Note InvoicedQuantity CreditedQuantity LineExtensionAmount InvoicePeriod TaxTotal Item Price'
const category = 'ID Percent TaxExemptionReason TaxScheme'
const orders: Readonly<Record<string, string>> = {
  Invoice: `${head} InvoiceLine*`,
  CreditNote: `${head} CreditNoteLine*`,
  Party: 'PartyIdentification PartyName PostalAddress PartyTaxScheme PartyLegalEntity Contact',
  PostalAddress: 'StreetName AdditionalStreetName AddressLine Country',
  PartyTaxScheme: 'CompanyID TaxScheme',
  PartyLegalEntity: 'RegistrationName CompanyID',
  PaymentMeans: 'PaymentMeansCode PaymentID PayeeFinancialAccount',
  PayeeFinancialAccount: 'ID Name FinancialInstitutionBranch',
  TaxTotal: 'TaxAmount TaxSubtotal*',
  TaxSubtotal: 'TaxableAmount TaxAmount TaxCategory',
  TaxCategory: category,
  ClassifiedTaxCategory: category,
  LegalMonetaryTotal: 'LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount PrepaidAmount PayableAmount',
  InvoiceLine: lineOrder,
  CreditNoteLine: lineOrder,
  InvoicePeriod: 'StartDate EndDate',
  Item: 'Name ClassifiedTaxCategory',
}

function checkOrder({ name, children, text }: XmlElement): void {
  const order = (orders[name] ?? children.map((child) => child.name).join(' ')).split(' ')
  const places = children.map((child) => order.findIndex((one) => one.replace('*', '') === child.name))
  for (const [index, place] of places.entries()) {
    const isInPlace = place > (places[index - 1] ?? -1) || order[place] === `${children[index]?.name}*`
    assert.ok(isInPlace && place >= (places[index - 1] ?? 0), `${children[index]?.name} of ${name}`)
  }
  assert.ok(children.length > 0 || text !== '', `${name} is empty`)
  for (const child of children) checkOrder(child)
}

test('each element stands where the schema of UBL 2.1 has it, once, and none is empty', () => {
  const all = { seller, buyer, purchase_order_reference: 'PO 1' }
  const instalments = [{ due_on: '2026-03-15', amount_minor: 1_200 }]
  const exempt = { ...line, tax_category: 'exempt', tax_rate_percent: '0', unit_price: null }
  const credit = { kind: 'credit_note', number: 'CN-1' } as const
  for (const different of [
    { seller: { name: 'Upstream', country: 'DE' }, buyer: { name: 'Downstream', country: 'FR' } },
    all,
    { ...all, instalments, lines: [line, exempt, { ...line, service_period: null }] },
    { ...all, lines: [{ ...line, ...untaxed }], taxes: [noTax] },
    { ...all, ...credit, lines: [{ ...line, amount_minor: -1_000, tax_minor: -200 }] },
  ])
    for (const given of [options, { corrects: 'UP-1', prepaidMinor: 300 }])
      checkOrder(readXml(writeUblInvoice(supplierDocument(different), given)))
})
