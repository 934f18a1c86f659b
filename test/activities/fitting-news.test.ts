import assert from 'node:assert/strict'
import test from 'node:test'
import { createFittingNews } from '#activities/fitting-news.ts'

const minuteMs = 60_000
const change = (id: string, used: string, instanceId = 'one') => ({
  id,
  subscriptionId: `sub-${id}`,
  instanceId,
  used,
})

test('a change that fits is told of once for what was measured, again when that changes or it fits anew, and now and then', () => {
  const news = createFittingNews()
  const look = (minute: number, ...found: ReturnType<typeof change>[]) =>
    news.of(['one'], found, minute * minuteMs)
  assert.deepEqual(look(0, change('a', '4'), change('b', '2')), ['sub-a', 'sub-b'])
  assert.deepEqual(look(1, change('a', '4'), change('b', '2')), [])
  assert.deepEqual(look(2, change('a', '3'), change('b', '2')), ['sub-a'])
  assert.deepEqual(look(3, change('b', '2')), [])
  assert.deepEqual(look(4, change('a', '3'), change('b', '2')), ['sub-a'])
  // A look at another server knows nothing of these.
  assert.deepEqual(news.of(['two'], [change('c', '1', 'two')], 5 * minuteMs), ['sub-c'])
  assert.deepEqual(look(6, change('a', '3'), change('b', '2')), [])
  assert.deepEqual(look(15, change('a', '3'), change('b', '2')), ['sub-b'])
})
