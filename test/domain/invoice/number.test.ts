import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { checkNumberPattern, formatNumber, readNumber, seriesKey } from '#domain/invoice/number.ts'

const yearly = { pattern: '{series}-{year}-{number:5}', resetsYearly: true }

test('E-06 INV-2026-00042 is followed by INV-2027-00001 of a new counter', () => {
  const number = (issuedOn: string, number: number) =>
    formatNumber(yearly, { series: 'INV', issuedOn, number })
  assert.equal(number('2026-12-31', 42), 'INV-2026-00042')
  assert.equal(number('2027-01-01', 1), 'INV-2027-00001')
  assert.equal(seriesKey('INV', '2026-12-31', yearly), 'INV-2026')
  assert.equal(seriesKey('INV', '2027-01-01', yearly), 'INV-2027')
})

test('without a yearly reset a series has one counter, and a long number is never cut', () => {
  const pattern = { pattern: 'No {series}/{number:3}', resetsYearly: false }
  checkNumberPattern(pattern)
  assert.equal(seriesKey('INV', '2026-12-31', pattern), 'INV')
  assert.equal(
    formatNumber(pattern, { series: 'INV', issuedOn: '2026-12-31', number: 12_345 }),
    'No INV/12345',
  )
})

const ambiguous: [pattern: string, resetsYearly: boolean][] = [
  ['{series}-{year}', false],
  ['{series}-{number}-{number}', false],
  ['{year}-{number:5}', false],
  ['{series}-{number:5}', true],
  ['{series}{number}', false],
  ['{series}{year}{number}', true],
  ['{number:4}{series}', false],
  ['{number}A{series}', false],
  ['{series}-1{number}', false],
]
for (const [pattern, resetsYearly] of ambiguous) {
  test(`E-06 ${pattern}${resetsYearly ? ' anew each year' : ''} could repeat and is refused`, () => {
    assert.throws(() => checkNumberPattern({ pattern, resetsYearly }), { code: 'number_pattern_ambiguous' })
  })
}

for (const pattern of [
  '{series}-{month}-{number}',
  '{series}-{number:0}',
  '{series}-{number',
  '}{series}-{number}',
]) {
  test(`${pattern} is not a pattern`, () => {
    assert.throws(() => checkNumberPattern({ pattern, resetsYearly: false }), { code: 'field_invalid' })
  })
}

test('E-06 what an accepted pattern gives never repeats across series, years and numbers', () => {
  const part = fc.constantFrom('{series}', '{year}', '{number}', '{number:3}', '-', '/', 'A')
  const of = fc.record({
    series: fc.constantFrom('A', 'A1', 'INV', 'AA'),
    issuedOn: fc.constantFrom('2026-05-01', '2027-05-01', '1126-05-01'),
    number: fc.integer({ min: 1, max: 1200 }),
  })
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 3, maxLength: 6 }),
      fc.boolean(),
      of,
      of,
      (parts, resetsYearly, first, second) => {
        const pattern = { pattern: parts.join(''), resetsYearly }
        try {
          checkNumberPattern(pattern)
        } catch {
          return
        }
        const isSame =
          seriesKey(first.series, first.issuedOn, pattern) ===
            seriesKey(second.series, second.issuedOn, pattern) && first.number === second.number
        if (!isSame) assert.notEqual(formatNumber(pattern, first), formatNumber(pattern, second))
      },
    ),
    { numRuns: 5000 },
  )
})

test('the running number is read out of a number of its series, and of no other', () => {
  const pattern = { pattern: '{series}-{year}-{number:5}', resetsYearly: true }
  const of = { series: 'INV', issuedOn: '2026-03-01' }
  for (const number of [1, 42, 99_999, 100_000, 2026])
    assert.equal(readNumber(pattern, { ...of, text: formatNumber(pattern, { ...of, number }) }), number)
  for (const text of ['INV-2025-00042', 'CN-2026-00042', 'INV-2026-42', 'INV-2026-', '', 'INV-2026-00042x'])
    assert.equal(readNumber(pattern, { ...of, text }), null)
})
