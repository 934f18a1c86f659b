import Big from 'big.js'
import { atField, BusinessError, fieldError, type ErrorCode } from './errors.ts'
import { pointerOf } from './json-pointer.ts'
import { checkConvertible } from './unit.ts'
import { readUsageProperties, type UsageProperties } from './usage-filter.ts'

/** A usage event as its sender wrote it, checked for its shape: whom and what it names is not looked up yet. */
export interface UsageEvent {
  /** Who counted. Source and id together name the event for ever. */
  readonly source: string
  readonly id: string
  /** Id of a subscription, or `ext:` and its external id. */
  readonly subscription: string
  readonly metric: string
  /** Decimal, 0 or more; of a reversing event below 0. */
  readonly quantity: string
  /** Null: the unit of what is sold. */
  readonly unit: string | null
  /** Milliseconds since 1970, as windows are cut by them; null: the moment in which it came. Of a span, its end: it counts there. */
  readonly occurredMs: number | null
  /** The beginning of a span over which it was used, in milliseconds; null where it was used at an instant. */
  readonly startedMs: number | null
  /** By which lines are told apart: region is eu. Null where it says none. */
  readonly properties: UsageProperties | null
  /** Id of an event of the same source, of which this one takes back a part or all. */
  readonly reverses: string | null
}

/** From when on and up to when events are taken, by the settings of the seller. */
export interface EventBounds {
  /** How late one may come; after its period was billed, the next invoice bills it as late. */
  readonly lateDays: number
  /** Clocks of other machines go ahead a little. */
  readonly earlySeconds: number
}

/** What an event is decided by: a metered line of its subscription. */
export interface MeteredLine extends EventBounds {
  readonly unit: string
  /** The subscription's own now, in milliseconds since 1970: of its test clock, or the present. */
  readonly nowMs: number
  /** Nothing after this instant is ever billed; null while the subscription lives. */
  readonly servedUntilMs: number | null
}

/** When a line bills, in milliseconds since 1970: after the one, up to the other; null: from or to no instant that is known yet. */
export interface BilledStretch {
  readonly beginsMs: number | null
  readonly endsMs: number | null
}

/** An event that counts for a line. */
export interface PlacedUsageEvent {
  readonly unit: string
  readonly occurredMs: number
}

const dayMs = 24 * 3_600_000

const dataFields: ReadonlySet<string> = new Set([
  'quantity',
  'unit',
  'properties',
  'reverses',
  'start',
  'end',
])
const visible = /^[\x21-\x7e]{1,200}$/
const decimal = /^\d{1,15}(?:\.\d{1,10})?$/
const metricCode = /^[a-z][a-z0-9_-]{0,59}$/
/** RFC 3339, as CloudEvents has it. */
const timestamp = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/**
 * Reads an event in the JSON format of CloudEvents 1.0 (https://github.com/cloudevents/spec): `type` is the metric, `subject`
 * the subscription, `time` the instant of use, `data` the quantity, and perhaps its unit, properties, and the id of the event
 * that it reverses, which alone may make the quantity negative. What was used from `start` to `end` counts at its end, so that each
 * value is in one period (D-10). Extension attributes are let be.
 * @example `{"specversion":"1.0","id":"42","source":"gateway","type":"network","subject":"sub_…","data":{"quantity":"2.5"}}`
 * @throws `field_required`, `field_invalid`, `quantity_invalid`, `quantity_negative`, `window_without_dates`, with the pointer of the
 *   attribute
 */
