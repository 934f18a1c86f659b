import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { insertInvoice, type InvoiceDraft } from '#db/invoice.ts'
import type { InvoiceLineDraft } from '#domain/invoice/lines.ts'
import { addDays } from '#domain/calendar.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

/** Drafts for a subscription that nothing was billed of, each for a day of its own. */
async function createDrafts(testClockId: string) {
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-2', testClockId })
  const line = await seller.db
    .selectFrom('subscription_lines')
    .innerJoin('subscriptions', 'subscriptions.id', 'subscription_id')
    .selectAll('subscription_lines')
    .select('customer_id')
    .where('subscription_id', '=', subscriptionIds[0] ?? '')
    .executeTakeFirstOrThrow()
  return (day: number, amountsMinor: readonly number[] = [100]): InvoiceDraft => ({
    billingKey: newId(),
    customerId: line.customer_id,
    documentId: null,
    subscriptionId: line.subscription_id,
    testClockId,
    currency: 'USD',
    now: '2026-05-01T00:00:00Z',
    lines: amountsMinor.map((amountMinor, index) => ({
      draft: lineDraft(line.id, addDays('2026-01-01', day * 10 + index), amountMinor),
      subscriptionId: line.subscription_id,
      productId: line.product_id,
      instanceId: null,
      metric: null,
      timeZone: 'UTC',
    })),
  })
}

function lineDraft(subscriptionLineId: string, day: string, amountMinor: number): InvoiceLineDraft {
  return {
    kind: amountMinor < 0 ? 'credit' : 'recurring',
    subscriptionLineId,
    description: 'Flat Odoo',
    billingType: 'flat',
    quantity: '1',
    unit: 'month',
    unitPrice: '1',
    servicePeriod: { start: day, end: addDays(day, 1) },
    amountMinor,
    explanation: { formula: '' },
  }
}

async function insert(draft: InvoiceDraft) {
  return await seller.db.transaction().execute(async (tx) => insertInvoice(tx, draft))
}

test('a hundred finalizations at once, a third of them rolled back, are numbered without a gap', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const crash = new Error('killed before the commit')
  const tries = await Promise.allSettled(
    Array.from({ length: 100 }, async (_, index) =>
      seller.db.transaction().execute(async (tx) => {
        const invoice = await insertInvoice(tx, draftOf(index))
        if (index % 3 === 0) throw crash
        return invoice.number
      }),
    ),
  )
  const numbers = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  assert.equal(tries.filter((result) => result.status === 'rejected' && result.reason === crash).length, 34)
  const sequences = numbers.map((number) => Number(number.split('-').at(-1)))
  assert.deepEqual(
    sequences.toSorted((first, second) => first - second),
    Array.from({ length: 66 }, (_, index) => index + 1),
  )
})

test('credit notes have a series of their own, and every test clock has', async () => {
  const first = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const second = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const made = [
    await insert(first(1)),
    await insert(first(2, [-100])),
    await insert(second(1)),
    await insert(first(3)),
  ]
  assert.deepEqual(
    made.map(({ number }) => number.replace(/^TEST\d+-/, '')),
    ['INV-00001', 'CN-00001', 'INV-00001', 'INV-00002'],
  )
  assert.notEqual(made[0]?.number, made[2]?.number)
})

test('credits beyond the charges make a credit note of what is left: -30.00 and 10.00 are 20.00', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const note = await insert(draftOf(1, [-3000, 1000]))
  assert.deepEqual([note.kind, note.totalMinor], ['credit_note', 2000])
  const nothing = await insert(draftOf(2, [-1000, 1000]))
  assert.deepEqual([nothing.kind, nothing.totalMinor], ['invoice', 0])
})

test('issue dates never fall within a series, even when an older instant comes later', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  await insert({ ...draftOf(1), now: '2026-05-02T00:00:01Z' })
  const { id } = await insert({ ...draftOf(2), now: '2026-05-01T23:59:59Z' })
  const row = await seller.db
    .selectFrom('invoices')
    .select(['issued_on', 'due_on'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, { issued_on: '2026-05-02', due_on: '2026-05-16' })
})

test('a document keeps seller and buyer as they were, and is due after the payment terms', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const { id } = await insert(draftOf(1))
  await seller.db
    .updateTable('customers')
    .set({ name: 'Renamed' })
    .where('code', '=', 'harbour-bakery')
    .execute()
  const row = await seller.db
    .selectFrom('invoices')
    .select(['issued_on', 'due_on', 'buyer', 'seller'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  assert.deepEqual([row.issued_on, row.due_on], ['2026-05-01', '2026-05-15'])
  assert.partialDeepStrictEqual(row.buyer, { code: 'harbour-bakery', name: 'Harbour Bakery' })
  assert.partialDeepStrictEqual(row.seller, { name: 'Seller' })
})
