import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { DocumentNotReady } from '#db/bill.ts'
import { billFinal, billOpening, billPeriod } from '#db/billing.ts'
import { listDueDocuments } from '#db/billing-run.ts'
import { parkDocument } from '#db/document.ts'
import { setPhase } from '#db/subscription.ts'
import { changeSubscription } from '#db/plan.ts'
import { setArchived } from '#db/removal.ts'
import { cancelSubscription, uncancelSubscription } from '#db/subscription-command.ts'
import { encodeId } from '#domain/identifier.ts'
import { moveInstances } from '#test/support/instances.ts'
import { listDocumentIds, listInvoiceLines, listInvoices } from '#test/support/invoices.ts'
import { activate, billDue, createSeller, pushUsage, type Seller } from '#test/support/seller.ts'

// Each story has a customer's documents, and numbers, of its own: it lives on its own test clock.
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

/** A subscription on a clock of its own, with its one document and the number series of the clock. */
async function sellOnClock(order: { kit?: string; product?: string; quantity?: string; now: string }) {
  const testClockId = await seller.clock(order.now)
  const subscriptionId = await seller.sell({ ...order, testClockId })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const clock = await seller.db
    .selectFrom('test_clocks')
    .select('number')
    .where('id', '=', testClockId)
    .executeTakeFirstOrThrow()
  const series = `TEST${clock.number}-`
  const invoices = async () =>
    (await listInvoices(seller.db))
      .filter((text) => text.startsWith(series))
      .map((text) => text.slice(series.length))
  const lines = async (number: string) => await listInvoiceLines(seller.db, `${series}${number}`)
  return { testClockId, subscriptionId, documentId, invoices, lines }
}

async function firstLineId(subscriptionId: string): Promise<string> {
  const line = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .orderBy('position')
    .executeTakeFirstOrThrow()
  return line.id
}

function command(subscriptionId: string, requestId: string, now: string) {
  return { subscriptionId, requestId, actor: 'test', now }
}

test('thirteen months from 31 January are billed on the last day of the short months and the 31st otherwise', async () => {
  const { documentId, invoices, lines } = await sellOnClock({
    kit: 'odoo-config-2',
    now: '2026-01-31T09:00:00Z',
  })
  const days = ['2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31', '2026-06-30', '2026-07-31', '2026-08-31',
    '2026-09-30', '2026-10-31', '2026-11-30', '2026-12-31', '2027-01-31'] // prettier-ignore
  for (const day of days) await billDue(seller.db, documentId, `${day}T00:00:00Z`)
  const all = ['2026-01-31', ...days]
  assert.deepEqual(
    await invoices(),
    all.map((day, index) => `INV-${String(index + 1).padStart(5, '0')} ${day} 1000`),
  )
  assert.deepEqual(await lines('INV-00001'), ['recurring 2026-01-31/2026-02-28 1 × 10 = 1000'])
  assert.deepEqual(await lines('INV-00002'), ['recurring 2026-02-28/2026-03-31 1 × 10 = 1000'])
  assert.deepEqual(await lines('INV-00013'), ['recurring 2027-01-31/2027-02-28 1 × 10 = 1000'])
})

test('what was sold of a kit, its products and its application before they were archived is billed on (A-45)', async () => {
  const { documentId, invoices } = await sellOnClock({ kit: 'odoo-config-2', now: '2026-04-01T09:00:00Z' })
  await archiveAll('2026-04-15T00:00:00Z')
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual(await invoices(), ['INV-00001 2026-04-01 1000', 'INV-00002 2026-05-01 1000'])
  const order = seller.order({ kit: 'odoo-config-2' })
  await assert.rejects(order, { code: 'product_archived' })
  await archiveAll(null)
})

async function archiveAll(archivedAt: string | null): Promise<void> {
  for (const [kind, table] of [
    ['application', 'applications'],
    ['kit', 'kits'],
    ['product', 'products'],
  ] as const) {
    const rows = await seller.db.selectFrom(table).select('id').execute()
    for (const { id } of rows) await setArchived(seller.db, kind, { id, archivedAt })
  }
}

