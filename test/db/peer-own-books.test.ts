import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from 'kysely'
import { listBilledDocuments } from '#test/support/billed-documents.ts'
import { insertPeer } from '#test/support/peer.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'

const soldAt = '2026-01-31T09:00:00Z'
const months = ['2026-02-28', '2026-03-31', '2026-04-30']

/** Two customers, one of which may be an installation, billed month by month as the hourly run does. */
async function billThreeMonths(seller: Seller, peer: object | undefined): Promise<string[]> {
  if (peer !== undefined) {
    const { id } = await seller.db
      .selectFrom('customers')
      .select('id')
      .where('code', '=', 'north-clinic')
      .executeTakeFirstOrThrow()
    await insertPeer(seller.db, { role: 'customer', customer_id: id, ...peer })
    // And it is billed by another one, whose link is as good or bad.
    await insertPeer(seller.db, { role: 'supplier', ...peer })
  }
  for (const customer of ['harbour-bakery', 'north-clinic']) await seller.sell({ customer, now: soldAt })
  for (const month of months) {
    const documents = await seller.db
      .selectFrom('subscription_documents')
      .select('id')
      .orderBy('id')
      .execute()
    for (const { id } of documents) await billDue(seller.db, id, `${month}T10:00:00Z`)
  }
  const { rows } = await sql<{ period: string }>`
    select concat_ws(' ', customer.code, period_index, period, number) as period from billing_periods
    join subscription_documents document on document.id = document_id join customers customer on customer.id = customer_id
    join invoices on invoices.id = invoice_id order by number`.execute(seller.db)
  return [...(await listBilledDocuments(seller.db)), ...rows.map(({ period }) => period)]
}

test('G-10 numbers, dates, periods and amounts are the same whether customer and supplier are installations that are reached, away, or halted, or none', async () => {
  const alone = await createSeller()
  const expected = await billThreeMonths(alone, undefined)
  await alone.drop()
  // The opening bills, then one of each month, of two customers each.
  assert.equal(expected.length, 2 * 2 * 4)
  for (const peer of [
    {},
    { waiting_reason: 'it does not answer' },
    { state: 'halted', halted_reason: 'UP-1 came again' },
  ]) {
    const seller = await createSeller()
    assert.deepEqual(await billThreeMonths(seller, peer), expected)
    const queued = await seller.db
      .selectFrom('peer_messages')
      .select('sequence')
      .where('kind', '=', 'document')
      .where('delivered_at', 'is', null)
      .execute()
    assert.equal(queued.length, 4)
    await seller.drop()
  }
})
