import assert from 'node:assert/strict'
import test from 'node:test'
import type { InvoiceFacts } from '#documents/invoice-facts.ts'
import type { Language } from '#documents/language.ts'
import { toPrintedInvoice } from '#documents/printed-invoice.ts'
import { plain } from '#test/support/pdf.ts'
import { someInvoice, someLine } from '#test/support/printed-invoice.ts'

function print(facts: Partial<InvoiceFacts>, language: Language = 'en') {
  return toPrintedInvoice({ ...someInvoice, ...facts }, language)
}

test('an invoice states what the law asks for: parties with tax ids, dates, references, rates', () => {
  const printed = print({})
  assert.deepEqual(
    printed.parties.map(({ title, name, texts }) => [title, name, ...texts]),
    [
      [
        'From',
        'Clouder Hosting GmbH',
        'Hafenstraße 12',
        '20457 Hamburg',
        'Germany',
        'Tax id DE123456789',
        'Registered as HRB 12345, Hamburg',
        'billing@clouder.example',
      ],
      [
        'To',
        'Boulangerie du Port',
        '1 Quai des Brumes',
        '76600 Le Havre',
        'France',
        'Tax id FR40303265045',
        'compta@boulangerie.example',
      ],
    ],
  )
  assert.deepEqual(
    printed.facts.map(({ label, value }) => `${label}: ${plain(value)}`),
    [
      'Issued: 31 March 2026',
      'Due: 14 April 2026',
      'Currency: EUR',
      'Purchase order: PO-7731',
      'Your reference: K. Müller (IT)',
    ],
  )
  assert.deepEqual(
    printed.tax?.rows.map((cells) => cells.map(plain)),
    [['USt', '19%', '124.75 EUR', '23.70 EUR']],
  )
})

test('a line has its service period by first and last day, quantity, unit, price, rate and amount', () => {
  const printed = print({})
  assert.deepEqual(
    printed.columns.map(({ title }) => title),
    ['Description', 'Service period', 'Quantity', 'Unit', 'Unit price', 'Tax rate', 'Amount'],
  )
  const [line] = printed.lines
  assert.equal(line?.description, 'Odoo User')
  assert.deepEqual(line.details, ['Odoo, 5 users', 'odoo-1'])
  assert.deepEqual(line.cells.map(plain), [
    '1 – 31 March 2026',
    '5',
    'user',
    '24.95 EUR',
    '19%',
    '124.75 EUR',
  ])
})

test('a discount has a column where there is one, and none where there is none', () => {
  const printed = print({ lines: [{ ...someLine, discountMinor: 1250 }, someLine] })
  const column = printed.columns.findIndex(({ title }) => title === 'Discount')
  assert.deepEqual(
    printed.lines.map(({ cells }) => plain(cells[column - 1] ?? '')),
    ['−12.50 EUR', ''],
  )
})

test('what was used of the balance is taken from the total, and the rest is asked for', () => {
  const printed = print({ balanceUsedMinor: 845, dues: [{ dueOn: '2026-04-14', amountMinor: 14_000 }] })
  assert.deepEqual(
    printed.totals.map(({ label, value }) => `${label} ${plain(value)}`),
    [
      'Net 124.75 EUR',
      'Tax 23.70 EUR',
      'Total 148.45 EUR',
      'Customer balance used −8.45 EUR',
      'Amount due 140.00 EUR',
    ],
  )
  assert.deepEqual(printed.payment.texts.map(plain), [
    'Please pay 140.00 EUR by 14 April 2026, with the reference INV-2026-00042.',
  ])
  assert.deepEqual(
    printed.payment.account.map(({ label, value }) => `${label}: ${plain(value)}`),
    ['Account holder: Clouder Hosting GmbH', 'IBAN: DE89 3704 0044 0532 0130 00', 'BIC: COBADEFFXXX'],
  )
})

test('what the balance has paid in full asks for nothing and names no account', () => {
  const printed = print({ balanceUsedMinor: 14_845, dues: [{ dueOn: '2026-04-14', amountMinor: 0 }] })
  assert.deepEqual(printed.payment.texts, ['There is nothing to pay.'])
  assert.deepEqual(printed.payment.account, [])
})

test('instalments are asked for one by one', () => {
  const dues = [
    { dueOn: '2026-04-14', amountMinor: 7423 },
    { dueOn: '2026-05-14', amountMinor: 7422 },
  ]
  assert.deepEqual(print({ dues }).payment.texts.map(plain), [
    'Please pay 74.23 EUR by 14 April 2026, with the reference INV-2026-00042.',
    'Please pay 74.22 EUR by 14 May 2026, with the reference INV-2026-00042.',
  ])
})

