import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql, type RawBuilder } from 'kysely'
import { checkChain } from '#db/chain-check.ts'
import { insertCreditNote } from '#db/credit-note.ts'
import type { FinalizedInvoice } from '#db/invoice.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { billDue, createSeller, pushUsage, type Seller } from '#test/support/seller.ts'
import { listDocumentIds } from '#test/support/invoices.ts'

let seller: Seller
let invoices: FinalizedInvoice[]
before(async () => {
  seller = await createSeller()
  const customer = await seller.db.selectFrom('customers').select('id').limit(1).executeTakeFirstOrThrow()
  invoices = []
  for (const amount of ['10', '20.50', '33.333', '7']) {
    invoices.push(await insertOneOffInvoice(seller.db, customer.id, [['1.50', amount]]))
  }
  await seller.db.transaction().execute(async (tx) =>
    insertCreditNote(tx, {
      invoiceId: invoices[1]?.id ?? '',
      request: { kind: 'amount', netMinor: 100 },
      billingKey: 'credit/test',
      reason: null,
      actor: 'test',
      now: '2026-04-01T08:00:00Z',
    }),
  )
})
after(async () => seller.drop())

/** As nobody may: past the triggers that hold finalized rows. What is changed is taken back after the look. */
async function whileForced(change: RawBuilder<unknown>) {
  const undo = new Error('taken back')
  let seen: Awaited<ReturnType<typeof checkChain>> | undefined
  await seller.db
    .transaction()
    .execute(async (tx) => {
      await sql`set local session_replication_role = replica`.execute(tx)
      await change.execute(tx)
      seen = await checkChain(tx)
      throw undo
    })
    .catch((error: unknown) => assert.equal(error, undo))
  return seen?.broken.map(({ series, number, fault }) => `${series} ${number} ${fault}`)
}

const idOf = (index: number) => invoices[index]?.id ?? ''

test('documents as they were finalized fit their hashes: of one-offs, of subscriptions with usage, credit notes', async () => {
  const testClockId = await seller.clock('2026-03-01T08:00:00Z')
  const subscriptionId = await seller.sell({
    kit: 'odoo-config-1',
    testClockId,
    now: '2026-03-01T08:00:00Z',
  })
  const used = { metric: 'network', quantity: '1.25', occurredAt: '2026-03-10T00:00:00Z' }
  await pushUsage(seller.db, { subscriptionId, ...used })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  const { broken, documents, series } = await checkChain(seller.db)
  assert.deepEqual([broken, documents, series], [[], 8, 3])
})

test('a line, a tax, a buyer or a total that was changed by force is named with its document and series', async () => {
  const second = invoices[1]?.number
  const changes = [
    sql`update invoice_lines set description = 'Other work' where invoice_id = ${idOf(1)}`,
    sql`update invoice_lines set amount_minor = amount_minor + 1, rated_minor = rated_minor + 1 where invoice_id = ${idOf(1)}`,
    sql`update invoice_taxes set tax_minor = tax_minor + 1 where invoice_id = ${idOf(1)}`,
    sql`update invoices set buyer = buyer || '{"name": "Somebody else"}' where id = ${idOf(1)}`,
    sql`update invoices set net_minor = net_minor - 1, total_minor = total_minor - 1 where id = ${idOf(1)}`,
    sql`update invoices set issued_on = issued_on - 1 where id = ${idOf(1)}`,
    sql`delete from invoice_lines where invoice_id = ${idOf(1)}`,
  ]
  for (const change of changes) {
    assert.deepEqual(await whileForced(change), [`INV ${second} content_changed`])
  }
})

test('who changes a document and its hash is betrayed by the next one', async () => {
  const change = sql`update invoices set hash = sha256('forged') where id = ${idOf(1)}`
  assert.deepEqual(await whileForced(change), [
    `INV ${invoices[1]?.number} content_changed`,
    `INV ${invoices[2]?.number} predecessor_changed`,
  ])
})

test('a document that was taken away is missed, in the middle and at the end of a series', async () => {
  const middle = await whileForced(sql`delete from invoices where id = ${idOf(1)}`)
  assert.deepEqual(middle, [`INV ${invoices[2]?.number} number_missing`])
  const end = await whileForced(sql`delete from invoices where id = ${idOf(3)}`)
  assert.deepEqual(end, [`INV ${invoices[2]?.number} end_missing`])
  const all = await whileForced(sql`delete from invoices where series = 'CN'`)
  assert.deepEqual(all, ['CN  end_missing'])
})

test('a look at the newest finds what is wrong with them, and no more', async () => {
  const { broken, documents } = await checkChain(seller.db, 2)
  assert.deepEqual([broken, documents <= 2 * 3], [[], true])
})

test('numbers that were skipped after a restore are no break of their series; one more that is missing is', async () => {
  const { id } = await seller.db.selectFrom('customers').select('id').limit(1).executeTakeFirstOrThrow()
  const first = await seller.db
    .selectFrom('number_series')
    .select('next_number')
    .where('code', '=', 'INV')
    .executeTakeFirstOrThrow()
  const skip = { series: 'INV', first: first.next_number, last: first.next_number + 1 }
  await seller.db
    .insertInto('skipped_numbers')
    .values({ ...skip, reason: 'restored', skipped_at: '2026-04-02T00:00:00Z', skipped_by: 'test' })
    .execute()
  const goOnFrom = async (next: number) =>
    await seller.db
      .updateTable('number_series')
      .set({ next_number: next })
      .where('code', '=', 'INV')
      .execute()
  await goOnFrom(skip.last + 1)
  assert.deepEqual((await checkChain(seller.db)).broken, [])
  await insertOneOffInvoice(seller.db, id, [['1', '10']], { now: '2026-04-03T08:00:00Z' })
  assert.deepEqual((await checkChain(seller.db)).broken, [])
  assert.deepEqual((await checkChain(seller.db, 1)).broken, [])
  await goOnFrom(skip.last + 3)
  const made = await insertOneOffInvoice(seller.db, id, [['1', '10']], { now: '2026-04-03T08:00:00Z' })
  assert.deepEqual(
    (await checkChain(seller.db)).broken.map(({ number, fault }) => [number, fault]),
    [[made.number, 'number_missing']],
  )
})
