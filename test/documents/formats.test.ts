import assert from 'node:assert/strict'
import test from 'node:test'
import { formatsOf } from '#documents/formats.ts'
import { languages, profileOf, toLanguage, type Language } from '#documents/language.ts'
import { unitNames } from '#domain/unit.ts'
import { plain } from '#test/support/pdf.ts'

const written: Readonly<Record<Language, readonly string[]>> = {
  en: ['1,234,567.50 EUR', '−1,234.500 KWD', '1,235 JPY', '5.5%', '31 March 2026', '28 February – 30 March 2026'],
  de: ['1.234.567,50 EUR', '−1.234,500 KWD', '1.235 JPY', '5,5 %', '31. März 2026', '28. Februar – 30. März 2026'],
  fr: ['1 234 567,50 EUR', '−1 234,500 KWD', '1 235 JPY', '5,5 %', '31 mars 2026', '28 février – 30 mars 2026'],
  ar: ['1,234,567.50 EUR', '−1,234.500 KWD', '1,235 JPY', '5.5%', '31 مارس 2026', '28 فبراير – 30 مارس 2026'],
  ja: ['1,234,567.50 EUR', '−1,234.500 KWD', '1,235 JPY', '5.5%', '2026年3月31日', '2026年2月28日～2026年3月30日'],
} // prettier-ignore

for (const language of languages) {
  test(`amounts, shares and dates are written as in ${language}`, () => {
    const formats = formatsOf(language)
    const actual = [
      formats.amount(123_456_750, 'EUR'),
      formats.amount(-1_234_500, 'KWD'),
      formats.amount(1235, 'JPY'),
      formats.percent('5.5'),
      formats.date('2026-03-31'),
      formats.period('2026-02-28', '2026-03-31'),
    ]
    assert.deepEqual(actual.map(plain), written[language])
  })

  test(`every unit that is a word has one in ${language}`, () => {
    const words = unitNames.filter((unit) => /^[a-z]/.test(unit))
    assert.deepEqual(Object.keys(profileOf(language).messages.units).toSorted(), words.toSorted())
  })
}

test('no digit of a large amount or a small price is lost', () => {
  const { amount, unitPrice, quantity } = formatsOf('en')
  assert.equal(plain(amount(Number.MAX_SAFE_INTEGER, 'USD')), '90,071,992,547,409.91 USD')
  assert.equal(plain(unitPrice('0.00000123456789', 'USD')), '0.00000123456789 USD')
  assert.equal(plain(unitPrice('12', 'USD')), '12.00 USD')
  assert.equal(quantity('1234.56789099'), '1,234.56789')
  assert.equal(quantity('0.0000001'), 'less than 0.000001')
})

test('a period of one day is written as that day', () => {
  assert.equal(plain(formatsOf('de').period('2026-03-01', '2026-03-02')), '1. März 2026')
  assert.equal(plain(formatsOf('ja').period('2026-03-01', '2026-03-02')), '2026年3月1日')
})

test('a country is written by its name, and what is no code as it stands', () => {
  const { country } = formatsOf('de')
  assert.deepEqual(['AT', 'Austria', ''].map(country), ['Österreich', 'Austria', ''])
})

test('a language tag gives its language, and English where there is none of ours', () => {
  assert.deepEqual(['de-AT', 'DE', 'fr_CA', 'ar', 'ja', 'sv', '', null, undefined].map(toLanguage), [
    'de',
    'de',
    'fr',
    'ar',
    'ja',
    'en',
    'en',
    'en',
    'en',
  ])
})
