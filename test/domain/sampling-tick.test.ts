import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { untilNextTickMs } from '#domain/sampling-tick.ts'

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
