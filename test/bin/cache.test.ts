import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cacheFolder, forgetUnused, withCacheLock } from '#bin/platform/cache.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

test('two that want to make the same thing do it one after the other', async (t) => {
  const folder = temporaryFolder(t)
  let working = 0
  let mostAtOnce = 0
  const work = async () => {
    working += 1
    mostAtOnce = Math.max(mostAtOnce, working)
    await sleep(20)
    working -= 1
  }
  await Promise.all([withCacheLock(folder, 'thing', work), withCacheLock(folder, 'thing', work)])
  assert.equal(mostAtOnce, 1)
})

test('a lock whose holder is dead is taken over', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'thing.lock'), '4194303')
  assert.equal(await withCacheLock(folder, 'thing', async () => 'done'), 'done')
})

test('the cache is where the system keeps the caches of a user', () => {
  assert.equal(cacheFolder({ XDG_CACHE_HOME: '/somewhere' }), '/somewhere/clouder')
  assert.match(cacheFolder({}), /\/\.cache\/clouder$/)
})

test('what nobody has read or written for a month is forgotten, in folders below, too', (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'below'))
  const day = 24 * 60 * 60
  for (const [name, days] of [
    ['new', 1],
    ['below/old', 31],
    ['below/used', 29],
  ] as const) {
    writeFileSync(join(folder, name), '')
    utimesSync(join(folder, name), 0, (100 - days) * day)
  }
  forgetUnused(folder, 100 * day * 1_000)
  assert.deepEqual(readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted(), [
    'below',
    'below/used',
    'new',
  ])
})
