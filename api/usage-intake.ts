import type { Db, Tx } from '#db/database.ts'
import { readMeteredLines, type MeteredLineRow } from '#db/read/usage.ts'
import { storeUsageEvents, type NewUsageEvent } from '#db/usage-event.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { placeUsageEvent, readUsageEvent, type UsageEvent } from '#domain/usage-event.ts'
import { resolveFields } from './addressing.ts'

/** What became of one event. A refused one left nothing. */
export type IntakeResult = { readonly result: 'stored' | 'duplicate' } | { readonly refusal: BusinessError }

/** An event that was read, with the line that it would count for. */
export interface PlacedEvent {
  readonly event: NewUsageEvent
  readonly line: MeteredLineRow
}

interface Waiting {
  readonly events: readonly UsageEvent[]
  readonly resolve: (results: IntakeResult[]) => void
  readonly reject: (error: unknown) => void
}

export interface IntakeLimits {
  /** Events of one transaction: more are not cheaper any more. */
  readonly chunkEvents: number
  /** Transactions at once. A second one works while the first waits for the disk. */
  readonly writers: number
  /** Events that may wait; whoever comes then is asked to come again. */
  readonly waitingEvents: number
}

const defaultLimits: IntakeLimits = { chunkEvents: 1000, writers: 2, waitingEvents: 20_000 }

/**
 * Takes usage events of all requests together: what comes while one transaction is written is written by the next one, so
 * that a thousand single events cost little more than one batch of a thousand. Whoever pushes has his answer after the commit.
 */
export interface UsageIntake {
  /**
   * @returns in the order of the values
   * @throws `too_many_requests` when more waits than can be held; nothing was taken then
   */
  push(values: readonly unknown[]): Promise<IntakeResult[]>
}

export function createUsageIntake(
  deps: { readonly db: Db; readonly now: () => string },
  limits: IntakeLimits = defaultLimits,
): UsageIntake {
  const waiting: Waiting[] = []
  let waitingEvents = 0
  let writers = 0

  function takeChunk(): Waiting[] {
    const chunk: Waiting[] = []
    let size = 0
    while (
      waiting[0] !== undefined &&
      (size === 0 || size + waiting[0].events.length <= limits.chunkEvents)
    ) {
      size += waiting[0].events.length
      chunk.push(...waiting.splice(0, 1))
    }
    waitingEvents -= size
    return chunk
  }

  async function write(): Promise<void> {
    writers += 1
    for (let chunk = takeChunk(); chunk.length > 0; chunk = takeChunk()) await settle(deps, chunk)
    writers -= 1
  }

  async function store(events: readonly UsageEvent[]): Promise<IntakeResult[]> {
    if (events.length === 0) return []
    if (waitingEvents + events.length > limits.waitingEvents) {
      throw new BusinessError('too_many_requests', 'More usage events wait than can be held.')
    }
    waitingEvents += events.length
    return await new Promise((resolve, reject) => {
      waiting.push({ events, resolve, reject })
      // Begun a moment later, so that what comes in the same moment is in the same transaction.
      if (writers < limits.writers) setImmediate(() => void (writers < limits.writers && write()))
    })
  }

  return {
    async push(values) {
      const read = values.map(readOne)
      const results = await store(read.flatMap((of) => ('event' in of ? [of.event] : [])))
      let next = 0
      return read.map((of) => {
        if ('refusal' in of) return of
        const result = results[next]
        next += 1
        if (result === undefined) throw new Error('an event has no result')
        return result
      })
    },
  }
}

/** What could not even be parsed comes as its refusal. */
function readOne(value: unknown): { event: UsageEvent } | { refusal: BusinessError } {
  if (value instanceof BusinessError) return { refusal: value }
  try {
    return { event: readUsageEvent(value) }
  } catch (error) {
    return { refusal: refusalOf(error) }
  }
}

function refusalOf(error: unknown): BusinessError {
  if (error instanceof BusinessError) return error
  throw error
}

async function settle(deps: { db: Db; now: () => string }, chunk: readonly Waiting[]): Promise<void> {
  try {
    const results = await storeChunk(
      deps,
      chunk.flatMap(({ events }) => events),
    )
    let from = 0
    for (const { events, resolve } of chunk) {
      resolve(results.slice(from, from + events.length))
      from += events.length
    }
  } catch (error) {
    for (const { reject } of chunk) reject(error)
  }
}

async function storeChunk(
  deps: { db: Db; now: () => string },
  events: readonly UsageEvent[],
): Promise<IntakeResult[]> {
  return await deps.db.transaction().execute(async (tx) => {
    const placed = await placeEvents(tx, events, deps.now())
    const good = placed.flatMap((of) => ('event' in of ? [of] : []))
    const nowOf = new Map(good.map(({ event, line }) => [event.subscriptionId, line.clock_now_at]))
    const stored = await storeUsageEvents(
      tx,
      good.map(({ event }) => event),
      (subscriptionId) => nowOf.get(subscriptionId) ?? deps.now(),
    )
    let next = 0
    return placed.map((of): IntakeResult => {
      if ('refusal' in of) return of
      const result = stored[next]
      next += 1
      if (result === undefined) throw new Error('an event has no result')
      return result === 'conflict' ? { refusal: conflictOf(of.event) } : { result }
    })
  })
}

function conflictOf(event: NewUsageEvent): BusinessError {
  return new BusinessError(
    'usage_event_conflict',
    `${event.source} ${event.eventId} was recorded with other content.`,
  )
}

/** What each event counts for, by few queries; nothing is written. */
export async function placeEvents(
  db: Db | Tx,
  events: readonly UsageEvent[],
  now: string,
): Promise<(PlacedEvent | { readonly refusal: BusinessError })[]> {
  const texts = [...new Set(events.map((event) => event.subscription))]
  const field = { kind: 'subscription', pointer: '/subject', unknown: 'subscription_unknown' } as const
  const subjects = await resolveFields(db, { ...field, texts })
  const ids = new Set([...subjects.values()].flatMap((found) => (typeof found === 'string' ? [found] : [])))
  const lines = await readMeteredLines(db, [...ids])
  return events.map((event) => {
    const subscriptionId = subjects.get(event.subscription)
    if (typeof subscriptionId !== 'string')
      return { refusal: subscriptionId ?? new BusinessError('subscription_unknown', event.subscription) }
    try {
      return place(event, { subscriptionId, lines: lines.get(subscriptionId) ?? [], now })
    } catch (error) {
      return { refusal: refusalOf(error) }
    }
  })
}

function place(
  event: UsageEvent,
  context: { subscriptionId: string; lines: readonly MeteredLineRow[]; now: string },
): PlacedEvent {
  const line = context.lines.findLast((candidate) => candidate.metric === event.metric)
  if (!line) throw fieldError('/type', 'metric_unknown', `The subscription does not meter ${event.metric}.`)
  const isOver = line.phase === 'unbuilding' || line.phase === 'ended'
  const placed = placeUsageEvent(event, {
    unit: line.unit,
    now: line.clock_now_at ?? context.now,
    servedUntil: isOver ? line.served_until : null,
  })
  return {
    event: {
      source: event.source,
      eventId: event.id,
      subscriptionId: context.subscriptionId,
      metric: event.metric,
      quantity: event.quantity,
      isInstantOfArrival: event.occurredAt === null,
      ...placed,
    },
    line,
  }
}
