import assert from 'node:assert/strict'
import test from 'node:test'
import { writeUblInvoice } from '#documents/ubl-invoice.ts'
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