test('Config 1 with 3 GiB of network and 2 GiB of disk bills 15.00: 10.00 in advance and 5.00 of usage', async () => {
  const { documentId, subscriptionId, invoices, lines } = await sellOnClock({
    kit: 'odoo-config-1',
    now: '2026-03-01T08:00:00Z',
  })
  const used = { subscriptionId, occurredAt: '2026-03-15T00:00:00Z' }
  await pushUsage(seller.db, { ...used, metric: 'network', quantity: '1' })
  await pushUsage(seller.db, {
    ...used,
    metric: 'network',
    quantity: '2',
    occurredAt: '2026-04-01T00:00:00Z',
  })
  await pushUsage(seller.db, { ...used, metric: 'disk', quantity: '2' })
  await pushUsage(seller.db, { ...used, metric: 'disk', quantity: '1', occurredAt: '2026-03-20T00:00:00Z' })
  await billDue(seller.db, documentId, '2026-04-01T00:00:00Z')
  assert.deepEqual(await invoices(), ['INV-00001 2026-03-01 1000', 'INV-00002 2026-04-01 1500'])
  assert.deepEqual(await lines('INV-00002'), [
    'recurring 2026-04-01/2026-05-01 5 × 1 = 500',
    'usage 2026-03-01/2026-04-01 3 × 1 = 300',
    'usage 2026-03-01/2026-04-01 2 × 1 = 200',
    'recurring 2026-04-01/2026-05-01 5 × 1 = 500',
  ])
})

test('fifty callers at once make one invoice with one number, and hear the same of it', async () => {
  const { documentId, invoices } = await sellOnClock({ kit: 'odoo-config-2', now: '2026-01-01T00:00:00Z' })
  const call = async () => await billPeriod(seller.db, { documentId, periodIndex: 1 }, '2026-02-01T00:00:00Z')
  const answers = await Promise.all(Array.from({ length: 50 }, call))
  assert.equal((await invoices()).length, 2)
  assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1)
  assert.equal(answers[0]?.totalMinor, 1000)
})

test('what a billing run bills, the subscription finds done, and the other way round', async () => {
  const subscriptionId = await seller.sell({
    kit: 'odoo-config-2',
    customer: 'north-clinic',
    now: '2026-01-15T00:00:00Z',
  })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const now = '2026-02-15T00:00:00Z'
  const due = await listDueDocuments(seller.db, { now, after: null, limit: 10 })
  assert.deepEqual(due, [{ documentId, periodIndex: 1 }])
  const both = await Promise.all([
    billDue(seller.db, documentId, now),
    billPeriod(seller.db, { documentId, periodIndex: 1 }, now),
    billDue(seller.db, documentId, now),
  ])
  assert.equal(new Set(both.map((billed) => billed.next?.periodIndex)).size, 1)
  assert.deepEqual(await listDueDocuments(seller.db, { now, after: null, limit: 10 }), [])
  const numbers = (await listInvoices(seller.db)).filter((text) => text.startsWith('INV-'))
  assert.deepEqual(numbers, ['INV-00001 2026-01-15 1000', 'INV-00002 2026-02-15 1000'])
})

test('a period is not billed before its first day in the time zone of the document', async () => {
  const { documentId, invoices } = await sellOnClock({ kit: 'odoo-config-2', now: '2026-01-01T00:00:00Z' })
  const early = await billPeriod(seller.db, { documentId, periodIndex: 1 }, '2026-01-31T23:59:59.999Z')
  assert.deepEqual(early.next, { periodIndex: 1, dueAt: '2026-02-01T00:00:00Z' })
  assert.equal(early.invoiceNumber, null)
  assert.equal((await invoices()).length, 1)
})

test('a period beyond the next is never billed', async () => {
  const { documentId } = await sellOnClock({ kit: 'odoo-config-2', now: '2026-01-01T00:00:00Z' })
  const late = billPeriod(seller.db, { documentId, periodIndex: 2 }, '2026-06-01T00:00:00Z')
  await assert.rejects(late, /periods are billed in order/)
})

test('three missed periods are three invoices, in order', async () => {
  const { documentId, invoices, lines } = await sellOnClock({
    kit: 'odoo-config-2',
    now: '2026-01-10T00:00:00Z',
  })
  await billDue(seller.db, documentId, '2026-04-20T00:00:00Z')
  assert.deepEqual(await invoices(), [
    'INV-00001 2026-01-10 1000',
    'INV-00002 2026-04-20 1000',
    'INV-00003 2026-04-20 1000',
    'INV-00004 2026-04-20 1000',
  ])
  assert.deepEqual(await lines('INV-00004'), ['recurring 2026-04-10/2026-05-10 1 × 10 = 1000'])
})

