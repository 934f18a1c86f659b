import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { isDue, limitLookMs, lookInterval, nextLook, untilNextTickMs } from '#domain/sampling-tick.ts'

const intervalMs = 300_000
const serverId = fc.string({ minLength: 26, maxLength: 26 }).map((text) => `srv_${text}`)
const instantMs = fc.integer({ min: 0, max: 4_000_000_000_000 })

test('ticks of a server are a whole interval apart, at one instant that its id says, whenever it is asked', () => {
  fc.assert(
    fc.property(serverId, instantMs, instantMs, (id, firstMs, secondMs) => {
      const tickAfter = (nowMs: number) => nowMs + untilNextTickMs({ serverId: id, intervalMs, nowMs })
      const tickMs = tickAfter(firstMs)
      assert.ok(tickMs > firstMs && tickMs <= firstMs + intervalMs)
      assert.equal(tickAfter(tickMs), tickMs + intervalMs)
      assert.equal(Math.abs(tickAfter(secondMs) - tickMs) % intervalMs, 0)
    }),
  )
})

test('sixty servers that begin at once are spread over the whole interval, few in the same second', () => {
  const waitsMs = Array.from({ length: 60 }, (_, index) =>
    untilNextTickMs({
      serverId: `srv_01k9zq3v5e8m2n4p6r7t8w9x${String(index).padStart(2, '0')}`,
      intervalMs,
      nowMs: 1_795_000_000_000,
    }),
  )
  const busiest = Map.groupBy(waitsMs, (ms) => Math.floor(ms / 1_000))
  assert.ok(Math.max(...[...busiest.values()].map(({ length }) => length)) <= 4)
  assert.ok(new Set(waitsMs.map((ms) => Math.floor(ms / 12_000))).size >= 12)
})

test('between two ticks limits are looked at each half minute, and the tick itself is never missed', () => {
  const look = (untilTickMs: number, isWatched = true) =>
    nextLook({ serverId: 'srv_1', nowMs: 1_000_000, tickAtMs: 1_000_000 + untilTickMs, isWatched })
  assert.deepEqual(look(300_000), { kind: 'limits', waitMs: limitLookMs })
  assert.deepEqual(look(10_000), { kind: 'tick', waitMs: 10_000 })
  assert.deepEqual(look(-5), { kind: 'tick', waitMs: 1 })
  assert.deepEqual(look(300_000, false), { kind: 'tick', waitMs: 300_000 })
})

test('D-02 where a metric is read more often, a look comes at each of its instants, and the tick at its own', () => {
  const serverId = 'srv_1'
  const startMs = 1_795_000_000_000
  const tickAtMs = startMs + untilNextTickMs({ serverId, intervalMs: 300_000, nowMs: startMs }) + 300_000
  let nowMs = tickAtMs - 300_000
  const looks: number[] = []
  for (;;) {
    const next = nextLook({ serverId, tickAtMs, nowMs, isWatched: true, lookEveryMs: 10_000 })
    nowMs += next.waitMs
    if (next.kind === 'tick') break
    looks.push(nowMs)
    // The look itself takes a while, and moves no later one.
    nowMs += 700
  }
  assert.equal(nowMs, tickAtMs)
  assert.equal(looks.length, 29)
  assert.ok(looks.every((at, index) => at === tickAtMs - 300_000 + (index + 1) * 10_000))
})

test('D-02 a metric is due once between two of its instants, however often and late it is looked at', () => {
  const serverId = 'srv_1'
  const intervalMs = 60_000
  const firstMs = 1_795_000_000_000 + untilNextTickMs({ serverId, intervalMs, nowMs: 1_795_000_000_000 })
  const due = (nowMs: number, lookedAtMs: number | undefined = firstMs) =>
    isDue({ serverId, intervalMs, lookedAtMs, nowMs })
  assert.equal(isDue({ serverId, intervalMs, lookedAtMs: undefined, nowMs: firstMs }), true)
  assert.deepEqual(
    [0, 10_000, 30_000, 58_000].map((ms) => due(firstMs + ms)),
    [false, false, false, false],
  )
  assert.deepEqual(
    [60_000, 61_000, 432_000].map((ms) => due(firstMs + ms)),
    [true, true, true],
  )
  assert.equal(due(firstMs + 60_000, firstMs + 55_000), true, 'read late, the next one is in time')
  assert.equal(due(firstMs + 59_800), true, 'by a clock that is a little behind')
  assert.equal(due(firstMs + 60_000, firstMs + 59_800), false, 'and not twice')
})

test('a server is looked at as often as its most frequent metric, and its limits no less than before', () => {
  const every = (intervalsS: readonly number[], hasWatchedLimits = false) =>
    lookInterval({ intervalsS, hasWatchedLimits })
  assert.equal(every([]), undefined)
  assert.equal(every([], true), undefined)
  assert.equal(every([3_600, 10, 60]), 10_000)
  assert.equal(every([3_600]), 3_600_000)
  assert.equal(every([3_600], true), limitLookMs)
})
