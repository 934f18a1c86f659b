import Big from 'big.js'
import { addDays } from '#domain/calendar.ts'
import { currencyExponent, fromMinor } from '#domain/money.ts'
import { profileOf, type Language, type LanguageProfile } from './language.ts'

/** How values are written in one language. Digits come from decimals as text: no amount passes through a float. */
export interface Formats {
  /** An integer in minor units: `1.234,50 EUR`. The code, not the sign: a dollar has many owners. */
  readonly amount: (amountMinor: number, currency: string) => string
  /** A decimal with at least the decimals of its currency, and all it has. */
  readonly unitPrice: (price: string, currency: string) => string
  /** A decimal without idle zeros, at most six decimals. */
  readonly quantity: (quantity: string) => string
  /** `19` gives `19 %`. */
  readonly percent: (percent: string) => string
  /** A decimal with all its digits. */
  readonly decimal: (value: string) => string
  readonly date: (date: string) => string
  /** A half-open period by its first and last day. */
  readonly period: (start: string, end: string) => string
  /** The country's name for its code of ISO 3166. */
  readonly country: (code: string) => string
  readonly unit: (unit: string) => string
  /** Text whose direction is its own: it keeps its brackets and signs where they belong in text of the other direction. */
  readonly isolate: (text: string) => string
}

const formatsByLanguage = new Map<Language, Formats>()

export function formatsOf(language: Language): Formats {
  const known = formatsByLanguage.get(language)
  if (known) return known
  const formats = createFormats(profileOf(language))
  formatsByLanguage.set(language, formats)
  return formats
}

function createFormats(profile: LanguageProfile): Formats {
  const { direction, messages } = profile
  const number = createNumber(profile)
  const country = new Intl.DisplayNames(profile.locale, { type: 'region' })
  return {
    amount: (amountMinor, currency) => {
      const exponent = currencyExponent(currency)
      const value = fromMinor(amountMinor, currency).toFixed(exponent)
      return number(value, { min: exponent, max: exponent, currency })
    },
    unitPrice: (price, currency) => number(price, { min: currencyExponent(currency), max: 20, currency }),
    quantity: (quantity) => {
      const smallest = '0.000001'
      const isHidden = new Big(quantity).abs().lt(smallest) && !new Big(quantity).eq(0)
      if (isHidden) return messages.lessThan(number(smallest, { min: 0, max: 6 }))
      return number(quantity, { min: 0, max: 6 })
    },
    percent: (percent) => number(percent, { min: 0, max: 6, isPercent: true }),
    decimal: (value) => number(value, { min: 0, max: 20 }),
    ...createDates(profile),
    // Intl refuses what is no code at all; it is printed as it stands.
    country: (code) => (/^[A-Z]{2}$/.test(code) ? (country.of(code) ?? code) : code),
    unit: (unit) => Object.entries(messages.units).find(([name]) => name === unit)?.[1] ?? unit,
    isolate: (text) => (direction === 'rtl' || isRightToLeft(text) ? `\u2068${text}\u2069` : text),
  }
}

interface NumberStyle {
  readonly min: number
  readonly max: number
  readonly currency?: string
  readonly isPercent?: boolean
}

function createNumber({ locale, direction }: LanguageProfile): (value: string, style: NumberStyle) => string {
  // Making one takes longer than to write a hundred numbers with it.
  const made = new Map<string, Intl.NumberFormat>()
  const formatFor = ({ min, max, isPercent = false }: NumberStyle): Intl.NumberFormat => {
    const key = `${min} ${max} ${isPercent}`
    const format =
      made.get(key) ??
      new Intl.NumberFormat(locale, {
        minimumFractionDigits: min,
        maximumFractionDigits: max,
        roundingMode: 'trunc',
        ...(isPercent ? { style: 'unit', unit: 'percent' } : {}),
      })
    made.set(key, format)
    return format
  }
  return (value, style) => {
    // Intl takes decimals as text, digit by digit.
    const digits = new Big(value).toFixed() as Intl.StringNumericLiteral
    const text = formatFor(style)
      .format(digits)
      .replaceAll(/[\u200e\u200f\u061c]/g, '')
      .replace('-', '−')
    return readFromLeft(style.currency === undefined ? text : `${text}\u00a0${style.currency}`, direction)
  }
}

/** Whatever the direction of the text, a number is read from left to right, its sign before it and its unit after it. */
function readFromLeft(text: string, direction: 'ltr' | 'rtl'): string {
  return direction === 'rtl' ? `\u2066${text}\u2069` : text
}

function isRightToLeft(text: string): boolean {
  return /[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(text)
}

function createDates({ locale }: LanguageProfile): Pick<Formats, 'date' | 'period'> {
  // A date without a time is an instant at midnight UTC, which is also where it is read.
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' })
  return {
    date: (date) => format.format(new Date(date)),
    period: (start, end) => {
      const [first, last] = [new Date(start), new Date(addDays(end, -1))]
      // Japanese has ranges in digits only, which would look like another kind of date beside the others.
      if (locale === 'ja' && first < last) return `${format.format(first)}～${format.format(last)}`
      // A line may end after the dash, and nowhere else.
      return format
        .formatRange(first, last)
        .replaceAll(/[ \u2009]/g, '\u00a0')
        .replace('–\u00a0', '– ')
    },
  }
}
