import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { moveDocumentAnchor } from '#db/moved-anchor.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { insertProduct } from '#db/product.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { listInvoiceLines } from '#test/support/invoices.ts'
import { listServedLines } from '#test/support/lines.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
  await insertProduct(seller.db, {
    code: 'arrears-user',
    name: 'Users in arrears',
    billingType: 'threshold',
    billingTiming: 'arrears',
    recurrence: { count: 1, unit: 'month' },
    unit: 'user',
    basePrice: perUnitPrice('1'),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
})
after(async () => seller.drop())

async function move(documentId: string, firstFullOn: string): Promise<void> {
  await seller.db
    .transaction()
    .execute(async (tx) => moveDocumentAnchor(tx, documentId, { firstFullOn, actor: 'test' }))
}

async function linesOf(documentId: string, day: string): Promise<string[]> {
  const billed = await billDue(seller.db, documentId, `${day}T00:00:00Z`)
  return await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')
}

test('from day 1 to day 15 as of 1 May: the bridge is 14 of 30 days, and no day is missing or doubled', async () => {
  const { documentId } = await sellUsers(seller)
  await move(documentId, '2026-05-15')
  assert.deepEqual(await linesOf(documentId, '2026-05-01'), ['recurring 2026-05-01/2026-05-15 5 × 1 = 233'])
  assert.deepEqual(await linesOf(documentId, '2026-05-15'), ['recurring 2026-05-15/2026-06-15 5 × 1 = 500'])
  assert.deepEqual(await linesOf(documentId, '2026-06-15'), ['recurring 2026-06-15/2026-07-15 5 × 1 = 500'])
})

test('what is in arrears for the days before is billed by the former rhythm', async () => {
  const { documentId } = await sellUsers(seller, 'arrears-user')
  await move(documentId, '2026-05-15')
  assert.deepEqual(await linesOf(documentId, '2026-05-01'), ['recurring 2026-04-01/2026-05-01 5 × 1 = 500'])
  assert.deepEqual(await linesOf(documentId, '2026-05-15'), ['recurring 2026-05-01/2026-05-15 5 × 1 = 233'])
  assert.deepEqual(await linesOf(documentId, '2026-06-15'), ['recurring 2026-05-15/2026-06-15 5 × 1 = 500'])
})

test('the last day of long months is not lost in short ones', async () => {
  const { documentId } = await sellUsers(seller)
  await move(documentId, '2026-05-31')
  await linesOf(documentId, '2026-05-01')
  assert.deepEqual(await linesOf(documentId, '2026-05-31'), ['recurring 2026-05-31/2026-06-30 5 × 1 = 500'])
  assert.deepEqual(await linesOf(documentId, '2026-06-30'), ['recurring 2026-06-30/2026-07-31 5 × 1 = 500'])
})

test('moved twice before it took effect, the later one counts; moved later again, the next period is a bridge', async () => {
  const { documentId } = await sellUsers(seller)
  await move(documentId, '2026-05-15')
  await move(documentId, '2026-05-10')
  await linesOf(documentId, '2026-05-01')
  assert.deepEqual(await linesOf(documentId, '2026-05-10'), ['recurring 2026-05-10/2026-06-10 5 × 1 = 500'])
  await move(documentId, '2026-07-01')
  assert.deepEqual(await linesOf(documentId, '2026-06-10'), ['recurring 2026-06-10/2026-07-01 5 × 1 = 350'])
})

test('a cancellation still ends what is paid for by the rhythm of its day', async () => {
  const { subscriptionId, documentId, command } = await sellUsers(seller)
  await move(documentId, '2026-05-15')
  const cancel = { when: 'period_end', reason: 'moved' } as const
  await cancelSubscription(seller.db, command('end', '2026-04-20'), cancel)
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-05-01',
  ])
})

test('a bridge has at least one day, and at most a whole cycle', async () => {
  const { documentId } = await sellUsers(seller)
  await assert.rejects(move(documentId, '2026-05-01'), { code: 'date_range_invalid' })
  await assert.rejects(move(documentId, '2026-06-02'), { code: 'date_range_invalid' })
})
