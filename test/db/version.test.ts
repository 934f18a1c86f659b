import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { insertProduct } from '#db/product.ts'
import { countByProductVersion } from '#db/read/version.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import type { Terms } from '#domain/terms.ts'
import { listInvoiceLines } from '#test/support/invoices.ts'
import { changeProduct } from '#test/support/product-version.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

/** A product of 1.00 a user, of which five are sold from 1 April 2026 on. */
async function sellProduct(code: string, terms: Partial<Terms> = {}) {
  const productId = await insertProduct(seller.db, {
    code,
    name: 'User',
    billingType: 'threshold',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'user',
    basePrice: perUnitPrice('1'),
    terms,
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
  const counts = async () =>
    [...(await countByProductVersion(seller.db, productId))].toSorted(([one], [other]) => one - other)
  return { productId, counts, ...(await sellUsers(seller, code)) }
}

async function billedOn(documentId: string, day: string): Promise<string[]> {
  const { invoiceNumber } = await billDue(seller.db, documentId, `${day}T00:00:00Z`)
  return (await listInvoiceLines(seller.db, invoiceNumber ?? '')).toSorted()
}

async function versionsAndNames(subscriptionId: string): Promise<string[]> {
  const lines = await seller.db
    .selectFrom('subscription_lines')
    .select(['product_version', 'description', 'starts_on'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('starts_on')
    .execute()
  return lines.map((line) => `${line.product_version} ${line.description} from ${line.starts_on}`)
}

test('A-27 a subscription keeps the version it was sold, and all its changes do, until it is moved', async () => {
  const { productId, subscriptionId, documentId, change, counts } = await sellProduct('moved')
  await changeProduct(seller.db, 'moved', {
    effectiveOn: '2026-04-05',
    said: { name: 'Seat', basePrice: perUnitPrice('2') },
  })
  await change('more', '2026-04-10', { quantity: '10' })
  assert.deepEqual(await counts(), [[1, 1]])
  assert.deepEqual(await billedOn(documentId, '2026-05-01'), [
    'credit 2026-04-10/2026-05-01 5 × 1 = -350',
    'recurring 2026-04-10/2026-05-01 10 × 1 = 700',
    'recurring 2026-05-01/2026-06-01 10 × 1 = 1000',
  ])

  await change('move', '2026-05-11', { productId })
  assert.deepEqual(await versionsAndNames(subscriptionId), [
    '1 User from 2026-04-01',
    '1 User from 2026-04-10',
    '2 Seat from 2026-05-11',
  ])
  assert.deepEqual(await billedOn(documentId, '2026-06-01'), [
    'credit 2026-05-11/2026-06-01 10 × 1 = -677',
    'recurring 2026-05-11/2026-06-01 10 × 2 = 1355',
    'recurring 2026-06-01/2026-07-01 10 × 2 = 2000',
  ])
})

test('a move to a version that costs as much holds at once, and a second one is refused', async () => {
  const { productId, subscriptionId, change } = await sellProduct('renamed')
  await changeProduct(seller.db, 'renamed', { effectiveOn: '2026-04-05', said: { name: 'Seat' } })
  await change('move', '2026-04-10', { productId })
  assert.deepEqual(await versionsAndNames(subscriptionId), [
    '1 User from 2026-04-01',
    '2 Seat from 2026-04-10',
  ])
  await assert.rejects(change('again', '2026-04-11', { productId }), { code: 'quantity_unchanged' })
})

test('a price that is read again is that of the version of its day, but never of one that sells by another period', async () => {
  const { documentId } = await sellProduct('reread', { pricing: 'reevaluated' })
  await changeProduct(seller.db, 'reread', {
    effectiveOn: '2026-05-01',
    said: { basePrice: perUnitPrice('2') },
  })
  await changeProduct(seller.db, 'reread', {
    effectiveOn: '2026-06-01',
    said: { basePrice: perUnitPrice('20'), recurrence: { count: 1, unit: 'year' } },
  })
  assert.deepEqual(await billedOn(documentId, '2026-05-01'), ['recurring 2026-05-01/2026-06-01 5 × 2 = 1000'])
  assert.deepEqual(await billedOn(documentId, '2026-06-01'), ['recurring 2026-06-01/2026-07-01 5 × 2 = 1000'])
})
