import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { billFinal } from '#db/billing.ts'
import { insertCreditNote } from '#db/credit-note.ts'
import { newId } from '#db/identifier.ts'
import { voidInvoice } from '#db/invoice-mark.ts'
import { reissueInvoice } from '#db/reissue.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { listDocumentIds, listInvoiceLines } from '#test/support/invoices.ts'
import { billDue, createSeller, pushUsage, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const now = '2026-04-02T10:00:00Z'

/** Config 1, sold on 1 March with 3 GiB of network used in it, billed on 1 April. */
async function sellAndBill(price?: object) {
  const testClockId = await seller.clock('2026-03-01T08:00:00Z')
  const subscriptionId = await seller.sell({
    kit: 'odoo-config-1',
    testClockId,
    now: '2026-03-01T08:00:00Z',
  })
  if (price !== undefined)
    await seller.db
      .updateTable('subscription_lines')
      .set({ price: JSON.stringify(price) })
      .where('subscription_id', '=', subscriptionId)
      .where('metric', '=', 'network')
      .execute()
  const used = { metric: 'network', quantity: '3', occurredAt: '2026-03-15T00:00:00Z' }
  await pushUsage(seller.db, { subscriptionId, ...used })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  await billDue(seller.db, documentId, '2026-04-01T00:00:00Z')
  const invoices = await invoicesOf(documentId)
  const april = invoices[1]
  assert.ok(april)
  return { subscriptionId, documentId, april }
}

async function invoicesOf(documentId: string) {
  const rows = await seller.db
    .selectFrom('invoices')
    .selectAll()
    .where('document_id', '=', documentId)
    .orderBy('id')
    .execute()
  return rows.map((row) => ({ ...row, number: row.number ?? '' }))
}

async function annul(invoiceId: string) {
  return await seller.db
    .transaction()
    .execute(async (tx) => voidInvoice(tx, { invoiceId, reason: 'wrong address', actor: 'test', now }))
}

async function reissue(invoiceId: string, at = now) {
  return await seller.db.transaction().execute(async (tx) => reissueInvoice(tx, { invoiceId, now: at }))
}

/** What the lines of all documents of a subscription come to, by the day. */
async function netOf(subscriptionId: string): Promise<number> {
  const { net } = await seller.db
    .selectFrom('invoice_lines')
    .select((eb) => eb.fn.sum<string>('amount_minor').as('net'))
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  return Number(net)
}

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === code

test('void then reissue: three documents, the period counted once, by the same usage window', async () => {
  const { subscriptionId, april } = await sellAndBill()
  const before = await netOf(subscriptionId)
  const note = await annul(april.id)
  assert.equal(note?.totalMinor, april.total_minor)
  assert.equal(await netOf(subscriptionId), before - april.total_minor)
  const anew = await reissue(april.id)
  assert.equal(await netOf(subscriptionId), before)
  assert.equal(new Set([april.number, note.number, anew.number]).size, 3)
  assert.deepEqual(
    await listInvoiceLines(seller.db, anew.number),
    await listInvoiceLines(seller.db, april.number),
  )
  const windows = await seller.db
    .selectFrom('invoice_lines')
    .select('usage_window_id')
    .where('invoice_id', 'in', [april.id, anew.id])
    .where('usage_window_id', 'is not', null)
    .execute()
  assert.equal(windows.length, 4)
  assert.equal(new Set(windows.map((row) => row.usage_window_id)).size, 2)
})

test('a share of values is billed anew by the same values, with what each event costs', async () => {
  const price = { model: 'percentage', ratePercent: '10', amountPerEvent: '0.50', leastPerEvent: '0.90' }
  const { subscriptionId, april } = await sellAndBill(price)
  const before = await netOf(subscriptionId)
  await annul(april.id)
  const anew = await reissue(april.id)
  assert.equal(await netOf(subscriptionId), before)
  assert.deepEqual(
    await listInvoiceLines(seller.db, anew.number),
    await listInvoiceLines(seller.db, april.number),
  )
})

test('a voided invoice keeps its number and its mark, and voiding it again makes nothing', async () => {
  const { april } = await sellAndBill()
  const [first, second] = [await annul(april.id), await annul(april.id)]
  assert.deepEqual(first, second)
  const marks = await seller.db
    .selectFrom('invoice_marks')
    .select(['kind', 'reason', 'actor'])
    .where('invoice_id', '=', april.id)
    .execute()
  assert.deepEqual(marks, [{ kind: 'void', reason: 'wrong address', actor: 'test' }])
})

test('of ten who void an invoice at once each hears of the same credit note', async () => {
  const { documentId, april } = await sellAndBill()
  const notes = await Promise.all(Array.from({ length: 10 }, async () => annul(april.id)))
  assert.equal(new Set(notes.map((note) => note?.id)).size, 1)
  assert.equal((await invoicesOf(documentId)).length, 3)
})

test('of ten who reissue an invoice at once each hears of the same one', async () => {
  const { documentId, april } = await sellAndBill()
  await annul(april.id)
  const made = await Promise.all(Array.from({ length: 10 }, async () => reissue(april.id)))
  assert.equal(new Set(made.map(({ id }) => id)).size, 1)
  assert.equal((await invoicesOf(documentId)).length, 4)
})

test('an invoice that still stands, in part or whole, is not billed anew', async () => {
  const { april } = await sellAndBill()
  await assert.rejects(reissue(april.id), refusedAs('not_credited'))
  await seller.db.transaction().execute(async (tx) =>
    insertCreditNote(tx, {
      invoiceId: april.id,
      request: { kind: 'amount', netMinor: 100 },
      billingKey: newId(),
      reason: null,
      actor: 'test',
      now,
    }),
  )
  await assert.rejects(reissue(april.id), refusedAs('not_credited'))
  await annul(april.id)
  assert.equal((await reissue(april.id)).totalMinor, april.total_minor)
})

test('a reissue is voided and billed anew like any invoice, as the next revision', async () => {
  const { april } = await sellAndBill()
  await annul(april.id)
  const first = await reissue(april.id)
  await annul(first.id)
  const second = await reissue(first.id)
  const row = await seller.db
    .selectFrom('invoices')
    .select(['revision', 'reissue_of_id'])
    .where('id', '=', second.id)
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, { revision: 2, reissue_of_id: first.id })
})

