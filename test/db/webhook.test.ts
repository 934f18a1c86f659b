import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { ensureInstallation } from '#bin/installation.ts'
import type { Db, Tx } from '#db/database.ts'
import { insertEvents, type EventKind } from '#db/event.ts'
import { setDeployer } from '#db/deployer.ts'
import { listLastingWorkflows } from '#db/lasting-workflow.ts'
import { claimOutboxRows, finishOutboxRow } from '#db/outbox.ts'
import { startPeer } from '#db/peer-start.ts'
import { getWebhook, listDeliveries } from '#db/read/webhook.ts'
import {
  fallAsleep,
  forgetDeliveries,
  listDueDeliveries,
  noteAttempts,
  redeliver,
  testWebhook,
  wakeWebhooks,
} from '#db/webhook-delivery.ts'
import { openSecrets, signWebhook } from '#db/webhook-secret.ts'
import { deleteWebhook, disableByHand, enableWebhook, insertWebhook, rotateSecret } from '#db/webhook.ts'
import { encodeId } from '#domain/identifier.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { insertPeer } from '#test/support/peer.ts'

const key = { id: 'test', bytes: Buffer.alloc(32, 3) }
// Later than all that the database stamps meanwhile, however late this file has its turn.
const startMs = Date.now() + 3_600_000
const at = (ms: number) => new Date(startMs + ms).toISOString()
const dayMs = 86_400_000
const by = { actor: 'tester', now: at(0) }

let db: Db
let drop: () => Promise<void>
before(async () => {
  ;({ db, drop } = await createTestDatabase())
  await ensureInstallation(db, 'dry-run')
})
after(async () => await drop())

const inTransaction = async <T>(work: (tx: Tx) => Promise<T>) => await db.transaction().execute(work)

async function make(kinds: string[] | null = ['limit.*', 'invoice.finalized']): Promise<string> {
  const facts = { url: 'https://hooks.example.com/', description: '', kinds }
  const { id } = await inTransaction(async (tx) => await insertWebhook(tx, key, facts, by))
  return id
}

const tell = async (...kinds: EventKind[]) =>
  await insertEvents(
    db,
    kinds.map((kind) => ({ kind })),
  )

const waiting = async (webhookId: string) =>
  (await listDeliveries(db, { webhookId, state: 'waiting', eventId: null }, { before: null, limit: 50 })).map(
    ({ kind }) => kind,
  )

/** Everything that is due is answered by one status, or by nothing. */
async function answer(webhookId: string, status: number | null, ms: number): Promise<number> {
  const due = await listDueDeliveries(db, webhookId, { now: at(ms), limit: 100 })
  await noteAttempts(db, { webhookId, now: at(ms), made: due.map((delivery) => made(delivery, status, ms)) })
  return due.length
}

const made = (delivery: Parameters<typeof noteAttempts>[1]['made'][number]['delivery'], status: number | null, ms = 0) => ({
  delivery,
  at: at(ms),
  durationMs: 12.3,
  status,
  failure: status === null ? 'connect ECONNREFUSED' : null,
  answer: status === null ? null : 'ok \0',
}) // prettier-ignore

const openTasks = async (webhookId: string) =>
  await db
    .selectFrom('tasks')
    .select(['kind', 'detail'])
    .where('subject_id', '=', webhookId)
    .where('closed_at', 'is', null)
    .execute()