test('after an upgrade the next bill shows both quantities, each for its dates', async () => {
  const { documentId, subscriptionId, lines } = await sellOnClock({
    product: 'odoo-user',
    quantity: '5',
    now: '2026-04-01T08:00:00Z',
  })
  const change = { subscriptionLineId: await firstLineId(subscriptionId), quantity: '10' }
  await changeSubscription(seller.db, command(subscriptionId, 'up', '2026-04-10T12:00:00Z'), change)
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual(await lines('INV-00002'), [
    'credit 2026-04-10/2026-05-01 5 × 1 = -350',
    'recurring 2026-04-10/2026-05-01 10 × 1 = 700',
    'recurring 2026-05-01/2026-06-01 10 × 1 = 1000',
  ])
})

test('a downgrade holds from the next period, and nothing is credited', async () => {
  const { documentId, subscriptionId, lines } = await sellOnClock({
    product: 'odoo-user',
    quantity: '10',
    now: '2026-04-01T08:00:00Z',
  })
  const change = { subscriptionLineId: await firstLineId(subscriptionId), quantity: '5' }
  await changeSubscription(seller.db, command(subscriptionId, 'down', '2026-04-10T12:00:00Z'), change)
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual(await lines('INV-00002'), ['recurring 2026-05-01/2026-06-01 5 × 1 = 500'])
})

test('cancelled now, what was paid beyond the day comes back as a credit note', async () => {
  const { documentId, subscriptionId, invoices } = await sellOnClock({
    kit: 'odoo-config-2',
    now: '2026-04-01T08:00:00Z',
  })
  const now = '2026-04-16T12:00:00Z'
  await cancelSubscription(seller.db, command(subscriptionId, 'end', now), { when: 'now', reason: 'moved' })
  const answers = await Promise.all([1, 2, 3].map(async () => billFinal(seller.db, subscriptionId, now)))
  assert.equal(new Set(answers.map(String)).size, 1)
  assert.deepEqual(await invoices(), ['INV-00001 2026-04-01 1000', 'CN-00001 2026-04-16 500'])
  const after = await billDue(seller.db, documentId, '2026-06-01T00:00:00Z')
  assert.equal(after.next, null)
  assert.equal((await invoices()).length, 2)
})

test('cancelled now, usage of the day itself is on the final bill, netted with the credit', async () => {
  const { subscriptionId, invoices, lines } = await sellOnClock({
    kit: 'odoo-config-1',
    now: '2026-04-01T08:00:00Z',
  })
  const now = '2026-04-16T12:00:00Z'
  await pushUsage(seller.db, {
    subscriptionId,
    metric: 'network',
    quantity: '7',
    occurredAt: '2026-04-16T11:59:00Z',
  })
  await cancelSubscription(seller.db, command(subscriptionId, 'end', now), { when: 'now', reason: 'moved' })
  await billFinal(seller.db, subscriptionId, now)
  assert.deepEqual(await lines('INV-00002'), [
    'credit 2026-04-16/2026-05-01 5 × 1 = -250',
    'usage 2026-04-01/2026-04-17 7 × 1 = 700',
    'usage 2026-04-01/2026-04-17 0 × 1 = 0',
    'credit 2026-04-16/2026-05-01 5 × 1 = -250',
  ])
  assert.deepEqual(await invoices(), ['INV-00001 2026-04-01 1000', 'INV-00002 2026-04-16 200'])
})

test('cancelled at the end of the period, the final bill has the last usage and the document closes', async () => {
  const { documentId, subscriptionId, testClockId, invoices, lines } = await sellOnClock({
    kit: 'odoo-config-1',
    now: '2026-04-01T08:00:00Z',
  })
  const cancel = { when: 'period_end', reason: 'moved' } as const
  await cancelSubscription(seller.db, command(subscriptionId, 'end', '2026-04-16T12:00:00Z'), cancel)
  await pushUsage(seller.db, {
    subscriptionId,
    metric: 'network',
    quantity: '3',
    occurredAt: '2026-04-30T11:59:00Z',
  })
  const billed = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  await billFinal(seller.db, subscriptionId, '2026-05-01T00:00:05Z')
  assert.equal(billed.next, null)
  assert.deepEqual(await invoices(), ['INV-00001 2026-04-01 1000', 'INV-00002 2026-05-01 300'])
  assert.deepEqual(await lines('INV-00002'), [
    'usage 2026-04-01/2026-05-01 3 × 1 = 300',
    'usage 2026-04-01/2026-05-01 0 × 1 = 0',
  ])
  const next = await seller.sell({ kit: 'odoo-config-2', testClockId, now: '2026-05-20T00:00:00Z' })
  assert.notDeepEqual(await listDocumentIds(seller.db, next), [documentId])
})

