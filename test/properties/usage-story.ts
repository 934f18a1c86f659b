/**
 * A seeded life of one metered instance: what its containers counted, what was read of it when, and when that was stored. Bytes
 * are integers of any size, instants milliseconds; nothing here knows how the product measures.
 */
export interface TakenReading {
  readonly metric: 'network' | 'disk'
  readonly series: string
  readonly bytes: bigint
  readonly isOpening: boolean
  readonly readAtMs: number
}

export interface TakenEvent {
  readonly id: string
  readonly bytes: bigint
  readonly occurredAtMs: number
}

/** In the order in which they are stored. */
export interface UsageStory {
  readonly readings: readonly { readonly storedAtMs: number; readonly reading: TakenReading }[]
  readonly events: readonly { readonly storedAtMs: number; readonly event: TakenEvent }[]
}

export const hourMs = 3_600_000
const minuteMs = 60_000
const dayMs = 24 * hourMs

/** Numbers from 0 to 1 that come again with their seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A little more than ten thousand readings. */
const looks = 2_500
const services = ['app', 'db'] as const
const volumes = ['data', 'logs'] as const

/**
 * Looks with jitter and gaps, some of them over a boundary and longer than a bill waits; containers that start again as a new
 * series, counters that fall; readings that are stored twice, also with another value, out of order, and days late.
 */
export function tellUsage(
  seed: number,
  span: { readonly startMs: number; readonly endMs: number; readonly boundariesMs: readonly number[] },
): UsageStory {
  const random = randomOf(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const isOnce = (share: number) => random() < share
  const gaps = gapsOf(random, span)
  const counters = new Map(services.map((service) => [service, { start: 0, bytes: BigInt(below(2 ** 40)) }]))
  const disks = new Map(volumes.map((volume) => [volume, BigInt(below(2 ** 38))]))
  const readings: { storedAtMs: number; reading: TakenReading }[] = []

  /** Most at once, some after others that are younger, some after their period was billed. */
  const storeAt = (readAtMs: number) => {
    if (isOnce(0.01)) return readAtMs + dayMs + below(30 * dayMs)
    return isOnce(0.03) ? readAtMs + below(9 * hourMs) : readAtMs
  }
  const take = (reading: TakenReading, storedAtMs: number) => {
    readings.push({ storedAtMs, reading })
    if (!isOnce(0.03)) return
    const again = isOnce(0.5) ? reading : { ...reading, bytes: reading.bytes + BigInt(below(2 ** 34)) }
    readings.push({ storedAtMs: storedAtMs + 1 + below(40 * dayMs), reading: again })
  }
  const look = (readAtMs: number, isOpening: boolean) => {
    const together = isOpening ? readAtMs : storeAt(readAtMs)
    const alone = () => (isOnce(0.01) && !isOpening ? storeAt(readAtMs + hourMs) : together)
    for (const [service, counter] of counters) {
      if (!isOpening) count(counter)
      const series = `${service}@${counter.start}`
      take({ metric: 'network', series, bytes: counter.bytes, isOpening, readAtMs }, alone())
    }
    for (const [volume, bytes] of disks) {
      disks.set(volume, isOnce(0.1) ? BigInt(below(2 ** 38)) : bytes + BigInt(below(2 ** 24)))
      if (isOnce(0.02)) continue
      take({ metric: 'disk', series: volume, bytes: disks.get(volume) ?? 0n, isOpening, readAtMs }, alone())
    }
  }
  const count = (counter: { start: number; bytes: bigint }) => {
    const happens = random()
    if (happens < 0.004) Object.assign(counter, { start: counter.start + 1, bytes: 0n })
    else if (happens < 0.008) counter.bytes = BigInt(below(1_000))
    counter.bytes += BigInt(below(2 ** 33))
  }

  look(span.startMs + 10 * minuteMs, true)
  const everyMs = (span.endMs - span.startMs) / looks
  for (let index = 1; index < looks; index += 1) {
    const readAtMs = Math.floor(span.startMs + (index + 0.4 * random()) * everyMs)
    if (!gaps.some((gap) => gap.startMs <= readAtMs && readAtMs < gap.endMs)) look(readAtMs, false)
  }
  look(span.endMs, false)
  return {
    readings: readings.toSorted((one, other) => one.storedAtMs - other.storedAtMs),
    events: eventsOf(random, span),
  }
}

function gapsOf(
  random: () => number,
  span: { startMs: number; endMs: number; boundariesMs: readonly number[] },
) {
  const anywhere = Array.from({ length: 8 }, () => {
    const startMs = span.startMs + random() * (span.endMs - span.startMs)
    return { startMs, endMs: startMs + random() * 12 * hourMs }
  })
  const overBoundaries = span.boundariesMs.flatMap((boundaryMs) => {
    if (random() < 0.5) return []
    return [
      { startMs: boundaryMs - random() * 2 * dayMs, endMs: boundaryMs + (0.2 + random()) * 12 * hourMs },
    ]
  })
  return [...anywhere, ...overBoundaries]
}

/** Pushed beside what is read; some late, some twice. */
function eventsOf(random: () => number, { startMs, endMs }: { startMs: number; endMs: number }) {
  const events = Array.from({ length: 40 }, (_, index) => {
    const occurredAtMs = Math.floor(startMs + 1 + random() * (endMs - startMs - 1))
    const event = { id: String(index), bytes: 1_024n * BigInt(Math.floor(random() * 2 ** 22)), occurredAtMs }
    const storedAtMs = random() < 0.3 ? occurredAtMs + Math.floor(random() * 25 * dayMs) : occurredAtMs
    const again = random() < 0.2 ? [{ storedAtMs: storedAtMs + hourMs, event }] : []
    return [{ storedAtMs, event }, ...again]
  })
  return events.flat().toSorted((one, other) => one.storedAtMs - other.storedAtMs)
}
