import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { noteFailure, noteSeen, noteSilentServers } from '#db/server-sighting.ts'
import { encodeId } from '#domain/identifier.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
  await seller.db.updateTable('installation').set({ server_silence_seconds: 600 }).execute()
})
after(async () => seller.drop())

const facts = {
  runner: 'docker',
  engineVersion: '28.0.1',
  apiVersion: '1.48',
  cpus: 8,
  memoryMib: 16_000,
  cgroupVersion: '2',
  storageDriver: 'overlay2',
  containers: 3,
}

async function wasSeenAgo(minutes: number): Promise<void> {
  const lastSeenAt = new Date(Date.now() - minutes * 60_000).toISOString()
  await seller.db.updateTable('servers').set({ last_seen_at: lastSeenAt }).execute()
}

async function tasks() {
  return await seller.db
    .selectFrom('tasks')
    .select(['detail', 'closed_at'])
    .where('kind', '=', 'server_unreachable')
    .orderBy('id')
    .execute()
}

async function told(): Promise<string[]> {
  const rows = await seller.db.selectFrom('events').select('kind').orderBy('id').execute()
  return rows.map(({ kind }) => kind).filter((kind) => kind.startsWith('server.'))
}

test('a server that was never seen, and one that was seen lately, are told of by nobody', async () => {
  assert.deepEqual(await noteSilentServers(seller.db), [])
  await wasSeenAgo(9)
  assert.deepEqual(await noteSilentServers(seller.db), [])
})

test('after ten minutes of silence it is told once, by whichever of several looks first, with its cause', async () => {
  await noteFailure(seller.db, seller.serverId, { cause: 'timed_out', detail: 'connect ETIMEDOUT' })
  await wasSeenAgo(11)
  const looks = await Promise.all(Array.from({ length: 5 }, async () => noteSilentServers(seller.db)))
  assert.deepEqual(looks.flat(), [encodeId('server', seller.serverId)])
  assert.deepEqual(await noteSilentServers(seller.db), [])
  const [task, ...more] = await tasks()
  assert.match(task?.detail ?? '', /^timed out: .*ETIMEDOUT.*was last seen at.*other servers go on\.$/)
  assert.deepEqual(more, [])
  assert.deepEqual(await told(), ['server.unreachable'])
})

test('seen again its task is closed and it is told; the next outage has a task of its own', async () => {
  await noteSeen(seller.db, seller.serverId, facts)
  await noteSeen(seller.db, seller.serverId, facts)
  assert.deepEqual(await told(), ['server.unreachable', 'server.reachable'])
  assert.ok((await tasks()).every(({ closed_at: closedAt }) => closedAt !== null))
  await wasSeenAgo(11)
  assert.equal((await noteSilentServers(seller.db)).length, 1)
  assert.equal((await tasks()).length, 2)
  const server = await seller.db.selectFrom('servers').select('facts').executeTakeFirstOrThrow()
  assert.deepEqual(server.facts, facts)
})
