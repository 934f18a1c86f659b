import { formatMoney } from '#domain/money.ts'

export function moneyText(money: { amount_minor: number; currency: string }): string {
  return formatMoney(money.amount_minor, money.currency)
}

/** `2026-11-25 13:48 UTC`; a dash where there is none. */
export function instantText(instant: string | null): string {
  if (instant === null) return '–'
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`; never, where it never was. */
export function ageText(instant: string | null, nowMs: number): string {
  if (instant === null) return 'never'
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(instant)) / 1_000))
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min ago`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h ago`
  return `${Math.round(seconds / 86_400)} d ago`
}

export function intervalText(interval: { count: number; unit: string } | null): string {
  if (interval === null) return 'once'
  return interval.count === 1 ? `every ${interval.unit}` : `every ${interval.count} ${interval.unit}s`
}

/** From start to end, or until now for what still runs. */
export function secondsText(startedAt: string | null, finishedAt: string | null, nowMs: number): string {
  if (startedAt === null) return '–'
  const endMs = finishedAt === null ? nowMs : Date.parse(finishedAt)
  return `${(Math.max(0, endMs - Date.parse(startedAt)) / 1_000).toFixed(1)} s`
}