test('the last bill does not wait for readings that an application which is down can never give', async () => {
  const { documentId, subscriptionId, lines } = await sellOnClock({
    kit: 'odoo-config-1',
    now: '2026-04-01T08:00:00Z',
  })
  await moveInstances(seller.db, subscriptionId, 'building', 'running')
  const now = '2026-05-01T02:00:00Z'
  await assert.rejects(billDue(seller.db, documentId, now), DocumentNotReady)
  await cancelSubscription(seller.db, command(subscriptionId, 'down', now), { when: 'now', reason: 'down' })
  await billFinal(seller.db, subscriptionId, now)
  const usage = (await lines('INV-00002')).filter((line) => line.startsWith('usage'))
  assert.deepEqual(usage, [
    'usage 2026-04-01/2026-05-01 0 × 1 = 0',
    'usage 2026-05-01/2026-05-02 0 × 1 = 0',
    'usage 2026-04-01/2026-05-01 0 × 1 = 0',
    'usage 2026-05-01/2026-05-02 0 × 1 = 0',
  ])
})

test('a withdrawn cancellation leaves no hole', async () => {
  const { documentId, subscriptionId, lines } = await sellOnClock({
    kit: 'odoo-config-2',
    now: '2026-01-31T08:00:00Z',
  })
  const cancel = { when: 'period_end', reason: 'moved' } as const
  await cancelSubscription(seller.db, command(subscriptionId, 'end', '2026-02-10T00:00:00Z'), cancel)
  await uncancelSubscription(seller.db, command(subscriptionId, 'stay', '2026-02-20T00:00:00Z'))
  await billDue(seller.db, documentId, '2026-03-31T00:00:00Z')
  assert.deepEqual(await lines('INV-00002'), ['recurring 2026-02-28/2026-03-31 1 × 10 = 1000'])
  assert.deepEqual(await lines('INV-00003'), ['recurring 2026-03-31/2026-04-30 1 × 10 = 1000'])
})

test('a second subscription joins the open document with a part of the period, then is billed with it', async () => {
  const { documentId, testClockId, invoices, lines } = await sellOnClock({
    kit: 'odoo-config-2',
    now: '2026-04-01T08:00:00Z',
  })
  const joined = await seller.sell({ kit: 'odoo-config-2', testClockId, now: '2026-04-16T08:00:00Z' })
  assert.deepEqual(await listDocumentIds(seller.db, joined), [documentId])
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual(await invoices(), [
    'INV-00001 2026-04-01 1000',
    'INV-00002 2026-04-16 500',
    'INV-00003 2026-05-01 2000',
  ])
  assert.deepEqual(await lines('INV-00002'), ['recurring 2026-04-16/2026-05-01 1 × 10 = 500'])
})

test('a one-time fee is billed with the opening, once', async () => {
  const { documentId, subscriptionId, invoices, lines } = await sellOnClock({
    product: 'set-up',
    now: '2026-04-01T08:00:00Z',
  })
  assert.equal(documentId, '')
  await Promise.all([1, 2, 3].map(async () => billOpening(seller.db, subscriptionId, '2026-04-02T08:00:00Z')))
  assert.deepEqual(await invoices(), ['INV-00001 2026-04-01 2000'])
  assert.deepEqual(await lines('INV-00001'), ['one_time 1 × 20 = 2000'])
})

test('a document that could not be billed is not parked any more when it is, and its task closes', async () => {
  const { documentId } = await sellOnClock({ kit: 'odoo-config-2', now: '2026-01-01T00:00:00Z' })
  await parkDocument(seller.db, documentId, 'unit_not_convertible')
  await parkDocument(seller.db, documentId, 'unit_not_convertible')
  await billDue(seller.db, documentId, '2026-02-01T00:00:00Z')
  const document = await seller.db
    .selectFrom('subscription_documents')
    .select('parked_reason')
    .where('id', '=', documentId)
    .executeTakeFirstOrThrow()
  const tasks = await seller.db
    .selectFrom('tasks')
    .select('closed_reason')
    .where('subject_id', '=', documentId)
    .execute()
  assert.deepEqual([document.parked_reason, tasks], [null, [{ closed_reason: 'billed' }]])
})

