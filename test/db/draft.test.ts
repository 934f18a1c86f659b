import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { readAgenda } from '#db/agenda.ts'
import { billFinal, billPeriod } from '#db/billing.ts'
import { listDueDocuments } from '#db/billing-run.ts'
import { finalizeInvoice, redraft } from '#db/finalization.ts'
import { confirmOrder } from '#db/order.ts'
import { insertOneOffCharge, withdrawOneOffCharge } from '#db/one-off-charge.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { moveInstances } from '#test/support/instances.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { activate, billDue, createSeller, pushUsage, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
  await seller.db.updateTable('installation').set({ draft_days: 2 }).execute()
})
after(async () => seller.drop())

const boundary = '2026-04-01T00:00:00Z'

/** Config 1 unless another is named, sold on 1 March, its first invoice finalized; its second is to be drafted on 1 April. */
async function sell(kit = 'odoo-config-1') {
  const testClockId = await seller.clock('2026-03-01T08:00:00Z')
  const subscriptionId = await seller.sell({
    kit,
    testClockId,
    now: '2026-03-01T08:00:00Z',
  })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  await billDue(seller.db, documentId, '2026-03-03T00:00:00Z')
  return { subscriptionId, documentId, testClockId }
}

async function invoicesOf(documentId: string) {
  const rows = await seller.db
    .selectFrom('invoices')
    .select(['id', 'number', 'total_minor', 'finalize_on', 'finalized_at'])
    .where('document_id', '=', documentId)
    .orderBy('id')
    .execute()
  return rows.map((row) => ({ ...row, isFinalized: row.finalized_at !== null }))
}

async function draftOf(documentId: string) {
  const draft = (await invoicesOf(documentId)).find((invoice) => !invoice.isFinalized)
  assert.ok(draft)
  return draft
}

async function use(subscriptionId: string, quantity: string, occurredAt: string) {
  await pushUsage(seller.db, { subscriptionId, metric: 'network', quantity, occurredAt })
}

async function finalize(invoiceId: string, now: string) {
  await seller.db.transaction().execute(async (tx) => finalizeInvoice(tx, { invoiceId, now }))
}

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === code

test('a period is drafted at its boundary and finalized two days later, and what was used meanwhile is counted', async () => {
  const { subscriptionId, documentId } = await sell()
  await use(subscriptionId, '3', '2026-03-10T00:00:00Z')
  const drafted = await billDue(seller.db, documentId, boundary)
  assert.deepEqual(drafted.next, { periodIndex: 1, dueAt: '2026-04-03T00:00:00Z' })
  const draft = await draftOf(documentId)
  assert.deepEqual([draft.number, draft.total_minor, draft.finalize_on], [null, 1_300, '2026-04-03'])
  await use(subscriptionId, '4', '2026-03-20T00:00:00Z')
  assert.deepEqual(await billDue(seller.db, documentId, '2026-04-02T23:59:59Z'), drafted)
  const billed = await billDue(seller.db, documentId, '2026-04-03T00:00:00Z')
  assert.deepEqual(billed.next, { periodIndex: 2, dueAt: '2026-05-01T00:00:00Z' })
  const [, finalized] = await invoicesOf(documentId)
  assert.deepEqual([finalized?.id, finalized?.isFinalized, finalized?.total_minor], [draft.id, true, 1_700])
})

test('a draft freezes no usage, has no number and uses no balance', async () => {
  const { subscriptionId, documentId, testClockId } = await sell()
  const { customer_id: customerId } = await seller.db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  await seller.db
    .insertInto('customer_balances')
    .values({ customer_id: customerId, currency: 'USD', test_clock_id: testClockId, amount_minor: 400 })
    .execute()
  await billDue(seller.db, documentId, boundary)
  const draft = await draftOf(documentId)
  const lines = await seller.db
    .selectFrom('invoice_lines')
    .select('usage_window_id')
    .where('invoice_id', '=', draft.id)
    .execute()
  assert.ok(lines.every((line) => line.usage_window_id === null))
  const used = async () =>
    (
      await seller.db
        .selectFrom('allocations')
        .select('amount_minor')
        .where('invoice_id', '=', draft.id)
        .execute()
    ).map((row) => row.amount_minor)
  assert.deepEqual(await used(), [])
  await billDue(seller.db, documentId, '2026-04-03T00:00:00Z')
  assert.deepEqual(await used(), [400])
})

