import { assert } from '#domain/assert.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { isBilledAt, placeUsageEvent, refuseUnbilled, type UsageEvent } from '#domain/usage-event.ts'
import { takesUsage } from '#domain/usage-filter.ts'
import { checkReversal } from '#domain/usage-reversal.ts'
import type { Db } from './database.ts'
import { findKnownIds } from './read/address.ts'
import { readServedLines, type ServedLineRow } from './read/usage.ts'
import {
  findStoredBefore,
  storeUsageEvents,
  type NewUsageEvent,
  type SentName,
  type UsageEventResult,
} from './usage-event.ts'
import { holdUsageLines, toUsageLine, type UsageLine } from './usage-line.ts'
import { lockReversedEvents, type ReversedEventRow } from './usage-reversal.ts'

/** What became of one event. A refused one counts nowhere. */
export type IntakeResult = { readonly result: 'stored' | 'duplicate' } | Refused

export interface Refused {
  readonly refusal: BusinessError
}

export function countTaken(results: readonly IntakeResult[]): { stored: number; duplicates: number } {
  const count = (of: 'stored' | 'duplicate') =>
    results.filter((result) => 'result' in result && result.result === of).length
  return { stored: count('stored'), duplicates: count('duplicate') }
}

/** An event that was read, with the line that it would count for. */
export interface PlacedEvent<Line = ServedLineRow> {
  readonly event: NewUsageEvent
  readonly line: Line
}

/** An event with the moment in which it came, where that is not now. */
export interface ArrivedEvent extends UsageEvent {
  readonly arrivedMs?: number
}

/** Does together what can be read, and gives what came of it in the places of all. */
export async function withRead<Value, Event, Result>(
  values: readonly Value[],
  read: (value: Value) => Event,
  work: (events: readonly Event[]) => Promise<readonly (Result | Refused)[]>,
): Promise<(Result | Refused)[]> {
  const events: Event[] = []
  const refusals: (Refused | undefined)[] = values.map((value) => {
    try {
      events.push(read(value))
      return undefined
    } catch (error) {
      if (error instanceof BusinessError) return { refusal: error }
      throw error
    }
  })
  const results = (await work(events)).values()
  return refusals.map((refusal) => {
    if (refusal !== undefined) return refusal
    const { value: result } = results.next()
    assert(result !== undefined, 'what was read has a result')
    return result
  })
}

/** How the subjects of events are found: by what whoever sends them calls subscriptions. */
export interface SubjectReader {
  /** By text: a subscription, known or not, or the refusal of what can be none. */
  readonly read: (db: Db, texts: ReadonlySet<string>) => Promise<Map<string, string | BusinessError>>
  readonly unknown: (text: string) => BusinessError
}

export interface Placing {
  readonly db: Db
  readonly subjects: SubjectReader
  readonly now: () => string
}

const isStored: IntakeResult = { result: 'stored' }
const isDuplicate: IntakeResult = { result: 'duplicate' }

/**
 * Stores what counts for a line, and refuses the rest, in the caller's transaction, by few statements however many events there
 * are. Events that reverse another one come last: it may be among those that were sent with them.
 * @returns in the order of the events
 */
export async function storePlaced(
  { db: tx, now, subjects: reader }: Placing,
  events: readonly ArrivedEvent[],
): Promise<IntakeResult[]> {
  const subjects = await readSubjects(tx, reader, events)
  const held = await holdUsageLines(tx, subjects.ids)
  await refuseUnknown(tx, reader, subjects, held)
  const nowMs = Date.parse(now())
  const results: IntakeResult[] = Array.from({ length: events.length })
  const clockOf = (subscriptionId: string) => toInstant(held.get(subscriptionId)?.[0]?.nowMs ?? nowMs)
  for (const round of inRounds(events)) {
    const sent = round.flatMap((index) => events[index] ?? [])
    const reversed = await readReversed(tx, sent)
    const placed: { readonly index: number; readonly event: NewUsageEvent }[] = []
    for (const [at, index] of round.entries()) {
      const event = sent[at]
      assert(event, 'an index is one of the events')
      const found = placeOrRefuse(event, { subjects: subjects.byText, lines: held, nowMs, reversed })
      if ('refusal' in found) results[index] = found
      else placed.push({ index, event: found.event })
    }
    const stored = await storeUsageEvents(
      tx,
      placed.map(({ event }) => event),
      held,
      clockOf,
    )
    for (const [at, { index, event }] of placed.entries()) results[index] = toResult(event, stored[at])
  }
  const known = await findStoredBefore(tx, refusedNow(events, results, subjects.byText))
  return results.map((result, index) => (known.has(index) ? isDuplicate : result))
}

