import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '#bin/platform/ports.ts'
import { ensurePostgres } from '#bin/platform/postgres.ts'
import { stopProcess } from '#bin/platform/process.ts'
import { openDatabase } from '#db/database.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { createSeller } from '#test/support/seller.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { callersOf, readBilled, sellFleet } from './fleet.ts'

/** A PostgreSQL of this test alone, that forgets nothing which it said was committed, to be killed and started again. */
async function startCluster(t: TestContext) {
  const folder = temporaryFolder(t)
  const port = await freePort()
  let pid = 0
  const start = async () =>
    await ensurePostgres({
      folder: join(folder, 'postgres'),
      port,
      password: 'test',
      database: 'postgres',
      logFile: join(folder, 'postgres.log'),
      isDurable: true,
      note: () => {},
      onProcess: (started) => {
        pid = started
      },
      env: {},
    })
  const { url } = await start()
  t.after(async () => stopProcess(pid, 'SIGKILL', 10_000))
  return {
    url,
    start,
    kill: async () => stopProcess(pid, 'SIGKILL', 10_000),
  }
}

test('PostgreSQL killed in the midst of bills, again and again: what was begun is undone, and all is billed as if it had never been', async (t) => {
  const cluster = await startCluster(t)
  const shared = process.env['CLOUDER_TEST_POSTGRES_URL']
  process.env['CLOUDER_TEST_POSTGRES_URL'] = cluster.url
  t.after(() => {
    process.env['CLOUDER_TEST_POSTGRES_URL'] = shared
  })
  const seller = await createSeller({ ports: 2_000 })
  t.after(async () => seller.db.destroy())
  const fleet = await sellFleet(seller, 20, 200)
  const now = new Date().toISOString()
  const pools = [1, 2].map(() => openDatabase(seller.url, { maxConnections: 8 }))
  t.after(async () => Promise.all(pools.map(async (db) => db.destroy())))
  const invoices = async () =>
    Number(
      (
        await seller.db
          .selectFrom('invoices')
          .select((eb) => eb.fn.countAll().as('n'))
          .executeTakeFirstOrThrow()
      ).n,
    )
  const sold = await invoices()

  const billing = Promise.all([
    ...pools.map(async (db) => callersOf(db).run(now)),
    ...fleet.map(async ({ documentId }, index) =>
      callersOf(pools[index % 2] ?? seller.db).bill(documentId, now),
    ),
  ])
  // Whatever fails first is what the test fails with.
  billing.catch(() => {})
  const seen: number[] = []
  for (let kill = 0; kill < 3; kill += 1) {
    await sleep(120)
    await cluster.kill()
    await cluster.start()
    await assertInvariants(seller.db, { isUnderWay: true })
    seen.push(await invoices())
  }
  await billing
  assert.ok(
    (seen[0] ?? 0) < sold + fleet.length * 6,
    `all was billed before the first kill: ${seen.join(', ')}`,
  )
  await assertInvariants(seller.db)
  const disturbed = await readBilled(seller.db)

  const undisturbed = await createSeller({ ports: 2_000 })
  t.after(async () => undisturbed.db.destroy())
  await sellFleet(undisturbed, 20, 200)
  await callersOf(undisturbed.db).run(now)
  assert.deepEqual(disturbed, await readBilled(undisturbed.db))
  await assertInvariants(undisturbed.db)
})