test('of twenty who finalize a draft at once, with the run among them, one number comes out', async () => {
  const { documentId } = await sell()
  await billDue(seller.db, documentId, boundary)
  const draft = await draftOf(documentId)
  const at = '2026-04-03T00:00:00Z'
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) =>
      index % 2 === 0
        ? finalize(draft.id, at)
        : billPeriod(seller.db, { documentId, periodIndex: 1 }, at).then(() => {}),
    ),
  )
  const invoices = await invoicesOf(documentId)
  assert.deepEqual(
    invoices.map((invoice) => invoice.isFinalized),
    [true, true],
  )
  await finalize(draft.id, at)
  assert.deepEqual(await invoicesOf(documentId), invoices)
})

test('a draft that is finalized by hand is not finalized again on its day', async () => {
  const { documentId } = await sell()
  await billDue(seller.db, documentId, boundary)
  await finalize((await draftOf(documentId)).id, '2026-04-01T12:00:00Z')
  const billed = await billDue(seller.db, documentId, '2026-04-03T00:00:00Z')
  assert.deepEqual(billed.next, { periodIndex: 2, dueAt: '2026-05-01T00:00:00Z' })
  assert.equal((await invoicesOf(documentId)).length, 2)
})

test('what is sold from a day before the draft of a first period leaves that draft what it is', async () => {
  const testClockId = await seller.clock('2026-03-05T08:00:00Z')
  const order = { kit: 'odoo-config-1', testClockId, now: '2026-03-05T08:00:00Z' }
  const subscriptionId = await seller.sell(order)
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const draft = await draftOf(documentId)
  const request = await seller.request({ ...order, now: '2026-03-06T08:00:00Z' })
  const { subscriptionIds } = await seller.db
    .transaction()
    .execute(async (tx) => confirmOrder(tx, { ...request, starts: { kind: 'date', on: '2026-03-03' } }))
  await activate(seller.db, subscriptionIds[0] ?? '', '2026-03-06T08:00:00Z')
  await billDue(seller.db, documentId, '2026-03-07T00:00:00Z')
  const [first, ...others] = await invoicesOf(documentId)
  assert.deepEqual([first?.id, first?.isFinalized], [draft.id, true])
  assert.ok(others.every((invoice) => invoice.isFinalized))
})

test('runs and agendas wait for the day of a draft', async () => {
  const subscriptionId = await seller.sell({ customer: 'north-clinic', now: '2026-03-01T08:00:00Z' })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  await billDue(seller.db, documentId, '2026-03-03T00:00:00Z')
  await billDue(seller.db, documentId, boundary)
  const due = async (now: string) =>
    (await listDueDocuments(seller.db, { now, after: null, limit: 100 })).filter(
      (key) => key.documentId === documentId,
    )
  assert.deepEqual(await due('2026-04-02T12:00:00Z'), [])
  assert.deepEqual(await due('2026-04-03T00:00:00Z'), [{ documentId, periodIndex: 1 }])
  const agenda = await readAgenda(seller.db, subscriptionId, '2026-04-02T12:00:00Z')
  assert.deepEqual(agenda.documents, [{ documentId, periodIndex: 1, dueAt: '2026-04-03T00:00:00Z' }])
})