/**
 * What is refused now, for it comes too late, or its line has ended: what was stored while it was not counts, and sent again it is a
 * duplicate as ever.
 */
function refusedNow(
  events: readonly ArrivedEvent[],
  results: readonly IntakeResult[],
  subjects: Subjects['byText'],
): SentName[] {
  return events.flatMap((event, index): SentName[] => {
    const result = results[index]
    const subscriptionId = subjects.get(event.subscription)
    if (result === undefined || !('refusal' in result) || typeof subscriptionId !== 'string') return []
    if (result.refusal.code === 'usage_event_conflict') return []
    const { source, id: eventId, metric, quantity, reverses } = event
    // One that takes back another has the unit and the instant of that one.
    const own = reverses === null ? event : { unit: null, occurredMs: null }
    return [
      {
        index,
        source,
        eventId,
        subscriptionId,
        metric,
        quantity,
        unit: own.unit,
        occurredMs: own.occurredMs,
      },
    ]
  })
}

/**
 * Places of those that stand for themselves, then of those that reverse another one: in rounds in which no event is reversed
 * twice, so that the second of two that reverse the same one finds it reversed. All that are reversed are held with the first.
 */
function inRounds(events: readonly UsageEvent[]): readonly (readonly number[])[] {
  const rounds: number[][] = [[]]
  const lastRounds = new Map<string, number>()
  for (const [index, { source, reverses }] of events.entries()) {
    const name = nameOf(source, reverses)
    const round = reverses === null ? 0 : (lastRounds.get(name) ?? 0) + 1
    if (reverses !== null) lastRounds.set(name, round)
    const places = (rounds[round] ??= [])
    places.push(index)
  }
  return rounds
}

/** What each event would count for, as the intake decides it; nothing is written. */
export async function placeOnly(
  { db, now, subjects: reader }: Placing,
  events: readonly UsageEvent[],
): Promise<(PlacedEvent | Refused)[]> {
  const subjects = await readSubjects(db, reader, events)
  const rows = await readServedLines(db, subjects.ids)
  await refuseUnknown(db, reader, subjects, rows)
  const lines = new Map(
    [...rows].map(([id, found]) => [id, found.map((row) => ({ ...toUsageLine(row), row }))]),
  )
  const reversed = await readReversed(db, events)
  const context = { subjects: subjects.byText, lines, nowMs: Date.parse(now()), reversed }
  return events.map((event) => {
    const placed = placeOrRefuse(event, context)
    return 'refusal' in placed ? placed : { event: placed.event, line: placed.line.row }
  })
}

interface Subjects {
  readonly byText: Map<string, string | BusinessError>
  readonly ids: readonly string[]
}

async function readSubjects(db: Db, reader: SubjectReader, events: readonly UsageEvent[]): Promise<Subjects> {
  const byText = await reader.read(db, new Set(events.map((event) => event.subscription)))
  return { byText, ids: [...new Set([...byText.values()].filter((found) => typeof found === 'string'))] }
}

/** Those that have no metered line: is there such a subscription at all? */
async function refuseUnknown(
  db: Db,
  { unknown }: SubjectReader,
  { byText, ids }: Subjects,
  lines: ReadonlyMap<string, unknown>,
): Promise<void> {
  const without = ids.filter((id) => !lines.has(id))
  if (without.length === 0) return
  const known = await findKnownIds(db, 'subscription', without)
  for (const [text, id] of byText)
    if (typeof id === 'string' && !lines.has(id) && !known.has(id)) byText.set(text, unknown(text))
}

/** By `nameOf`. */
type ReversedEvents = ReadonlyMap<string, ReversedEventRow>

