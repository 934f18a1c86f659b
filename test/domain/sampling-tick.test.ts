import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { limitLookMs, nextLook, untilNextTickMs } from '#domain/sampling-tick.ts'

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
    nextLook({ nowMs: 1_000_000, tickAtMs: 1_000_000 + untilTickMs, isWatched })
  assert.deepEqual(look(300_000), { kind: 'limits', waitMs: limitLookMs })
  assert.deepEqual(look(10_000), { kind: 'tick', waitMs: 10_000 })
  assert.deepEqual(look(-5), { kind: 'tick', waitMs: 1 })
  assert.deepEqual(look(300_000, false), { kind: 'tick', waitMs: 300_000 })
})