test('a one-off that is added or withdrawn meanwhile is on the draft, or off it, and billed once', async () => {
  const { subscriptionId, documentId, testClockId } = await sell()
  await billDue(seller.db, documentId, boundary)
  const { customer_id: customerId } = await seller.db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const add = async () =>
    await seller.db.transaction().execute(async (tx) => {
      const id = await insertOneOffCharge(tx, {
        customerId,
        subscriptionId: null,
        testClockId,
        productId: null,
        currency: 'USD',
        description: 'Work',
        quantity: '1',
        unit: 'hour',
        price: perUnitPrice('7'),
        taxCategory: 'standard',
        reference: null,
        chargedOn: '2026-04-01',
      })
      await redraft(tx, { customerId, testClockId, now: '2026-04-02T00:00:00Z' })
      return id
    })
  const first = await add()
  await add()
  const draft = await draftOf(documentId)
  assert.equal(draft.total_minor, 1_000 + 1_400)
  await seller.db.transaction().execute(async (tx) => {
    await withdrawOneOffCharge(tx, first, '2026-04-02T01:00:00Z')
    await redraft(tx, { customerId, testClockId, now: '2026-04-02T01:00:00Z' })
  })
  assert.deepEqual(
    [(await draftOf(documentId)).id, (await draftOf(documentId)).total_minor],
    [draft.id, 1_700],
  )
  await billDue(seller.db, documentId, '2026-04-03T00:00:00Z')
  assert.equal((await invoicesOf(documentId))[1]?.total_minor, 1_700)
})

test('a draft that waits for readings is not computed anew: the one who asked is told why, and it stays', async () => {
  const { subscriptionId, documentId, testClockId } = await sell()
  await billDue(seller.db, documentId, boundary)
  const before = await draftOf(documentId)
  await moveInstances(seller.db, subscriptionId, 'building', 'running')
  const { customer_id: customerId } = await seller.db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const again = seller.db
    .transaction()
    .execute(async (tx) => redraft(tx, { customerId, testClockId, now: '2026-04-01T02:00:00Z' }))
  await assert.rejects(again, refusedAs('action_not_allowed'))
  assert.deepEqual(await draftOf(documentId), before)
})

test('a subscription that ends meanwhile has its draft finalized before its last bill', async () => {
  const { subscriptionId, documentId } = await sell()
  await billDue(seller.db, documentId, boundary)
  const now = '2026-04-02T08:00:00Z'
  await cancelSubscription(
    seller.db,
    { subscriptionId, requestId: 'stop', now, actor: 'test' },
    { when: 'now', reason: 'moved' },
  )
  await billFinal(seller.db, subscriptionId, now)
  const { net } = await seller.db
    .selectFrom('invoice_lines')
    .select((eb) => eb.fn.sum<string>('amount_minor').as('net'))
    .where('subscription_id', '=', subscriptionId)
    .where('kind', 'in', ['recurring', 'credit'])
    .executeTakeFirstOrThrow()
  // March whole, and the first day of April's 30: 5.00 / 30 = 0.17, twice.
  assert.equal(Number(net), 1_000 + 2 * 17)
  assert.ok((await invoicesOf(documentId)).every((invoice) => invoice.isFinalized))
})

test('what was missed for longer than a draft is open is finalized at once', async () => {
  const { documentId } = await sell()
  await billDue(seller.db, documentId, '2026-06-02T00:00:00Z')
  const states = (await invoicesOf(documentId)).map((invoice) => invoice.isFinalized)
  assert.deepEqual(states, [true, true, true, false])
})

test('a draft of which nothing is due any more is not finalized by hand, and dropped on its day', async () => {
  const { documentId } = await sell('odoo-config-2')
  await billDue(seller.db, documentId, boundary)
  const draft = await draftOf(documentId)
  await seller.db
    .updateTable('subscription_lines')
    .set({ ends_on: '2026-04-01' })
    .where('document_id', '=', documentId)
    .execute()
  await assert.rejects(finalize(draft.id, '2026-04-02T00:00:00Z'), refusedAs('invoice_empty'))
  assert.equal((await draftOf(documentId)).id, draft.id)
  const billed = await billDue(seller.db, documentId, '2026-04-03T00:00:00Z')
  assert.equal(billed.next, null)
  assert.equal((await invoicesOf(documentId)).length, 1)
})
