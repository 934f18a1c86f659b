import assert from 'node:assert/strict'
import test from 'node:test'
import { disagreementOf, isKeepable } from '#domain/supplier-invoice.ts'
import { supplierDocument } from '#test/support/peer.ts'

const [line] = supplierDocument().lines
const [tax] = supplierDocument().taxes
assert.ok(line && tax)
/** All of it given back. */
const creditNote = {
  ...supplierDocument({ kind: 'credit_note', number: 'UP-CN-1', corrects: 'inv_01kb0000000000000000000001' }),
  lines: [{ ...line, amount_minor: -1_000, tax_minor: -200 }] as const,
  taxes: [{ ...tax, base_minor: -1_000, tax_minor: -200 }] as const,
}

test('a document whose sums are right has no disagreement', () => {
  assert.equal(disagreementOf(supplierDocument(), 'USD'), null)
})

for (const [what, wrong, said] of [
  ['a total', { total_minor: 1_201 }, 'net and tax come to 1200, the total says 1201'],
  ['a line', { lines: [{ ...line, amount_minor: 999 }] }, 'the lines come to 999, the net says 1000'],
  [
    "a line's tax",
    { lines: [{ ...line, tax_minor: 199 }] },
    "the lines' taxes come to 199, the tax says 200",
  ],
  ['a tax', { taxes: [{ ...tax, tax_minor: 199 }] }, 'the taxes come to 199, the tax says 200'],
  ['a rate', { taxes: [{ ...tax, rate_percent: '19' }] }, '19 % of 1000 come to 190, VAT says 200'],
] as const)
  test(`${what} that is off is told with both sums`, () => {
    assert.equal(disagreementOf(supplierDocument(wrong), 'USD'), said)
  })

test('tax of lines, of inclusive prices and of credit notes is not held against one rate', () => {
  const off = [{ ...tax, rate_percent: '19.9' }]
  for (const free of [{ tax_rounding: 'line' }, { are_prices_inclusive: true }])
    assert.equal(disagreementOf(supplierDocument({ ...free, taxes: off }), 'USD'), null)
  const offBack = [{ ...creditNote.taxes[0], rate_percent: '19.9' }]
  assert.equal(disagreementOf({ ...creditNote, taxes: offBack }, 'USD'), null)
})

test('a credit note says what it gives back, its lines and taxes what they take; one that is off is told', () => {
  assert.equal(disagreementOf(creditNote, 'USD'), null)
  const off = { ...creditNote, lines: [{ ...creditNote.lines[0], amount_minor: -999 }] }
  assert.equal(disagreementOf(off, 'USD'), 'the lines come to 999, the net says 1000')
  const charged = supplierDocument({ kind: 'credit_note' })
  assert.equal(disagreementOf(charged, 'USD'), 'the lines come to -1000, the net says 1000')
})

test('a document in another currency than the agreed one is told', () => {
  assert.equal(disagreementOf(supplierDocument(), 'EUR'), 'it is in USD, agreed is EUR')
})

test('what cannot be hashed and kept whole is known, however deep it is', () => {
  assert.ok(isKeepable(supplierDocument()))
  let deep: unknown = 1
  for (let level = 0; level < 200_000; level += 1) deep = [deep]
  for (const odd of [
    { text: 'a\0b' },
    { text: '\ud800' },
    { 'a\0b': 1 },
    [0.1],
    [2 ** 53],
    [[{ a: [Number.NaN] }]],
    deep,
  ])
    assert.equal(isKeepable(odd), false)
})
