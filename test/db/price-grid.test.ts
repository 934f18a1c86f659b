import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { previewOrder } from '#db/order-preview.ts'
import { savePriceGrid } from '#db/price-grid.ts'
import { insertProduct } from '#db/product.ts'
import type { GridPrice } from '#domain/pricing/price.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { findInstanceId } from '#test/support/instances.ts'
import { listDocumentIds, listInvoiceLines } from '#test/support/invoices.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
let applicationId = ''
before(async () => {
  seller = await createSeller()
  const odoo = await seller.db
    .selectFrom('applications')
    .select('id')
    .where('code', '=', 'odoo')
    .executeTakeFirstOrThrow()
  applicationId = odoo.id
  await insertProduct(seller.db, {
    code: 'grid-user',
    name: 'Users by grid',
    billingType: 'threshold',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'user',
    basePrice: perUnitPrice('1'),
    terms: { pricing: 'grid' },
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [applicationId],
  })
  await saveApplicationGrid('2026-01-01', ['10', '30'])
})
after(async () => seller.drop())

/** So much to ten users, so much above. */
function grid([few, many]: readonly [string, string]): GridPrice {
  return {
    model: 'grid',
    steps: [
      { from: '0', amount: few, kind: 'fixed' },
      { from: '11', amount: many, kind: 'fixed' },
    ],
  }
}

async function saveApplicationGrid(startsOn: string, amounts: readonly [string, string]): Promise<void> {
  const owner = { applicationId, instanceId: null }
  await savePriceGrid(seller.db, owner, { currency: 'USD', startsOn, price: grid(amounts) })
}

const now = '2026-04-01T08:00:00Z'

async function sell(quantity: string) {
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ product: 'grid-user', quantity, testClockId, now })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const instanceId = await findInstanceId(seller.db, subscriptionId)
  const billedIn = async (month: string) => {
    const billed = await billDue(seller.db, documentId, `2026-${month}-01T08:00:00Z`)
    return await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')
  }
  return { instanceId, billedIn }
}

test('an order is previewed at the grid of its application', async () => {
  const preview = await previewOrder(
    seller.db,
    await seller.request({ product: 'grid-user', quantity: '15', now }),
  )
  assert.equal(preview.totalPerPeriodMinor, 3000)
})

test('a grid of an instance changes that instance alone, and one of the application all the others', async () => {
  const [own, other] = [await sell('15'), await sell('5')]
  const owner = { applicationId: null, instanceId: own.instanceId }
  await savePriceGrid(seller.db, owner, { currency: 'USD', startsOn: '2026-04-15', price: grid(['1', '2']) })
  assert.deepEqual(await own.billedIn('05'), ['recurring 2026-05-01/2026-06-01 15 × null = 200'])
  assert.deepEqual(await other.billedIn('05'), ['recurring 2026-05-01/2026-06-01 5 × null = 1000'])
  await saveApplicationGrid('2026-05-15', ['11', '33'])
  assert.deepEqual(await own.billedIn('06'), ['recurring 2026-06-01/2026-07-01 15 × null = 200'])
  assert.deepEqual(await other.billedIn('06'), ['recurring 2026-06-01/2026-07-01 5 × null = 1100'])
})

test('a grid that begins within a period does not touch what that period still bills', async () => {
  const sold = await sell('5')
  await saveApplicationGrid('2026-05-02', ['77', '77'])
  assert.deepEqual(await sold.billedIn('05'), ['recurring 2026-05-01/2026-06-01 5 × null = 1000'])
})
