import type { Db } from '#db/database.ts'
import { readServedLines, type ServedLineRow } from '#db/read/usage.ts'
import { storeUsageEvents, type NewUsageEvent, type UsageEventResult } from '#db/usage-event.ts'
import { assert } from '#domain/assert.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { placeUsageEvent, readUsageEvent, type UsageEvent } from '#domain/usage-event.ts'
import { resolveFields } from './addressing.ts'

/** What became of one event. A refused one left nothing. */
export type IntakeResult = { readonly result: 'stored' | 'duplicate' } | Refused

interface Refused {
  readonly refusal: BusinessError
}

/** An event that was read, with the line that it would count for. */
export interface PlacedEvent {
  readonly event: NewUsageEvent
  readonly line: ServedLineRow
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
    push: async (values) =>
      await doneTogether(values.map(readOne), async (read) => await store(read.map(({ event }) => event))),
  }
}

/** Does together what was not refused before, and gives what came of it in the places of all. */
async function doneTogether<Good extends object, Result>(
  items: readonly (Good | Refused)[],
  work: (good: readonly Good[]) => Promise<readonly Result[]>,
): Promise<(Result | Refused)[]> {
  const good = items.filter((item): item is Good => !isRefused(item))
  const results = new Map((await work(good)).map((result, index) => [good[index], result]))
  return items.map((item) => {
    if (isRefused(item)) return item
    const result = results.get(item)
    assert(result !== undefined, 'what was done together has a result each')
    return result
  })
}

function isRefused(item: object): item is Refused {
  return 'refusal' in item
}

/** What could not even be parsed comes as its refusal. */
function readOne(value: unknown): { readonly event: UsageEvent } | Refused {
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
    return await doneTogether(placed, async (good): Promise<IntakeResult[]> => {
      const nowOf = new Map(good.map(({ event, line }) => [event.subscriptionId, line.clock_now_at]))
      const stored = await storeUsageEvents(
        tx,
        good.map(({ event }) => event),
        (subscriptionId) => nowOf.get(subscriptionId) ?? deps.now(),
      )
      return good.map(({ event }, index) => toResult(event, stored[index]))
    })
  })
}

function toResult(event: NewUsageEvent, result: UsageEventResult | undefined): IntakeResult {
  assert(result, 'an event has a result')
  return result === 'conflict' ? { refusal: conflictOf(event) } : { result }
}

function conflictOf(event: NewUsageEvent): BusinessError {
  return new BusinessError(
    'usage_event_conflict',
    `${event.source} ${event.eventId} was recorded with other content.`,
  )
}

/** What each event would count for, as the intake decides it; nothing is written. */
export async function tryUsageEvents(
  { db, now }: { readonly db: Db; readonly now: () => string },
  values: readonly unknown[],
): Promise<(PlacedEvent | Refused)[]> {
  return await doneTogether(values.map(readOne), async (read) =>
    placeEvents(
      db,
      read.map(({ event }) => event),
      now(),
    ),
  )
}

/** By few queries, however many events there are. */
async function placeEvents(
  db: Db,
  events: readonly UsageEvent[],
  now: string,
): Promise<(PlacedEvent | Refused)[]> {
  const texts = [...new Set(events.map((event) => event.subscription))]
  const field = { kind: 'subscription', pointer: '/subject', unknown: 'subscription_unknown' } as const
  const subjects = await resolveFields(db, { ...field, texts })
  const ids = new Set([...subjects.values()].flatMap((found) => (typeof found === 'string' ? [found] : [])))
  const lines = await readServedLines(db, [...ids])
  return events.map((event) => {
    const subscriptionId = subjects.get(event.subscription)
    assert(subscriptionId, 'every text stands for something or is refused')
    if (subscriptionId instanceof BusinessError) return { refusal: subscriptionId }
    try {
      return place(event, { subscriptionId, lines: lines.get(subscriptionId) ?? [], now })
    } catch (error) {
      return { refusal: refusalOf(error) }
    }
  })
}

function place(
  event: UsageEvent,
  context: { subscriptionId: string; lines: readonly ServedLineRow[]; now: string },
): PlacedEvent {
  const line = context.lines.findLast((candidate) => candidate.metric === event.metric)
  if (!line) throw fieldError('/type', 'metric_unknown', `The subscription does not meter ${event.metric}.`)
  const placed = placeUsageEvent(event, {
    unit: line.unit,
    now: line.clock_now_at ?? context.now,
    servedUntil: line.served_until,
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
