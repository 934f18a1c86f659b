import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { printableLinesMax, renderInvoicePdf } from '#documents/invoice-pdf.ts'
import type { InvoiceFacts } from '#documents/invoice-facts.ts'
import { languages, type Language } from '#documents/language.ts'
import { toPrintedInvoice } from '#documents/printed-invoice.ts'
import { plain, readPdf } from '#test/support/pdf.ts'
import { someInvoice, someLine } from '#test/support/printed-invoice.ts'

async function print(facts: InvoiceFacts, language: Language = 'en') {
  return await readPdf(await renderInvoicePdf(toPrintedInvoice(facts, language)))
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

for (const language of languages) {
  test(`every value of the document is read back from its PDF in ${language}`, async () => {
    const printed = toPrintedInvoice({ ...someInvoice, balanceUsedMinor: 845 }, language)
    const { text, missingGlyphCount } = await readPdf(await renderInvoicePdf(printed))
    const values = [
      printed.number,
      printed.total,
      ...printed.totals.map(({ value }) => value),
      ...(printed.tax?.rows.flat() ?? []),
      ...printed.payment.account.map(({ value }) => value),
    ]
    // Letters from right to left come out in the order of the paper, and numbers of Japanese dates in pieces: values in digits.
    for (const value of values.map(plain)) assert.ok(text.includes(value), `${value} in: ${text}`)
    assert.equal(missingGlyphCount, 0)
  })
}

for (const [currency, expected] of [
  ['JPY', '14,845 JPY'],
  ['USD', '148.45 USD'],
  ['KWD', '14.845 KWD'],
] as const) {
  test(`an amount in ${currency} has the decimals of its currency: ${expected}`, async () => {
    const { text } = await print({ ...someInvoice, currency })
    assert.match(text, new RegExp(`Total ${expected.replace('.', '\\.')} `))
    assert.ok(text.includes(`Please pay ${expected} by 14 April 2026`), text)
  })
}

test('German letters and French marks are on the paper as they were written', async () => {
  assert.match((await print(someInvoice, 'de')).text, /Rechnung INV-2026-00042 148,45 EUR .*Hafenstraße 12/)
  assert.match((await print(someInvoice, 'fr')).text, /Facture .*Date d’émission .*Échéance .*14 avril 2026/)
})

test('Arabic is set in joined letters, and a Latin name inside it keeps its order', async () => {
  const buyer = { ...someInvoice.buyer, name: 'شركة الميناء للمخبوزات (ذ.م.م)' }
  const { text, missingGlyphCount } = await print({ ...someInvoice, buyer, currency: 'KWD' }, 'ar')
  for (const word of ['فاتورة', 'شركة', 'الميناء', 'للمخبوزات', 'INV-2026-00042', '14.845 KWD']) {
    assert.ok(text.includes(word), `${word} in: ${text}`)
  }
  assert.equal(missingGlyphCount, 0)
})

test('Japanese is on the paper, in an invoice of any language', async () => {
  const buyer = { ...someInvoice.buyer, name: '株式会社港ベーカリー', address: '神奈川県横浜市中区新港1-2-3' }
  for (const language of ['ja', 'en'] as const) {
    const { text, missingGlyphCount } = await print({ ...someInvoice, buyer, currency: 'JPY' }, language)
    assert.ok(text.replaceAll(' ', '').includes('株式会社港ベーカリー'), text)
    assert.equal(missingGlyphCount, 0)
  }
})

test('the same document gives the same bytes, whatever was set in between', async () => {
  const first = await renderInvoicePdf(toPrintedInvoice(someInvoice, 'de'))
  const other = await renderInvoicePdf(toPrintedInvoice({ ...someInvoice, number: 'INV-2026-00043' }, 'ja'))
  const second = await renderInvoicePdf(toPrintedInvoice(someInvoice, 'de'))
  assert.equal(sha256(first), sha256(second))
  assert.notEqual(sha256(first), sha256(other))
})

test('300 lines go over several pages, each with the columns and its number', async () => {
  const lines = Array.from({ length: 300 }, (_, index) => ({
    ...someLine,
    description: `Line ${index + 1}.`,
  }))
  const { pages } = await print({ ...someInvoice, lines })
  assert.ok(pages.length > 5, `${pages.length} pages`)
  const withLines = pages.filter((page) => /Line \d+\./.test(page))
  for (const [index, page] of withLines.entries()) {
    assert.match(page, /Description Service period Quantity Unit Unit price Tax rate Amount/)
    assert.ok(page.endsWith(`Invoice INV-2026-00042 Page ${index + 1} of ${pages.length}`), page)
  }
  const found = [...withLines.join(' ').matchAll(/Line (\d+)\./g)].map(([, number]) => Number(number))
  assert.deepEqual(
    found,
    lines.map((_, index) => index + 1),
  )
})

test('what a customer is called is text, never markup', async () => {
  const name = '#panic("x") *bold* $x^2$ <a> \\ // @ref [b]'
  const { text } = await print({ ...someInvoice, buyer: { ...someInvoice.buyer, name } })
  assert.ok(text.includes(name), text)
})

test('a document too long for the memory of one process is refused', async () => {
  const lines = Array.from({ length: printableLinesMax + 1 }, () => someLine)
  await assert.rejects(print({ ...someInvoice, lines }), { code: 'invoice_too_long' })
})