export function readUsageEvent(value: unknown): UsageEvent {
  if (!isRecord(value)) throw new BusinessError('field_invalid', 'An event is a JSON object.')
  if (value['specversion'] !== '1.0') {
    throw fieldError('/specversion', codeOf(value['specversion']), 'specversion is "1.0", as text.')
  }
  const { data, datacontenttype: contentType } = value
  const isJson = typeof contentType === 'string' && /^application\/(?:\S+\+)?json\b/i.test(contentType)
  if (contentType !== undefined && !isJson) {
    throw fieldError('/datacontenttype', 'field_invalid', 'The data of a usage event is JSON.')
  }
  if (!isRecord(data)) {
    throw fieldError('/data', codeOf(data), 'data is an object with quantity and perhaps unit.')
  }
  refuseUnknownData(data)
  const reverses = readReverses(data['reverses'])
  const span = readSpan(data)
  return {
    source: readText(value, 'source'),
    id: readText(value, 'id'),
    subscription: readText(value, 'subject'),
    metric: readMetric(value['type']),
    quantity: reverses === null ? readQuantity(data['quantity']) : readReversal(data['quantity']),
    unit: readUnit(data['unit']),
    occurredMs: span?.endMs ?? readInstant(value['time'], '/time'),
    startedMs: span?.startMs ?? null,
    properties: data['properties'] === undefined ? null : readUsageProperties(data['properties']),
    reverses,
  }
}

