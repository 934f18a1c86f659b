import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { fromInvoiceRows, readInvoiceRows } from '#documents/invoice-rows.ts'
import { languages } from '#documents/language.ts'
import { toPrintedInvoice, type PrintedInvoice } from '#documents/printed-invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import { insertFinalizedInvoice } from '#test/support/finalized-invoice.ts'
import { plain } from '#test/support/pdf.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { textOf } from './text.ts'

let console: TestConsole
let id: string
before(async () => {
  console = await createTestConsole()
  await console.post('/v1/customers', { code: 'acme', name: 'Acme' })
  const customer = await console.db.selectFrom('customers').select('id').executeTakeFirstOrThrow()
  id = await insertFinalizedInvoice(console.db, customer.id, {
    number: 'INV-2026-00001',
    currency: 'KWD',
    netMinor: 124_750,
    taxPercent: '5',
    taxMinor: 6_238,
    language: 'ar',
  })
})
after(async () => console.close())

/** Every text of the document, in the order in which the PDF prints it. */
function textsOf(printed: PrintedInvoice): string[] {
  return [
    printed.kind,
    printed.number,
    printed.total,
    ...printed.parties.flatMap(({ title, name, texts }) => [title, name, ...texts]),
    ...printed.facts.flatMap(({ label, value }) => [label, value]),
    ...printed.columns.map(({ title }) => title),
    ...printed.lines.flatMap(({ description, details, cells }) => [description, ...details, ...cells]),
    ...printed.totals.flatMap(({ label, value }) => [label, value]),
    ...(printed.tax === null
      ? []
      : [printed.tax.title, ...printed.tax.columns.map(({ title }) => title), ...printed.tax.rows.flat()]),
    ...printed.notes,
    printed.payment.title,
    ...printed.payment.texts,
    ...printed.payment.account.flatMap(({ label, value }) => [label, value]),
  ].map(plain)
}

for (const language of languages) {
  test(`the page says what the PDF says, in its order, in ${language}`, async () => {
    const printed = toPrintedInvoice(fromInvoiceRows(await readInvoiceRows(console.db, id)), language)
    const { html } = await console.get(`/invoices/${encodeId('invoice', id)}?language=${language}`)
    assert.match(html, new RegExp(`<article[^>]* lang="${language}" dir="${printed.direction}"`))
    let rest = plain(textOf(/<article.*<\/article>/s.exec(html)?.[0] ?? ''))
    for (const text of textsOf(printed)) {
      const position = rest.indexOf(text)
      assert.notEqual(position, -1, `${text} in: ${rest}`)
      rest = rest.slice(position + text.length)
    }
  })
}

test('the page leads to the PDF, and marks the language of the customer', async () => {
  const { html } = await console.get(`/invoices/${encodeId('invoice', id)}`)
  assert.match(html, new RegExp(`<a href="/v1/invoices/${encodeId('invoice', id)}/pdf">PDF</a>`))
  assert.match(textOf(html), /العربية ★/)
})