async function readReversed(db: Db, events: readonly UsageEvent[]): Promise<ReversedEvents> {
  const names = events.flatMap(({ source, reverses }) =>
    reverses === null ? [] : [{ source, eventId: reverses }],
  )
  const rows = names.length === 0 ? [] : await lockReversedEvents(db, names)
  return new Map(rows.map((row) => [nameOf(row.source, row.eventId), row]))
}

function nameOf(source: string, eventId: string | null): string {
  return `${source} ${eventId}`
}

interface PlacingContext<Line extends UsageLine> {
  readonly subjects: ReadonlyMap<string, string | BusinessError>
  readonly lines: ReadonlyMap<string, readonly Line[]>
  readonly nowMs: number
  readonly reversed: ReversedEvents
}

function placeOrRefuse<Line extends UsageLine>(
  event: ArrivedEvent,
  context: PlacingContext<Line>,
): PlacedEvent<Line> | Refused {
  const subscriptionId = context.subjects.get(event.subscription)
  assert(subscriptionId, 'every text stands for something or is refused')
  if (subscriptionId instanceof BusinessError) return { refusal: subscriptionId }
  try {
    return event.reverses === null
      ? place(event, subscriptionId, context)
      : placeReversal(event, subscriptionId, context)
  } catch (error) {
    if (error instanceof BusinessError) return { refusal: error }
    throw error
  }
}

/** It counts where the event counts that it reverses. */
function placeReversal<Line extends UsageLine>(
  event: ArrivedEvent,
  subscriptionId: string,
  context: PlacingContext<Line>,
): PlacedEvent<Line> {
  const reversed = context.reversed.get(nameOf(event.source, event.reverses))
  checkReversal(event, subscriptionId, reversed)
  const { unit, occurredMs, properties } = reversed
  const placed = place({ ...event, unit, occurredMs, properties }, subscriptionId, context)
  return { ...placed, event: { ...placed.event, reversesId: reversed.id } }
}

function place<Line extends UsageLine>(
  event: ArrivedEvent,
  subscriptionId: string,
  context: PlacingContext<Line>,
): PlacedEvent<Line> {
  const metered = context.lines.get(subscriptionId)?.filter(({ metric }) => metric === event.metric) ?? []
  if (metered.length === 0)
    throw fieldError('/type', 'metric_unknown', `The subscription does not meter ${event.metric}.`)
  const taking = metered.filter(({ usageFilter }) => takesUsage(usageFilter, event.properties))
  const newest = taking.at(-1)
  if (!newest) {
    const detail = `No line of the subscription bills ${event.metric} with these properties.`
    throw fieldError('/data/properties', 'usage_not_taken', detail)
  }
  // A test clock's subscription knows only its own time.
  const arrivedMs = newest.nowMs === null ? (event.arrivedMs ?? null) : null
  const at = { unit: event.unit, occurredMs: event.occurredMs ?? arrivedMs }
  const occurredMs = at.occurredMs ?? newest.nowMs ?? context.nowMs
  const line = taking.findLast(({ billed }) => isBilledAt(occurredMs, billed)) ?? newest
  const placed = placeUsageEvent(at, {
    unit: line.unit,
    nowMs: line.nowMs ?? context.nowMs,
    servedUntilMs: line.servedUntilMs,
    ...line.bounds,
  })
  refuseUnbilled(
    placed.occurredMs,
    taking.map(({ billed }) => billed),
  )
  return {
    event: {
      source: event.source,
      eventId: event.id,
      subscriptionId,
      metric: event.metric,
      quantity: event.quantity,
      unit: placed.unit,
      occurredMs: placed.occurredMs,
      isInstantOfArrival: event.occurredMs === null,
      properties: event.properties,
      startedMs: event.startedMs,
    },
    line,
  }
}

function toResult(event: NewUsageEvent, result: UsageEventResult | undefined): IntakeResult {
  assert(result, 'an event has a result')
  if (result !== 'conflict') return result === 'stored' ? isStored : isDuplicate
  const detail = `${event.source} ${event.eventId} was recorded with other content.`
  return { refusal: new BusinessError('usage_event_conflict', detail) }
}

function toInstant(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