test('a message is signed as the Standard Webhooks have it', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' }
  assert.deepEqual(signWebhook([secret], message, 1_614_265_330_000), {
    'content-type': 'application/json',
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('the next secret and the one before sign for a day, and both are sealed', async () => {
  const facts = { url: 'https://hooks.example.com/', description: '', kinds: null }
  const { id, secret } = await inTransaction(async (tx) => await insertWebhook(tx, key, facts, by))
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  const next = await inTransaction(async (tx) => await rotateSecret(tx, key, id, { ...by, now: at(1) }))
  const signing = async (ms: number) => await openSecrets(db, key, { webhookId: id, now: at(ms) })
  assert.deepEqual(await signing(dayMs), [next, secret])
  assert.deepEqual(await signing(dayMs + 1), [next])
  const { 'webhook-signature': both = '' } = signWebhook([next, secret], { id: 'evt_1', body: '{}' }, 1_000)
  const bySecret = (of: string) =>
    createHmac('sha256', Buffer.from(of.slice(6), 'base64'))
      .update('evt_1.1.{}')
      .digest('base64')
  assert.equal(both, `v1,${bySecret(next)} v1,${bySecret(secret)}`)
  const third = await inTransaction(async (tx) => await rotateSecret(tx, key, id, { ...by, now: at(2) }))
  assert.deepEqual(await signing(3), [third, next])
  const kept = await db.selectFrom('webhook_secrets').selectAll().where('webhook_id', '=', id).execute()
  assert.doesNotMatch(JSON.stringify(kept.map((row) => row.sealed.toString('latin1'))), /whsec_/)
})

test('a delivery is written with the event, for each webhook that wants its kind, and rolled back with it', async () => {
  const [some, all] = [await make(), await make(null)]
  await tell('limit.reached', 'invoice.finalized', 'invoice.voided', 'webhook.tested')
  assert.deepEqual(await waiting(some), ['invoice.finalized', 'limit.reached'])
  assert.deepEqual((await waiting(all)).slice(0, 3), ['invoice.voided', 'invoice.finalized', 'limit.reached'])
  const rolledBack = inTransaction(async (tx) => {
    await insertEvents(tx, [{ kind: 'limit.lifted' }])
    throw new Error('rolled back')
  })
  await assert.rejects(rolledBack, /rolled back/)
  assert.equal((await waiting(some)).length, 2)
  await inTransaction(async (tx) => await testWebhook(tx, some, by))
  assert.deepEqual((await waiting(some))[0], 'webhook.tested')
  assert.ok(!(await waiting(all)).includes('webhook.tested'))
})

test('what is refused waits longer each time and keeps nothing else waiting; what nobody answers is not asked again and again', async () => {
  const id = await make()
  await tell('limit.reached', 'limit.lifted')
  const [refused, taken] = await listDueDeliveries(db, id, { now: at(0), limit: 100 })
  assert.ok(refused && taken)
  await noteAttempts(db, { webhookId: id, now: at(0), made: [made(refused, 500), made(taken, 204)] })
  assert.deepEqual(await waiting(id), ['limit.reached'])
  assert.equal(await fallAsleep(db, id, at(0)), 5_000)
  assert.equal(await answer(id, 500, 4_999), 0)
  assert.equal(await answer(id, 500, 5_000), 1)
  assert.equal(await fallAsleep(db, id, at(5_000)), 300_000)
  assert.equal((await getWebhook(db, id)).rests, 0)
  assert.equal(await answer(id, null, 305_000), 1)
  assert.equal((await getWebhook(db, id)).rests_until, at(310_000))
  assert.equal(await answer(id, 200, 2_000_000), 1)
  const { rests_until: until, failing_since: since, last_delivered_at: last } = await getWebhook(db, id)
  assert.deepEqual([until, since, last], [null, null, at(2_000_000)])
  assert.equal(await fallAsleep(db, id, at(2_000_000)), null)
  const [row] = await listDeliveries(
    db,
    { webhookId: id, state: null, eventId: refused.id },
    { before: null, limit: 1 },
  )
  assert.deepEqual(row?.attempts.map(({ status, failure, answer: said }) => [status, failure, said]), [
    [200, null, 'ok \u{FFFD}'],
    [null, 'connect ECONNREFUSED', null],
    [500, null, 'ok \u{FFFD}'],
    [500, null, 'ok \u{FFFD}'],
  ]) // prettier-ignore
})

test('a webhook that is off for five days is disabled with a task; enabled again, all that waited is posted', async () => {
  const id = await make()
  await tell('limit.reached')
  for (const ms of [0, 5_000, 305_000, 5 * dayMs - 1]) assert.equal(await answer(id, null, ms), 1)
  assert.equal((await getWebhook(db, id)).state, 'enabled')
  const ms = 5 * dayMs
  assert.equal(await answer(id, null, ms), 1)
  assert.equal((await getWebhook(db, id)).state, 'disabled')
  await tell('limit.lifted')
  assert.deepEqual(await waiting(id), ['limit.lifted', 'limit.reached'])
  const [task] = await openTasks(id)
  assert.equal(task?.kind, 'webhook_disabled')
  assert.match(
    task.detail,
    /^It has taken nothing since .*, for five days\. What it is to have waits for thirty days/,
  )
  const told = await db.selectFrom('events').select('data').where('kind', '=', 'webhook.disabled').execute()
  assert.equal(told.length, 1)
  const again = { ...by, now: at(ms) }
  await inTransaction(async (tx) => await enableWebhook(tx, id, again))
  assert.deepEqual(await openTasks(id), [])
  assert.equal(await answer(id, 200, ms), 2)
  assert.deepEqual(await waiting(id), [])
  await assert.rejects(
    inTransaction(async (tx) => await enableWebhook(tx, id, again)),
    { code: 'action_not_allowed' },
  )
})

test('410 disables at once; disabled by hand, nobody is called for', async () => {
  const id = await make()
  await tell('limit.reached')
  await answer(id, 410, 0)
  const { state, disabled_reason: reason } = await getWebhook(db, id)
  assert.deepEqual([state, reason], ['disabled', 'It answered 410 Gone: it wants nothing any more.'])
  assert.equal((await openTasks(id)).length, 1)
  const other = await make()
  await inTransaction(async (tx) => await disableByHand(tx, other, by))
  assert.equal((await getWebhook(db, other)).disabled_reason, 'Disabled by tester.')
  assert.deepEqual(await openTasks(other), [])
  await assert.rejects(
    inTransaction(async (tx) => await disableByHand(tx, other, by)),
    { code: 'action_not_allowed' },
  )
})

test('one delivery that is refused for five days while others are taken is given up, and can be asked for again', async () => {
  const id = await make()
  await tell('limit.reached')
  for (let ms = 0; ms <= 5 * dayMs; ) {
    await answer(id, 400, ms)
    await tell('limit.lifted')
    await db.updateTable('webhook_deliveries').set({ due_at: at(ms) }).where('webhook_id', '=', id).where('failures', '=', 0).where('state', '=', 'waiting').execute()
    const fresh = await listDueDeliveries(db, id, { now: at(ms), limit: 100 })
    await noteAttempts(db, { webhookId: id, now: at(ms), made: fresh.map((delivery) => made(delivery, 200, ms)) })
    const waitMs = await fallAsleep(db, id, at(ms))
    if (waitMs === null) break
    ms += waitMs
  }
  const givenUp = await listDeliveries(db, { webhookId: id, state: 'given_up', eventId: null }, { before: null, limit: 5 })
  assert.deepEqual(givenUp.map(({ kind, failures }) => [kind, failures]), [['limit.reached', 12]])
  assert.equal((await getWebhook(db, id)).state, 'enabled')
  const asked = { from: at(-dayMs), until: at(dayMs), isGivenUpOnly: true }
  assert.equal(await inTransaction(async (tx) => await redeliver(tx, id, { asked, actor: 'tester', now: at(0) })), 1)
  assert.deepEqual(await waiting(id), ['limit.reached'])
}) // prettier-ignore

test('asked for anew, an event is delivered once more, whatever an attempt under way comes to; so are those from before there was the webhook', async () => {
  await tell('limit.warned')
  const id = await make()
  assert.deepEqual(await waiting(id), [])
  const asked = { from: at(-dayMs), until: at(dayMs), isGivenUpOnly: false }
  const ask = async (what: Parameters<typeof redeliver>[2]['asked']) =>
    await inTransaction(async (tx) => await redeliver(tx, id, { asked: what, actor: 'tester', now: at(0) }))
  const count = await ask(asked)
  assert.ok(count > 1)
  assert.ok((await waiting(id)).includes('limit.warned'))
  assert.ok((await waiting(id)).every((kind) => /^(limit\.|invoice\.finalized)/.test(kind)))
  const [underWay] = await listDueDeliveries(db, id, { now: at(0), limit: 1 })
  assert.ok(underWay)
  assert.equal(await ask({ eventId: underWay.id }), 1)
  await noteAttempts(db, { webhookId: id, now: at(0), made: [made(underWay, 200)] })
  assert.equal((await waiting(id)).length, count)
  await assert.rejects(ask({ eventId: 999_999_999 }), { code: 'not_found' })
})

test('the workflow of a webhook is told once when something new waits, not while it is awake, rests or is disabled', async () => {
  await db.updateTable('webhooks').set({ is_awake: true }).execute()
  const told = async () => {
    await wakeWebhooks(db)
    const rows = await claimOutboxRows(db, 50)
    for (const { id } of rows) await finishOutboxRow(db, id)
    return rows.flatMap((row) => (row.kind === 'signal_workflow' ? row.signal.signal : []))
  }
  const id = await make()
  assert.deepEqual(await told(), [])
  await tell('limit.reached')
  assert.deepEqual(await told(), ['deliveriesWait'])
  assert.deepEqual(await told(), [])
  await answer(id, null, 0)
  await fallAsleep(db, id, at(0))
  await tell('limit.lifted')
  assert.deepEqual(await told(), [])
  await db.updateTable('webhooks').set({ rests_until: sql<string>`now() - interval '6 s'` }).where('id', '=', id).execute()
  assert.deepEqual(await told(), ['deliveriesWait'])
  await inTransaction(async (tx) => await disableByHand(tx, id, by))
  await fallAsleep(db, id, at(0))
  assert.deepEqual(await told(), [])
}) // prettier-ignore

test('a deleted webhook has neither secrets nor a log, and an event that is written meanwhile finds its row', async () => {
  const id = await make()
  await tell('limit.reached')
  const [due] = await listDueDeliveries(db, id, { now: at(0), limit: 1 })
  assert.ok(due)
  await inTransaction(async (tx) => await deleteWebhook(tx, id, by))
  await noteAttempts(db, { webhookId: id, now: at(0), made: [made(due, 200)] })
  await tell('limit.lifted')
  assert.deepEqual(await waiting(id), [])
  assert.deepEqual(
    await db.selectFrom('webhook_secrets').select('id').where('webhook_id', '=', id).execute(),
    [],
  )
  await assert.rejects(getWebhook(db, id), { code: 'not_found' })
})

test('what is older than thirty days is forgotten, with its attempts', async () => {
  const id = await make()
  await tell('limit.reached')
  await answer(id, 500, 0)
  await forgetDeliveries(db, new Date(Date.now() + 29 * dayMs).toISOString())
  assert.equal((await waiting(id)).length, 1)
  await forgetDeliveries(db, new Date(Date.now() + 31 * dayMs).toISOString())
  const left = await db.selectFrom('webhook_attempts').select('id').where('webhook_id', '=', id).execute()
  assert.deepEqual([(await waiting(id)).length, left.length], [0, 0])
})

test('webhooks, peers and deployers whose workflow is to run are looked for by the id that it is started with, once they are a minute old', async () => {
  await db.updateTable('webhooks').set({ state: 'deleted', disabled_reason: null }).execute()
  const [enabled, disabled] = [await make(), await make()]
  await inTransaction(async (tx) => await disableByHand(tx, disabled, by))
  const [active, halted] = [await insertPeer(db), await insertPeer(db, { state: 'halted', halted_reason: 'a doubt' })]
  const yard = { code: 'yard', url: 'https://yard.example.com', customer: 'acme', key: 'a-key' }
  const deployer = await inTransaction(async (tx) => {
    for (const id of [active, halted]) await startPeer(tx, id, {})
    return await setDeployer(tx, key, yard, by)
  })
  const peerId = `peer/${encodeId('peer', active)}`
  assert.deepEqual(await listLastingWorkflows(db), [peerId])
  for (const table of ['webhooks', 'deployers'] as const)
    await sql`update ${sql.table(table)} set created_at = '2026-01-01T00:00:00Z'`.execute(db)
  const wanted = [`deployer/${encodeId('deployer', deployer)}`, peerId, `webhook/${encodeId('webhook', enabled)}`]
  assert.deepEqual(await listLastingWorkflows(db), wanted)
  const started = await db.selectFrom('outbox').select('key').where('kind', '=', 'start_workflow').where('key', 'in', wanted).execute()
  assert.equal(started.length, 3)
}) // prettier-ignore
