import type { Db } from '#db/database.ts'
import { BusinessError } from '#domain/errors.ts'
import type { UsageEvent } from '#domain/usage-event.ts'
import { keepRefused } from './refused-usage.ts'
import { subjects } from './usage-placing.ts'
import { readSent } from './sent-event.ts'
import {
  placeOnly,
  storePlaced,
  withRead,
  type IntakeResult,
  type PlacedEvent,
  type Refused,
} from '#db/usage-placing.ts'

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

const defaultLimits: IntakeLimits = { chunkEvents: 4000, writers: 2, waitingEvents: 20_000 }

/**
 * Takes usage events of all requests together: what comes while one transaction is written is written by the next one, so
 * that a thousand single events cost little more than one batch of a thousand. Whoever pushes has his answer after the commit.
 */
export interface UsageIntake {
  /**
   * @param sender as events name him: what is refused is kept, and listed under his name
   * @returns in the order of the values
   * @throws `too_many_requests` when more waits than can be held; nothing was taken then
   */
  push(values: readonly unknown[], sender: string): Promise<IntakeResult[]>
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
    push: async (values, sender) => {
      const results = await withRead<unknown, UsageEvent, IntakeResult>(values, readSent, store)
      await keepRefused(deps, sender, values, results)
      return results
    },
  }
}

async function settle(deps: { db: Db; now: () => string }, chunk: readonly Waiting[]): Promise<void> {
  try {
    const all = chunk.flatMap(({ events }) => events)
    const results = await deps.db
      .transaction()
      .execute(async (tx) => storePlaced({ db: tx, now: deps.now, subjects }, all))
    let from = 0
    for (const { events, resolve } of chunk) {
      resolve(results.slice(from, from + events.length))
      from += events.length
    }
  } catch (error) {
    for (const { reject } of chunk) reject(error)
  }
}

/** What each event would count for, as the intake decides it; nothing is written. */
export async function tryUsageEvents(
  deps: { readonly db: Db; readonly now: () => string },
  values: readonly unknown[],
): Promise<(PlacedEvent | Refused)[]> {
  return await withRead<unknown, UsageEvent, PlacedEvent>(values, readSent, async (events) =>
    placeOnly({ ...deps, subjects }, events),
  )
}
