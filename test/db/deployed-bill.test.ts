import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { DocumentNotReady } from '#db/bill.ts'
import { billOpening, billPeriod } from '#db/billing.ts'
import { newId } from '#db/identifier.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { insertDeployer, insertDeployment, sellMails } from '#test/support/deployer.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { storeUsageEvent } from '#test/support/usage-events.ts'

// What is used at a deployer, and the bills of its periods (G-21).

let api: TestApi
let subscriptionId = ''
let documentId = ''
before(async () => {
  api = await createTestApi({ now: () => '2026-01-01T00:00:00Z' })
  subscriptionId = decodeId('subscription', await sellMails(api))
  await activateSubscription(api.db, subscriptionId, '2026-01-01T00:00:00Z')
  await billOpening(api.db, subscriptionId, '2026-01-01T00:00:00Z')
  ;[documentId = ''] = await listDocumentIds(api.db, subscriptionId)
  const deployerId = await insertDeployer(api.db, 'yard')
  const line = await api.db.selectFrom('subscription_lines').select('id').executeTakeFirstOrThrow()
  await insertDeployment(api.db, { deployerId, subscriptionId, firstLineId: line.id })
})
after(async () => api.close())

async function takenAt(usageTakenAt: string | null): Promise<void> {
  await api.db.updateTable('deployers').set({ usage_taken_at: usageTakenAt }).execute()
}

async function use(occurredAt: string, quantity: string): Promise<void> {
  const event = { subscriptionId, metric: 'mails', unit: 'piece', source: 'yard', eventId: newId() }
  await storeUsageEvent(api.db, { ...event, occurredAt, quantity })
}

/** The period that is next. */
async function bill(now: string) {
  const document = await api.db
    .selectFrom('subscription_documents')
    .select(['id', 'next_period_index'])
    .where('id', '=', documentId)
    .executeTakeFirstOrThrow()
  return await billPeriod(api.db, { documentId, periodIndex: document.next_period_index }, now)
}

async function usageLines(): Promise<string[]> {
  const rows = await api.db
    .selectFrom('invoice_lines')
    .select(['kind', 'quantity', 'explanation'])
    .where('kind', 'in', ['usage', 'late_usage'])
    .orderBy('id')
    .execute()
  return rows.map(({ kind, quantity }) => `${kind} ${quantity}`)
}

test('a period is billed once what was used there is here: of a feed that was read before, not all is known', async () => {
  for (const taken of [null, '2026-01-31T23:59:00Z', '2026-02-01T00:09:59Z']) {
    await takenAt(taken)
    await assert.rejects(bill('2026-02-01T00:20:00Z'), DocumentNotReady)
  }
  await use('2026-01-31T23:58:00Z', '7')
  await takenAt('2026-02-01T00:10:00Z')
  await bill('2026-02-01T00:20:00Z')
  assert.deepEqual(await usageLines(), ['usage 7'])
})

test('a deployer out of reach holds a bill for six hours; what was used there then goes to the next one, as late', async () => {
  await use('2026-02-10T00:00:00Z', '3')
  await assert.rejects(bill('2026-03-01T06:00:00Z'), DocumentNotReady)
  await bill('2026-03-01T06:00:01Z')
  await use('2026-02-28T23:00:00Z', '4')
  await takenAt('2026-04-01T00:10:00Z')
  await bill('2026-04-01T00:20:00Z')
  assert.deepEqual(await usageLines(), ['usage 7', 'usage 3', 'usage 0', 'late_usage 4'])
})

test('what has ended there, or was never built, holds no bill', async () => {
  await takenAt(null)
  for (const [state, now] of [
    ['planned', '2026-05-01T00:01:00Z'],
    ['ended', '2026-06-01T00:01:00Z'],
  ] as const) {
    await api.db.updateTable('deployments').set({ state }).execute()
    await bill(now)
  }
  assert.equal((await usageLines()).length, 6)
})