test('a document that is parked again is told of when its reason changed, and after it was billed', async () => {
  const { documentId } = await sellOnClock({ kit: 'odoo-config-2', now: '2026-01-01T00:00:00Z' })
  const park = async (reason: string) => parkDocument(seller.db, documentId, reason)
  await Promise.all([park('unit_not_convertible'), park('unit_not_convertible')])
  await park('price_missing')
  await park('price_missing')
  await park('unit_not_convertible')
  await billDue(seller.db, documentId, '2026-02-01T00:00:00Z')
  await park('unit_not_convertible')
  const events = await seller.db
    .selectFrom('events')
    .select('data')
    .where('kind', '=', 'document.parked')
    .orderBy('id')
    .execute()
  const reasons = events
    .filter(({ data }) => data['document'] === encodeId('document', documentId))
    .map(({ data }) => data['reason'])
  assert.deepEqual(reasons, [
    'unit_not_convertible',
    'price_missing',
    'unit_not_convertible',
    'unit_not_convertible',
  ])
})

test('a customer who moves to another time zone is metered without hole or overlap', async () => {
  const { documentId, subscriptionId, lines } = await sellOnClock({
    kit: 'odoo-config-1',
    now: '2026-04-01T08:00:00Z',
  })
  await pushUsage(seller.db, {
    subscriptionId,
    metric: 'network',
    quantity: '1',
    occurredAt: '2026-04-30T20:00:00Z',
  })
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  const customer = seller.db.updateTable('customers').where('code', '=', 'harbour-bakery')
  await customer.set({ time_zone: 'Pacific/Auckland' }).execute()
  await billDue(seller.db, documentId, '2026-06-01T00:00:00Z')
  await customer.set({ time_zone: 'UTC' }).execute()
  assert.equal((await lines('INV-00003'))[1], 'usage 2026-05-01/2026-06-01 0 × 1 = 0')
})

test('twenty subscriptions activated at once share one document', async () => {
  const testClockId = await seller.clock('2026-04-01T08:00:00Z')
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-2', quantity: '20', testClockId })
  await Promise.all(subscriptionIds.map(async (id) => activate(seller.db, id, '2026-04-01T08:00:00Z')))
  const documents = await Promise.all(subscriptionIds.map(async (id) => listDocumentIds(seller.db, id)))
  assert.equal(new Set(documents.map(String)).size, 1)
  const { total } = await seller.db
    .selectFrom('invoices')
    .select((eb) => eb.fn.sum<string>('net_minor').as('total'))
    .where('test_clock_id', '=', testClockId)
    .executeTakeFirstOrThrow()
  assert.equal(Number(total), 20_000)
})

test('the thirty-sixth month reads as many rows as the third', async () => {
  const { documentId } = await sellOnClock({ kit: 'odoo-config-1', now: '2026-01-01T00:00:00Z' })
  let rows = 0
  const counting = seller.db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: ({ result }) => {
      rows += result.rows.length
      return Promise.resolve(result)
    },
  })
  const reads: number[] = []
  for (let month = 1; month <= 36; month += 1) {
    const now = Temporal.PlainDate.from('2026-01-01').add({ months: month })
    rows = 0
    await billPeriod(counting, { documentId, periodIndex: month }, `${now.toString()}T00:00:00Z`)
    reads.push(rows)
  }
  assert.ok((reads[2] ?? 0) > 0)
  assert.equal(reads[35], reads[2])
})

test('a document closes with its last subscription, although the usage of one that ended before reaches a day further', async () => {
  const now = '2026-04-01T08:00:00Z'
  const { testClockId, subscriptionId, documentId } = await sellOnClock({ kit: 'odoo-config-1', now })
  const other = await seller.sell({ product: 'static-site', now, testClockId })
  for (const [id, at] of [
    [subscriptionId, '2026-04-16T12:00:00Z'],
    [other, '2026-04-16T13:00:00Z'],
  ] as const) {
    await cancelSubscription(seller.db, command(id, 'end', at), { when: 'now', reason: 'moved' })
    await billFinal(seller.db, id, at)
    await setPhase(seller.db, id, { phase: 'unbuilding', now: at })
  }
  const document = await seller.db
    .selectFrom('subscription_documents')
    .select('closed_at')
    .where('id', '=', documentId)
    .executeTakeFirstOrThrow()
  assert.equal(document.closed_at, '2026-04-16T13:00:00.000Z')
})
