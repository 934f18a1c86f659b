import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { insertEvents } from '#db/event.ts'
import { newId } from '#db/identifier.ts'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import { untilEventsAreListed } from '#test/support/settled-events.ts'
import { openReceiver } from '#test/support/webhook-receiver.ts'

// One program that is away at first, beside one that never answers.

const eventCount = 250

let installation: TestInstallation
let diary: Diary
let requests = 0
/** Cut off, then told to come back in a second, twice; from then on it takes what it is sent. */
const receiver = await openReceiver((response) => {
  requests += 1
  if (requests === 1) response.destroy()
  else if (requests <= 3) response.writeHead(503, { 'retry-after': '1' }).end('down for maintenance')
})
let webhook = ''

/** It takes requests, and never answers. */
let unanswered = 0
const mute = await openReceiver(() => {
  unanswered += 1
  return 'left open'
})

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => {
  await Promise.all([receiver.close(), mute.close()])
  await installation.stop()
})

async function make(url: string): Promise<Json> {
  return await diary.post('/v1/webhooks', { url, kinds: ['limit.*'] }, 201)
}

/** A list, page by page. */
async function listAll(path: string): Promise<Json[]> {
  const rows: Json[] = []
  for (let cursor = ''; ;) {
    const page = await diary.get(`${path}?limit=100${cursor}`)
    rows.push(...(page['data'] as Json[]))
    if (page['has_more'] !== true) return rows
    cursor = `&after=${String(page['next_cursor'])}`
  }
}

const receivedIds = () => receiver.received.map(({ id }) => id)

async function untilReceived(count: number): Promise<void> {
  await until(`${count} messages`, async () => {
    await installation.relay()
    return receiver.received.length >= count
  })
}

chapter(
  'a receiver that was away gets each event once, signed, and nobody who hangs holds it up',
  async () => {
    await make(mute.url)
    const made = await make(receiver.url)
    webhook = String(made['id'])
    receiver.secrets.push(String(made['secret']))
    const told = Array.from({ length: eventCount }, () => ({ kind: 'limit.reached' }) as const)
    await insertEvents(installation.db, [...told, { kind: 'invoice.finalized' }])
    await until('the mute one was asked', async () => {
      await installation.relay()
      return unanswered > 0
    })
    await untilReceived(eventCount)
    assert.ok(receiver.received.every(({ signedBy }) => signedBy.length === 1))
    assert.equal(new Set(receivedIds()).size, eventCount)
    await untilEventsAreListed(installation.db)
    const listed = await listAll('/v1/events')
    const limits = listed.filter(({ kind }) => kind === 'limit.reached')
    const byId = new Map(receiver.received.map(({ id, event }) => [id, event]))
    assert.deepEqual(
      limits.map(({ id }) => byId.get(String(id))),
      limits,
    )
  },
)

chapter('each attempt is in the log with what was answered', async () => {
  await until('all is noted', async () => {
    const { waiting: left } = await diary.get(`/v1/webhooks/${webhook}`)
    return left === 0
  })
  const deliveries = await listAll(`/v1/webhooks/${webhook}/deliveries`)
  assert.equal(deliveries.filter(({ state }) => state === 'delivered').length, eventCount)
  const attempts = deliveries.flatMap((delivery) => delivery['attempts'] as Json[])
  assert.equal(attempts.length, requests)
  const failed = attempts.filter(({ status }) => status !== 204)
  assert.deepEqual(failed.map(({ status, answer, failure }) => `${String(status)} ${String(answer ?? failure)}`).toSorted(), [
    '503 down for maintenance',
    '503 down for maintenance',
    'null socket hang up',
  ]) // prettier-ignore
})

chapter('hundreds of deliveries cost a few actions of Temporal', async () => {
  const { events } = await installation.client.workflow.getHandle(`webhook/${webhook}`).fetchHistory()
  const scheduled = events?.filter(({ activityTaskScheduledEventAttributes: of }) => of != null) ?? []
  assert.ok(scheduled.length <= 8, `${scheduled.length} activities`)
})

chapter('a webhook whose workflow was terminated is found, started again, and delivers', async () => {
  await installation.client.workflow.getHandle(`webhook/${webhook}`).terminate('an operator slipped')
  const { db } = installation
  // Young ones are left to the relay.
  await db.updateTable('webhooks').set({ created_at: '2026-01-01T00:00:00Z' }).execute()
  const { restarted } = await until('it is missed', async () => {
    const drift = await installation.reconcile()
    return drift.restarted.length > 0 && drift
  })
  assert.deepEqual(restarted, [`webhook/${webhook}`])
  const { event } = await diary.post(`/v1/webhooks/${webhook}/test`, {}, 202)
  await untilReceived(eventCount + 1)
  assert.equal(receivedIds().at(-1), event)
})

chapter(
  'a webhook whose row is of a backup, in which its workflow was at work, is delivered to',
  async () => {
    const { db } = installation
    await until('it sleeps', async () => {
      const { is_awake: isAwake } = await db
        .selectFrom('webhooks')
        .select('is_awake')
        .executeTakeFirstOrThrow()
      return !isAwake
    })
    await db.updateTable('webhooks').set({ is_awake: true }).execute()
    await diary.post(`/v1/webhooks/${webhook}/test`, {}, 202)
    await installation.reconcile()
    await untilReceived(eventCount + 2)
  },
)

chapter(
  'after a rotation messages are signed by both secrets; a delivered one comes again when asked for',
  async () => {
    const rotated = await diary.post(`/v1/webhooks/${webhook}/rotate-secret`, {})
    receiver.secrets.push(String(rotated['secret']))
    const [again] = receivedIds()
    assert.deepEqual(await diary.post(`/v1/webhooks/${webhook}/redeliver`, { event: again }), { count: 1 })
    const { event: tested } = await diary.post(`/v1/webhooks/${webhook}/test`, {}, 202)
    await untilReceived(eventCount + 4)
    const last = receiver.received.slice(eventCount + 2)
    assert.deepEqual(last.map(({ id }) => id).toSorted(), [again, tested].map(String).toSorted())
    assert.deepEqual(last.map(({ signedBy }) => signedBy.length), [2, 2]) // prettier-ignore
    await diary.post(`/v1/webhooks/${webhook}/disable`, {})
    await insertEvents(installation.db, [{ kind: 'limit.lifted' }])
    assert.equal((await diary.get(`/v1/webhooks/${webhook}`))['waiting'], 1)
    await diary.post(`/v1/webhooks/${webhook}/enable`, {})
    await untilReceived(eventCount + 5)
    assert.equal(receiver.received.at(-1)?.event['kind'], 'limit.lifted')
    const headers = { authorization: `Bearer ${installation.key}`, 'idempotency-key': newId() }
    const deleted = await installation.app.request(`/v1/webhooks/${webhook}`, { method: 'DELETE', headers })
    assert.equal(deleted.status, 204)
    await installation.relay()
    await installation.client.workflow.getHandle(`webhook/${webhook}`).result()
  },
)
