import assert from 'node:assert/strict'
import test from 'node:test'
import { openBoundedReader } from '#docker/compose/bounded-reader.ts'

const shop = {
  code: 'shop',
  compose: 'services: { web: { image: "shop:1", volumes: ["./site.conf:/site.conf"] } }',
  files: { 'site.conf': 'listen 80;' },
  grants: [],
}

test('a file is read in a thread of its own, with what was sent beside it', async (t) => {
  const reader = openBoundedReader()
  t.after(async () => reader.close())
  const [one, other] = await Promise.all([reader.read(shop), reader.read({ ...shop, code: 'other' })])
  assert.deepEqual([one.code, other.code], ['shop', 'other'])
  assert.equal(one.services[0]?.special?.files?.[0]?.content, 'listen 80;')
  await assert.rejects(reader.read({ ...shop, files: {} }), {
    code: 'application_refused',
    message: /services\.web\.volumes\.0 \(line 1\): site\.conf is mounted/,
  })
})

test('a file that takes too long is refused', async (t) => {
  const reader = openBoundedReader({ deadlineMs: 1, memoryMib: 64 })
  t.after(async () => reader.close())
  const refusal = { code: 'application_refused', message: /more than 1 ms/ }
  await assert.rejects(reader.read(shop), refusal)
  await assert.rejects(reader.read(shop), refusal)
})

test('a file that takes too much memory ends its thread, and the next one is read', async (t) => {
  const reader = openBoundedReader({ deadlineMs: 20_000, memoryMib: 64 })
  t.after(async () => reader.close())
  const huge = {
    ...shop,
    files: Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`f${index}`, 'x'.repeat(250_000)])),
  }
  await assert.rejects(reader.read(huge), {
    code: 'application_refused',
    message: /64 MiB; write it plainly/,
  })
  assert.equal((await reader.read(shop)).code, 'shop')
})
