import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { queuePeerMessages } from '#db/peer-queue.ts'
import { endSilence, noteSilence } from '#db/peer-silence.ts'
import { readPeerStanding } from '#db/peer.ts'
import { getPeer } from '#db/read/peer.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { insertPeer } from '#test/support/peer.ts'

let db: Db
let drop: () => Promise<void>
before(async () => {
  ;({ db, drop } = await createTestDatabase())
})
after(async () => await drop())

const document = () => ({ kind: 'document', subjectId: newId(), content: null }) as const
const cause = 'http://127.0.0.1:1/v1/peer-messages answers 503'

async function openTasks(peerId: string) {
  return await db
    .selectFrom('tasks')
    .select(['kind', 'detail'])
    .where('subject_id', '=', peerId)
    .where('closed_at', 'is', null)
    .execute()
}

test('what waits is told with its number, since when and why; after an hour as a task, which ends by itself', async () => {
  const peerId = await insertPeer(db)
  const messages = Array.from({ length: 12 }, document)
  await db.transaction().execute(async (tx) => await queuePeerMessages(tx, peerId, messages))
  assert.equal((await readPeerStanding(db, peerId)).isSilent, false)
  const later = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
  const soon = await noteSilence(db, { peerId, cause, now: later(59) })
  assert.match(soon, /^12 messages wait since 20\d\d-.*: http.* answers 503$/)
  assert.deepEqual(await openTasks(peerId), [])
  await noteSilence(db, { peerId, cause, now: later(61) })
  await noteSilence(db, { peerId, cause, now: later(66) })
  const tasks = await openTasks(peerId)
  assert.deepEqual(
    tasks.map(({ kind }) => kind),
    ['peer_unreachable'],
  )
  assert.match(tasks[0]?.detail ?? '', /^12 messages wait since .* answers 503\. They are sent by themselves/)
  const { waiting, waiting_since: since, waiting_reason: reason } = await getPeer(db, peerId)
  assert.deepEqual([waiting, reason], [12, cause])
  assert.ok(since !== null)

  assert.equal((await readPeerStanding(db, peerId)).isSilent, true)
  await endSilence(db, peerId)
  assert.deepEqual(await openTasks(peerId), [])
  assert.equal((await getPeer(db, peerId)).waiting_reason, null)
})

test('a reason that is endless or empty is kept as what can be read', async () => {
  const peerId = await insertPeer(db)
  await db.transaction().execute(async (tx) => await queuePeerMessages(tx, peerId, [document()]))
  const now = new Date().toISOString()
  await noteSilence(db, { peerId, cause: 'x'.repeat(5_000), now })
  assert.equal((await getPeer(db, peerId)).waiting_reason?.length, 1_000)
  await noteSilence(db, { peerId, cause: '', now })
  assert.equal((await getPeer(db, peerId)).waiting_reason, 'it does not answer')
})
