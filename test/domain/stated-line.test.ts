import assert from 'node:assert/strict'
import test from 'node:test'
import { parseTypedLines } from '#domain/stated-line.ts'

const taxesOf = (text: string) =>
  parseTypedLines(text, 'EUR').taxes.map(({ category, rate_percent, base_minor, tax_minor }) => [
    category,
    rate_percent,
    base_minor,
    tax_minor,
  ])

test('typed lines are one a row, with their net and their rate; each rate is taken of what they come to', () => {
  const { lines, tax_rounding } = parseTypedLines('Rack; 100.00; 19\n\n Power ;0.03;19\nDeposit; 20', 'EUR')
  assert.deepEqual(
    lines.map((line) => [line.description, line.amount_minor, line.tax_rate_percent]),
    [
      ['Rack', 10_000, '19'],
      ['Power', 3, '19'],
      ['Deposit', 2_000, '0'],
    ],
  )
  assert.equal(tax_rounding, 'document')
  assert.deepEqual(taxesOf('Rack; 0.03; 19\nPower; 0.03; 19.0\nDeposit; 20'), [
    ['standard', '19', 6, 1],
    ['zero', '0', 2_000, 0],
  ])
})

test('where a row states its tax, every tax is the sum of its rows', () => {
  assert.equal(parseTypedLines('Rack; 0.03; 19; 0.01', 'EUR').tax_rounding, 'line')
  assert.deepEqual(taxesOf('Rack; 0.03; 19; 0.01\nPower; 0.03; 19'), [['standard', '19', 6, 2]])
})

for (const [row, said] of [
  ['Rack', 'it says what it is'],
  ['Rack; 1; 19; 1; 1', 'it says what it is'],
  ['Rack; 1,00; 19', '1,00 is no amount in EUR'],
  ['Rack; 1.00; 101', '101 is no percentage'],
  ['Rack; 1.00; 19; x', 'x is no amount in EUR'],
] as const)
  test(`a row that reads “${row}” is refused by its place`, () => {
    assert.throws(
      () => parseTypedLines(`Fine; 1\n${row}`, 'EUR'),
      (error: Error & { fields?: { pointer: string }[] }) =>
        error.message.startsWith('Row 2: ') &&
        error.message.includes(said) &&
        error.fields?.[0]?.pointer === '/lines',
    )
  })
