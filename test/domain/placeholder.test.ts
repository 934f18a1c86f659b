import assert from 'node:assert/strict'
import test from 'node:test'
import { checkPlaceholders, fillPlaceholders, placeholders } from '#domain/placeholder.ts'
import { hasCode } from './line-fixture.ts'

const march = { start: '2026-03-01', end: '2026-04-01' }

const filled: [text: string, language: string, expected: string][] = [
  ['Hosting {month} {year}', 'de', 'Hosting März 2026'],
  ['Hosting {month} {year}', 'fr', 'Hosting mars 2026'],
  ['{first_day} to {last_day}', 'en-US', '03/01/2026 to 03/31/2026'],
  ['{first_day} bis {last_day}', 'de', '01.03.2026 bis 31.03.2026'],
  ['{year}-{month_number}', 'en', '2026-03'],
  ['{month} and {month}', 'en', 'March and March'],
  ['no braces', 'en', 'no braces'],
  ['{toString} stays', 'en', '{toString} stays'],
]

for (const [text, language, expected] of filled) {
  test(`"${text}" for March 2026 in ${language} is "${expected}"`, () => {
    assert.equal(fillPlaceholders(text, march, language), expected)
  })
}

test('a text with a placeholder that nothing fills is refused when it is saved', () => {
  checkPlaceholders(placeholders.map((name) => `{${name}}`).join(' '))
  for (const text of ['Hosting {monthh}', '{}', '{constructor}']) {
    assert.throws(
      () => checkPlaceholders(text),
      (error) => hasCode(error, 'placeholder_unknown', /\{first_day\}/),
    )
  }
})