test('what was billed after the voided invoice stays as it is, and is not billed again', async () => {
  const { documentId, april } = await sellAndBill()
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  await annul(april.id)
  const anew = await reissue(april.id, '2026-05-02T00:00:00Z')
  assert.equal(anew.totalMinor, april.total_minor)
  await billDue(seller.db, documentId, '2026-06-01T00:00:00Z')
  const june = (await invoicesOf(documentId)).at(-1)
  assert.equal(june?.total_minor, 1_000)
})

test('days that are not served any more are not billed anew', async () => {
  const { subscriptionId, april } = await sellAndBill()
  const at = '2026-04-10T00:00:00Z'
  await cancelSubscription(
    seller.db,
    { subscriptionId, requestId: 'stop', now: at, actor: 'test' },
    { when: 'now', reason: 'moved' },
  )
  await billFinal(seller.db, subscriptionId, at)
  const before = await netOf(subscriptionId)
  await annul(april.id)
  const anew = await reissue(april.id, '2026-04-12T00:00:00Z')
  assert.equal(await netOf(subscriptionId), before)
  const lines = await listInvoiceLines(seller.db, anew.number)
  assert.equal(lines[0], 'recurring 2026-04-01/2026-04-10 5 × 1 = 150')
})

test('what lies on another document by now is refused as such', async () => {
  const { subscriptionId, documentId, april } = await sellAndBill()
  const other = await sellAndBill()
  await annul(april.id)
  await seller.db
    .updateTable('subscription_lines')
    .set({ document_id: other.documentId })
    .where('subscription_id', '=', subscriptionId)
    .where('document_id', '=', documentId)
    .execute()
  await assert.rejects(reissue(april.id), refusedAs('action_not_allowed'))
})

test('an invoice of one-offs is billed anew with what was not withdrawn', async () => {
  const customer = await seller.db.selectFrom('customers').select('id').limit(1).executeTakeFirstOrThrow()
  const invoice = await insertOneOffInvoice(seller.db, customer.id, [['2', '10']])
  await annul(invoice.id)
  assert.equal((await reissue(invoice.id)).totalMinor, 2_000)
})

test('a cancellation and credits of a person at once never give back more than was charged', async () => {
  for (const round of [1, 2, 3]) {
    const { subscriptionId, april } = await sellAndBill()
    const at = '2026-04-10T00:00:00Z'
    const key = { subscriptionId, requestId: `stop ${round}`, now: at, actor: 'test' }
    await cancelSubscription(seller.db, key, { when: 'now', reason: 'moved' })
    const results = await Promise.allSettled([
      billFinal(seller.db, subscriptionId, at),
      annul(april.id),
      ...[1, 2, 3].map(async () =>
        seller.db.transaction().execute(async (tx) =>
          insertCreditNote(tx, {
            invoiceId: april.id,
            request: { kind: 'amount', netMinor: 400 },
            billingKey: newId(),
            reason: null,
            actor: 'test',
            now: at,
          }),
        ),
      ),
    ])
    const failed = results.filter((result) => result.status === 'rejected')
    assert.ok(failed.every((result) => refusedAs('credit_exceeds_invoice')(result.reason)))
    const lines = await seller.db
      .selectFrom('invoice_lines as charge')
      .select('charge.amount_minor')
      .select((eb) =>
        eb
          .selectFrom('invoice_lines as credit')
          .select((of) => of.fn.sum<string>('credit.amount_minor').as('sum'))
          .whereRef('credit.credits_line_id', '=', 'charge.id')
          .as('credited'),
      )
      .where('charge.invoice_id', '=', april.id)
      .execute()
    for (const line of lines) assert.equal(line.amount_minor + Number(line.credited ?? 0), 0)
  }
})