/** Source and id of what was sent, where it has both: also of what is refused. */
export function readEventName(value: unknown): { readonly source: string; readonly id: string } | null {
  if (!isRecord(value)) return null
  const { source, id } = value
  const isNamed =
    typeof source === 'string' && typeof id === 'string' && visible.test(source) && visible.test(id)
  return isNamed ? { source, id } : null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function codeOf(value: unknown): ErrorCode {
  return value === undefined ? 'field_required' : 'field_invalid'
}

function readText(event: Record<string, unknown>, name: string): string {
  const value = event[name]
  if (typeof value === 'string' && visible.test(value)) return value
  throw fieldError(`/${name}`, codeOf(value), `${name} is text of 1 to 200 visible ASCII characters.`)
}

function readMetric(value: unknown): string {
  if (typeof value === 'string' && metricCode.test(value)) return value
  throw fieldError('/type', codeOf(value), 'type is the code of a metric, such as network.')
}

function readQuantity(value: unknown): string {
  const text = toText(value)
  if (typeof text === 'string' && decimal.test(text)) return text
  if (typeof text === 'string' && text.startsWith('-') && decimal.test(text.slice(1))) {
    const detail = 'A quantity is 0 or more; what takes back another event names it in reverses.'
    throw fieldError('/data/quantity', 'quantity_negative', detail)
  }
  const code = value === undefined ? 'field_required' : 'quantity_invalid'
  throw fieldError(
    '/data/quantity',
    code,
    'A quantity is a decimal from 0, with at most 15 digits before the point and 10 after it.',
  )
}

/** Text, or a JSON number, without the exponent that small ones are written with: 1e-7 is 0.0000001. */
function toText(value: unknown): unknown {
  if (typeof value !== 'number') return value
  const written = String(value)
  return written.includes('e') ? new Big(written).toFixed() : written
}

/** What a reversing event takes back, below 0: -3 makes 5 of the 8 that were told first. */
function readReversal(value: unknown): string {
  const text = toText(value)
  const isBelowZero =
    typeof text === 'string' && text.startsWith('-') && decimal.test(text.slice(1)) && /[1-9]/.test(text)
  if (isBelowZero) return text
  const code = value === undefined ? 'field_required' : 'quantity_invalid'
  throw fieldError(
    '/data/quantity',
    code,
    'The quantity of a reversing event is what it takes back: a decimal below 0.',
  )
}

function readReverses(value: unknown): string | null {
  if (value === undefined) return null
  if (typeof value === 'string' && visible.test(value)) return value
  throw fieldError('/data/reverses', 'field_invalid', 'reverses is the id of an event of the same source.')
}

function readUnit(value: unknown): string | null {
  if (value === undefined) return null
  if (typeof value === 'string' && value.length <= 40) return value
  throw fieldError('/data/unit', 'field_invalid', 'unit is the name of a unit, such as GiB.')
}

/** A misspelt unit would be billed as if none had been given. */
function refuseUnknownData(data: Record<string, unknown>): void {
  for (const key in data) if (!dataFields.has(key)) throw unknownData(key)
}

function unknownData(name: string): BusinessError {
  const detail = 'data has quantity, and perhaps unit, properties, reverses, start and end, and nothing else.'
  return fieldError(pointerOf(['data', name]), 'field_invalid', detail)
}

/** A value of a span has both ends, or there is no telling in which period it is (D-08). */
function readSpan({ start, end }: Record<string, unknown>): { startMs: number; endMs: number } | null {
  if (start === undefined && end === undefined) return null
  const [startMs, endMs] = [readInstant(start, '/data/start'), readInstant(end, '/data/end')]
  if (startMs === null || endMs === null) {
    const lacking = startMs === null ? 'start' : 'end'
    const detail = `A value of a span has start and end: ${lacking} is missing.`
    throw fieldError(`/data/${lacking}`, 'window_without_dates', detail)
  }
  if (startMs < endMs) return { startMs, endMs }
  throw fieldError('/data/end', 'date_range_invalid', 'The end of a span is after its start.')
}

function readInstant(value: unknown, pointer: string): number | null {
  if (value === undefined) return null
  if (typeof value === 'string' && timestamp.test(value) && isInCalendar(value)) {
    const milliseconds = Date.parse(value)
    if (!Number.isNaN(milliseconds)) return milliseconds
  }
  const name = pointer.split('/').at(-1)
  throw fieldError(pointer, 'field_invalid', `${name} is an instant, such as 2026-01-31T09:00:00Z.`)
}

/** The 30th of February would be read as the 2nd of March, and hour 24 as the next day: in another period, perhaps. */
function isInCalendar(written: string): boolean {
  const [day, hour] = [Number(written.slice(8, 10)), Number(written.slice(11, 13))]
  const lastDay = () =>
    new Date(Date.UTC(Number(written.slice(0, 4)), Number(written.slice(5, 7)), 0)).getUTCDate()
  return hour < 24 && (day <= 28 || day <= lastDay())
}

/**
 * Whether an event counts for a line, when, and in which unit.
 * @throws `unit_unknown`, `unit_not_convertible`, `usage_event_in_future`, `usage_event_too_late`, `subscription_ended`
 */
export function placeUsageEvent(
  event: Pick<UsageEvent, 'unit' | 'occurredMs'>,
  line: MeteredLine,
): PlacedUsageEvent {
  const unit = event.unit ?? line.unit
  if (unit !== line.unit) atField('/data/unit', () => checkConvertible(unit, line.unit))
  const occurredMs = event.occurredMs ?? line.nowMs
  const sinceMs = line.nowMs - occurredMs
  if (sinceMs < -line.earlySeconds * 1_000) {
    const detail = `The event lies in the future: it is ${toInstant(line.nowMs)} now.`
    throw fieldError('/time', 'usage_event_in_future', detail)
  }
  if (sinceMs > line.lateDays * dayMs) {
    const detail = `The event is more than ${line.lateDays} days old: it is ${toInstant(line.nowMs)} now.`
    throw fieldError('/time', 'usage_event_too_late', detail)
  }
  if (line.servedUntilMs !== null && occurredMs > line.servedUntilMs) {
    const detail = `The subscription had ended by then: ${toInstant(line.servedUntilMs)}.`
    throw fieldError('/time', 'subscription_ended', detail)
  }
  return { unit, occurredMs }
}

/**
 * Whether a line bills what was used at an instant. One on the boundary belongs to what was before it.
 * @param stretches of the lines that bill the metric, all of them
 * @throws `subscription_not_begun`, `subscription_ended`
 */
export function refuseUnbilled(occurredMs: number, stretches: readonly BilledStretch[]): void {
  if (stretches.some((one) => isBilledAt(occurredMs, one))) return
  const begins = Math.min(...stretches.map(({ beginsMs }) => beginsMs ?? -Infinity))
  if (occurredMs <= begins) {
    const detail = `The subscription had not begun by then: it bills what is used after ${toInstant(begins)}.`
    throw fieldError('/time', 'subscription_not_begun', detail)
  }
  const ended = Math.max(
    ...stretches.flatMap(({ endsMs }) => (endsMs !== null && endsMs < occurredMs ? endsMs : [])),
  )
  throw fieldError(
    '/time',
    'subscription_ended',
    `The line that bills it had ended by then: ${toInstant(ended)}.`,
  )
}

export function isBilledAt(occurredMs: number, { beginsMs, endsMs }: BilledStretch): boolean {
  return (beginsMs === null || occurredMs > beginsMs) && (endsMs === null || occurredMs <= endsMs)
}

function toInstant(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