test('a credit note names its invoice, counts below zero, and asks for nothing', () => {
  const printed = print({
    kind: 'credit_note',
    number: 'CN-2026-00007',
    correctedNumber: 'INV-2026-00042',
    dues: [],
    lines: [{ ...someLine, isCredit: true, amountMinor: -12_475 }],
    taxes: [
      { category: 'standard', name: 'USt', percent: '19', baseMinor: -12_475, taxMinor: -2370, note: null },
    ],
  })
  assert.equal(printed.kind, 'Credit note')
  assert.ok(printed.facts.some(({ label, value }) => label === 'For invoice' && value === 'INV-2026-00042'))
  assert.deepEqual(
    printed.totals.map(({ value }) => plain(value)),
    ['−124.75 EUR', '−23.70 EUR', '−148.45 EUR'],
  )
  assert.deepEqual(
    printed.tax?.rows.map((cells) => cells.map(plain)),
    [['USt', '19%', '−124.75 EUR', '−23.70 EUR']],
  )
  assert.deepEqual(printed.payment.texts.map(plain), [
    '148.45 EUR are credited to you; there is nothing to pay.',
  ])
  assert.deepEqual(printed.payment.account, [])
})

test('tax in the seller’s currency is stated with rate, source and date', () => {
  const printed = print({
    currency: 'USD',
    taxInSellerCurrency: {
      currency: 'EUR',
      taxMinor: 2184,
      base: 'EUR',
      quote: 'USD',
      rate: '1.0852',
      source: 'ECB',
      date: '2026-03-30',
    },
  })
  assert.deepEqual(printed.notes.map(plain), [
    'Tax in the seller’s currency: 21.84 EUR, at the rate 1 EUR = 1.0852 USD (ECB, 30 March 2026).',
  ])
})

test('the engine’s own reasons for no tax are said once, in the language of the reader', () => {
  const taxes = ['reverse_charge', 'out_of_scope'].map((category) => ({
    category,
    name: '',
    percent: '0',
    baseMinor: 100,
    taxMinor: 0,
    note: 'Said in English.',
  }))
  assert.deepEqual(print({ taxes }, 'de').notes, [
    'Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge; Artikel 196, Richtlinie 2006/112/EG).',
    'Im Land des Verkäufers nicht steuerbar.',
  ])
})

test('an invoice of a test clock warns that it is none, and asks for nothing', () => {
  const printed = print({ testClock: 'spring' })
  assert.equal(printed.warning, 'Not a real invoice: it was made on test clock spring.')
  assert.deepEqual(printed.payment.texts, ['A test: please pay nothing.'])
  assert.deepEqual(printed.payment.account, [])
})

test('what came late says so, what could not be read yet too, and what is paid once has no period', () => {
  const printed = print({
    lines: [
      { ...someLine, isLate: true },
      { ...someLine, servicePeriod: null, unitPrice: null },
      { ...someLine, isPending: true },
    ],
  })
  assert.deepEqual(printed.lines[0]?.details, ['reported late', 'Odoo, 5 users', 'odoo-1'])
  assert.equal(printed.lines[2]?.details[0], 'pending: not all of it could be read yet')
  assert.equal(printed.lines[1]?.cells[0], 'once')
  assert.equal(printed.lines[1]?.cells[3], '')
})

test('what was metered above the most that is billed is said beside what is billed (D-37)', () => {
  const capped = { ...someLine, quantity: '100', unit: 'GiB', notBilledQuantity: '20' }
  const [line] = print({ lines: [capped] }).lines
  assert.equal(line?.cells[1], '100')
  assert.equal(line.details[0], '20 GiB above the agreed maximum: not billed')
})

test('a right-to-left document keeps Latin text in one piece', () => {
  const printed = print({}, 'ar')
  assert.equal(printed.direction, 'rtl')
  assert.equal(printed.facts.at(-1)?.value, '\u2068K. Müller (IT)\u2069')
})

test('a section is said where it begins, and what is of no subscription stands below a heading of its own', () => {
  const sections = ['Odoo', 'Odoo', 'Backup', null, null]
  const lines = sections.map((section) => ({ ...someLine, section, context: [] }))
  const headings = (language: Language) =>
    print({ lines }, language).lines.map(({ section }) => section && plain(section))
  assert.deepEqual(headings('en'), ['Odoo', null, 'Backup', 'Other', null])
  assert.deepEqual(headings('de'), ['Odoo', null, 'Backup', 'Weiteres', null])
})

test('without sections there is no heading', () => {
  assert.deepEqual(
    print({ lines: [someLine, someLine] }).lines.map(({ section }) => section),
    [null, null],
  )
})

test('a line without a single price says how many were at how much', () => {
  const parts = [
    { quantity: '10', unitPrice: '1.00' },
    { quantity: '5', unitPrice: '0.80' },
  ]
  const printed = print({ lines: [{ ...someLine, unitPrice: null, parts }] })
  assert.equal(plain(printed.lines[0]?.details[0] ?? ''), '10 × 1.00 EUR + 5 × 0.80 EUR')
})
