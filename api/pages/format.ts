import type { BillingInterval } from '#domain/calendar.ts'
import { addDays } from '#domain/calendar.ts'
import { currencyExponent, formatMoney } from '#domain/money.ts'
import { isWholeUnit } from '#domain/unit.ts'

const longDate = { day: 'numeric', month: 'long', year: 'numeric' } as const

/** `31 March 2026` */
export function formatDate(date: string): string {
  return Temporal.PlainDate.from(date).toLocaleString('en-GB', longDate)
}

/** `2026-03` as `March 2026` */
export function formatMonth(month: string): string {
  return Temporal.PlainDate.from(`${month}-01`).toLocaleString('en-GB', { month: 'long', year: 'numeric' })
}

/**
 * A half-open period by its first and last day, as people say it: `1 to 31 March 2026`, `28 February to 30 March 2026`,
 * `31 December 2026 to 30 January 2027`, `1 March 2026`.
 */
export function formatPeriod(start: string, end: string): string {
  const first = Temporal.PlainDate.from(start)
  const last = Temporal.PlainDate.from(addDays(end, -1))
  if (first.equals(last)) return formatDate(start)
  const lastText = last.toLocaleString('en-GB', longDate)
  if (first.year !== last.year) return `${formatDate(start)} to ${lastText}`
  if (first.month !== last.month) {
    return `${first.toLocaleString('en-GB', { day: 'numeric', month: 'long' })} to ${lastText}`
  }
  return `${first.day} to ${lastText}`
}

/** `25 Nov 2026, 13:42:07 UTC` in the given time zone. */
export function formatInstant(instant: string, timeZone: string): string {
  return Temporal.Instant.from(instant).toLocaleString('en-GB', {
    timeZone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  })
}

/** `just now`, `4 min ago`, `3 h ago`, `in 2 days` */
export function formatDistance(instant: string, now: string): string {
  const seconds = Math.round((Date.parse(now) - Date.parse(instant)) / 1000)
  const distance = Math.abs(seconds)
  if (distance < 5) return 'just now'
  const text =
    distance < 60
      ? `${distance} s`
      : distance < 3_600
        ? `${Math.floor(distance / 60)} min`
        : distance < 86_400
          ? `${Math.floor(distance / 3_600)} h`
          : plural(Math.floor(distance / 86_400), 'day')
  return seconds >= 0 ? `${text} ago` : `in ${text}`
}

/** `0.4 s`, `12 s`, `2 min 5 s` */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  const whole = Math.round(seconds)
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`
}

/** `1,234.50 USD`, with a real minus sign. */
export function formatAmount(amountMinor: number, currency: string): string {
  return groupThousands(formatMoney(amountMinor, currency)).replace(/^-/, '−')
}

/** A decimal with at least the decimals of its currency, and all it has: `1.00`, `0.0000012345`. */
export function formatUnitPrice(price: string, currency: string): string {
  const [whole = '0', fraction = ''] = price.split('.')
  const digits = fraction.replace(/0+$/, '').padEnd(currencyExponent(currency), '0')
  return `${groupThousands(digits === '' ? whole : `${whole}.${digits}`)} ${currency}`
}

/** A quantity without idle zeros, at most six decimals: `5`, `2.5`, `0.000977`. */
export function formatQuantity(quantity: string): string {
  const [whole = '0', fraction = ''] = quantity.split('.')
  const digits = fraction.slice(0, 6).replace(/0+$/, '')
  const isHidden = digits === '' && whole === '0' && /[1-9]/.test(fraction)
  if (isHidden) return 'less than 0.000001'
  return groupThousands(digits === '' ? whole : `${whole}.${digits}`)
}

function groupThousands(text: string): string {
  return text.replace(/^(-?)(\d+)/, (_, sign: string, digits: string) => {
    return `${sign}${digits.replaceAll(/\B(?=(\d{3})+$)/g, ',')}`
  })
}

/** `5 users`, `1 user`, `2 GiB` */
export function formatCount(quantity: string, unit: string): string {
  const isPlural = quantity !== '1' && (isWholeUnit(unit) || unit === 'month' || unit === 'request')
  return `${formatQuantity(quantity)} ${unit}${isPlural ? 's' : ''}`
}

/** `a month`, `3 months`, `a day`; a month that ends with the calendar's is a month all the same. */
export function formatInterval(interval: BillingInterval): string {
  const unit = interval.unit === 'month_last_day' ? 'month' : interval.unit
  if (interval.unit !== 'day' && interval.count % 12 === 0) {
    return interval.count === 12 ? 'a year' : `${interval.count / 12} years`
  }
  return interval.count === 1 ? `a ${unit}` : `${interval.count} ${unit}s`
}

/** `512 B`, `3.4 KiB`, `20.0 MiB`: whole bytes as decimal text. */
export function formatBytes(bytes: string): string {
  const count = Number(bytes)
  if (count < 1_024) return `${count} B`
  const step = Math.min(4, Math.floor(Math.log2(count) / 10))
  return `${(count / 1_024 ** step).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][step]}`
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
