import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { readUblInvoice } from '#documents/ubl-reading.ts'
import { writeUblInvoice } from '#documents/ubl-invoice.ts'
import { addDays } from '#domain/calendar.ts'
import { toSupplierDocument } from '#domain/stated-invoice.ts'
import type { SupplierDocument } from '#domain/supplier-invoice.ts'
import { supplierDocument } from '#test/support/peer.ts'

const text = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 20 })
  .filter((one) => /^[^\p{Cc}\p{Surrogate}\uFFFE\uFFFF]+$/u.test(one) && one.trim() === one)
const minor = fc.integer({ min: 1, max: 1_000_000 })
const day = fc.integer({ min: 0, max: 2_000 }).map((days) => addDays('2024-01-01', days))
const line = fc.record({
  description: text,
  amount: minor,
  rate: fc.constantFrom('0', '7', '20'),
  start: day,
})

/** Finalized documents as they are written, whose sums are right. */
const documents = fc
  .record({
    kind: fc.constantFrom('invoice', 'credit_note'),
    number: text,
    currency: fc.constantFrom('USD', 'JPY', 'KWD'),
    issued: day,
    lines: fc.array(line, { minLength: 1, maxLength: 6 }),
  })
  .map(({ kind, number, currency, issued, lines }): SupplierDocument => {
    const sign = kind === 'credit_note' ? -1 : 1
    const category = (rate: string) => (rate === '0' ? 'zero' : 'standard')
    const taxOf = (amount: number, rate: string) => Math.round((amount * Number(rate)) / 100)
    const net = lines.reduce((sum, { amount }) => sum + amount, 0)
    const groups = [...Map.groupBy(lines, ({ rate }) => rate)].map(([rate, own]) => ({
      rate,
      base: own.reduce((sum, { amount }) => sum + amount, 0),
      tax: own.reduce((sum, { amount }) => sum + taxOf(amount, rate), 0),
    }))
    const tax = groups.reduce((sum, group) => sum + group.tax, 0)
    return supplierDocument({
      kind,
      number,
      currency,
      issued_on: issued,
      due_on: kind === 'invoice' ? addDays(issued, 14) : issued,
      net_minor: net,
      tax_minor: tax,
      total_minor: net + tax,
      tax_rounding: 'line',
      lines: lines.map(({ description, amount, rate, start }) => ({
        description,
        quantity: '1',
        unit: 'month',
        unit_price: null,
        service_period: { starts_on: start, ends_on: addDays(start, 30) },
        amount_minor: sign * amount,
        tax_category: category(rate),
        tax_rate_percent: rate,
        tax_minor: sign * taxOf(amount, rate) + 0,
      })),
      taxes: groups.map(({ rate, base, tax: ofRate }) => ({
        category: category(rate),
        name: `${rate} %`,
        rate_percent: rate,
        base_minor: sign * base,
        tax_minor: sign * ofRate + 0,
        note: null,
      })),
    })
  })

/** What UBL has words for. */
const saidOf = (document: SupplierDocument) => ({
  kind: document.kind,
  number: document.number,
  currency: document.currency,
  days: [document.issued_on, document.due_on],
  sums: [document.net_minor, document.tax_minor, document.total_minor],
  parties: [document.seller.name, document.buyer.name],
  taxes: document.taxes,
  lines: document.lines.map((one) => [
    one.description,
    one.amount_minor,
    one.service_period,
    one.tax_category,
    one.tax_rate_percent,
  ]),
})

test('what is written as UBL is read back equal, and its sums are still right', () => {
  fc.assert(
    fc.property(documents, (document) => {
      const { stated, corrects } = readUblInvoice(
        writeUblInvoice(document, { corrects: 'UP-0', prepaidMinor: 0 }),
      )
      const read = toSupplierDocument(
        { ...stated, document: document.document, corrects: null },
        document.currency,
      )
      assert.deepEqual(saidOf(read), saidOf(document))
      assert.equal(corrects, 'UP-0')
    }),
  )
})

const written = writeUblInvoice(supplierDocument(), { corrects: null, prepaidMinor: 0 })
const refused = (xml: string, code: string, said: RegExp) => {
  assert.throws(
    () => readUblInvoice(xml),
    (error: Error & { code?: string }) => error.code === code && said.test(error.message),
  )
}

test('allowances and charges of a whole document are lines, and the reading needs no certain prefix', () => {
  const allowance = `<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator>
    <cbc:AllowanceChargeReason>Loyalty</cbc:AllowanceChargeReason><cbc:Amount currencyID="USD">1.00</cbc:Amount>
    <cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>20.00</cbc:Percent></cac:TaxCategory></cac:AllowanceCharge>`
  const xml = written
    .replace('<cac:TaxTotal>', `${allowance}<!-- as agreed --><cac:TaxTotal>`)
    .replaceAll('cbc:', 'b:')
    .replaceAll('cac:', 'a:')
  const lines = readUblInvoice(xml).stated.lines.map((one) => [
    one.description,
    one.amount_minor,
    one.tax_rate_percent,
  ])
  assert.deepEqual(lines, [
    ['Hosting', 1_000, '20'],
    ['Loyalty', -100, '20'],
  ])
})

for (const [what, xml, said] of [
  ['a document type', `<!DOCTYPE Invoice [<!ENTITY a "b">]>${written}`, /character 1 /],
  ['an entity of its own', written.replace('Hosting', '&a;'), /&a is no entity/],
  ['a character that is none', written.replace('Hosting', '&#0;'), /&#0 is no entity/],
  ['half of a character', written.replace('Hosting', '&#xd800;'), /no entity/],
  ['an element that is not closed', written.replace('</cbc:ID>', ''), /closes nothing/],
  ['two roots', `${written}<More/>`, /not one element/],
  ['no element', 'Invoice', /not one element/],
  ['depth', '<a>'.repeat(40), /too deep/],
  ['an attribute that is said twice', '<a b="1" b="2"/>', /b is said twice/],
  ['an open comment', '<a><!-- </a>', /<!-- is not closed/],
] as const)
  test(`XML with ${what} is refused`, () => {
    refused(xml, 'xml_malformed', said)
  })

for (const [what, xml, said] of [
  ['another document', '<Order/>', /it is a Order/],
  [
    'no number',
    written.replace('<cbc:ID>UP-1</cbc:ID>', '').replaceAll('cbc:ID>', 'cbc:Id>'),
    /Invoice has no ID/,
  ],
  ['a day that is none', written.replace('2026-03-01', '2026-02-31'), /IssueDate is no day/],
  ['an amount that is none', written.replace('>10.00<', '>ten<'), /is no decimal/],
  ['an amount of another currency', written.replaceAll('currencyID="USD"', 'currencyID="EUR"'), /is in EUR/],
] as const)
  test(`UBL with ${what} is refused`, () => {
    refused(xml, 'ubl_unreadable', said)
  })

test('CDATA and characters by number are text', () => {
  const xml = written.replace('Hosting', '<![CDATA[a < b &amp; ]]>&#x41;&#66;')
  assert.equal(readUblInvoice(xml).stated.lines[0]?.description, 'a < b &amp; AB')
})
