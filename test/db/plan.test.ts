import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { previewChange } from '#db/plan.ts'
import { pauseSubscription } from '#db/pause.ts'
import { insertProduct } from '#db/product.ts'
import { cancelSubscription, uncancelSubscription } from '#db/subscription-command.ts'
import { previewTransfer } from '#db/transfer.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import type { Terms } from '#domain/terms.ts'
import { deployProduct, insertDeployer, insertDeployment } from '#test/support/deployer.ts'
import { listDocumentIds, listInvoiceLines } from '#test/support/invoices.ts'
import { listServedLines } from '#test/support/lines.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
let proId = ''
before(async () => {
  seller = await createSeller()
  proId = await insertPlan('pro-user', '2')
})
after(async () => seller.drop())

async function insertPlan(
  code: string,
  amount: string,
  terms: Partial<Terms> = {},
  unit: 'month' | 'quarter' = 'month',
): Promise<string> {
  return await insertProduct(seller.db, {
    code,
    name: code,
    billingType: 'threshold',
    billingTiming: 'advance',
    recurrence: { count: 1, unit },
    unit: 'user',
    basePrice: perUnitPrice(amount),
    terms,
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
}

async function linesOfNextInvoice(documentId: string, day: string): Promise<string[]> {
  const billed = await billDue(seller.db, documentId, `${day}T00:00:00Z`)
  return (await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')).toSorted()
}

test('a dearer product takes over on the day, and the rest of the cheaper one comes back', async () => {
  const { subscriptionId, documentId, change } = await sellUsers(seller)
  await change('up', '2026-04-10', { productId: proId })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-10',
    '5 pro-user from 2026-04-10 to open',
  ])
  assert.deepEqual(await linesOfNextInvoice(documentId, '2026-05-01'), [
    'credit 2026-04-10/2026-05-01 5 × 1 = -350',
    'recurring 2026-04-10/2026-05-01 5 × 2 = 700',
    'recurring 2026-05-01/2026-06-01 5 × 2 = 1000',
  ])
})

test('both lines of a change name the command', async () => {
  const { subscriptionId, change } = await sellUsers(seller)
  await change('up', '2026-04-10', { quantity: '10' })
  const rows = await seller.db
    .selectFrom('subscription_lines')
    .select(['opened_by', 'closed_by'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('starts_on')
    .execute()
  assert.deepEqual(rows, [
    { opened_by: null, closed_by: 'up' },
    { opened_by: 'up', closed_by: null },
  ])
})

test('a price that a person agreed is charged from its day, whatever the lists say', async () => {
  const { documentId, change } = await sellUsers(seller)
  await change('price', '2026-04-10', { price: perUnitPrice('1.5'), startsOn: '2026-05-01' })
  assert.deepEqual(await linesOfNextInvoice(documentId, '2026-05-01'), [
    'recurring 2026-05-01/2026-06-01 5 × 1.5 = 750',
  ])
})

test('a longer interval lies on a document of its own, at the price of so many shorter ones', async () => {
  const { subscriptionId, documentId, change } = await sellUsers(seller)
  await change('quarterly', '2026-04-10', {
    recurrence: { count: 1, unit: 'quarter' },
    startsOn: '2026-05-01',
  })
  const quarterly = (await listDocumentIds(seller.db, subscriptionId)).find((id) => id !== documentId) ?? ''
  assert.deepEqual(await linesOfNextInvoice(quarterly, '2026-05-01'), [
    'recurring 2026-05-01/2026-08-01 5 × 3 = 1500',
  ])
  const last = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual([last.invoiceNumber, last.next], [null, null])
})

test('a longer interval of which the period is billed already begins one of its own: nobody waits for its first bill', async () => {
  const { subscriptionId, documentId, change } = await sellUsers(seller)
  const { test_clock_id: testClockId } = await seller.db
    .selectFrom('subscriptions')
    .select('test_clock_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  assert.ok(testClockId)
  await insertPlan('quarterly-user', '3', {}, 'quarter')
  const other = await seller.sell({
    product: 'quarterly-user',
    testClockId,
    now: '2026-04-01T08:00:00Z',
  })
  const [common = ''] = await listDocumentIds(seller.db, other)
  await billDue(seller.db, common, '2026-04-01T08:00:00Z')

  await change('quarterly', '2026-04-10', {
    recurrence: { count: 1, unit: 'quarter' },
    startsOn: '2026-04-10',
  })

  const own = (await listDocumentIds(seller.db, subscriptionId)).find((id) => id !== documentId) ?? ''
  assert.notEqual(own, common)
  assert.deepEqual(await linesOfNextInvoice(own, '2026-04-10'), [
    'recurring 2026-04-10/2026-07-10 5 × 3 = 1500',
  ])
})

test('a document that a planned change opened is open no longer than that is planned, and again where it is planned again', async () => {
  const { subscriptionId, change, command } = await sellUsers(seller)
  const { test_clock_id: testClockId } = await seller.db
    .selectFrom('subscriptions')
    .select('test_clock_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const openQuarters = async () =>
    await seller.db
      .selectFrom('subscription_documents')
      .select(['id', 'next_invoice_on'])
      .where('test_clock_id', '=', testClockId)
      .where('interval_unit', '=', 'month')
      .where('interval_count', '=', 3)
      .where('closed_at', 'is', null)
      .execute()
  const quarter = { count: 1, unit: 'quarter' } as const
  await change('quarterly', '2026-04-10', { recurrence: quarter, startsOn: '2026-06-01' })
  const planned = await openQuarters()
  assert.deepEqual(
    planned.map((document) => document.next_invoice_on),
    ['2026-06-01'],
  )
  await cancelSubscription(seller.db, command('stop', '2026-04-12'), {
    when: 'date',
    endsOn: '2026-05-01',
    reason: 'moved',
  })
  assert.deepEqual(await openQuarters(), [])
  await uncancelSubscription(seller.db, command('go on', '2026-04-13'))
  assert.deepEqual(await openQuarters(), planned)
  assert.deepEqual(await linesOfNextInvoice(planned[0]?.id ?? '', '2026-06-01'), [
    'recurring 2026-06-01/2026-09-01 5 × 3 = 1500',
  ])
})

test('of several changes on a day the last one is charged, once, and all are told', async () => {
  const { subscriptionId, documentId, change } = await sellUsers(seller)
  await change('a', '2026-04-10', { quantity: '10' })
  await change('b', '2026-04-10', { productId: proId, quantity: '7' })
  await change('c', '2026-04-10', { quantity: '10' })
  assert.deepEqual(await linesOfNextInvoice(documentId, '2026-05-01'), [
    'credit 2026-04-10/2026-05-01 5 × 1 = -350',
    'recurring 2026-04-10/2026-05-01 10 × 2 = 1400',
    'recurring 2026-05-01/2026-06-01 10 × 2 = 2000',
  ])
  const told = await seller.db
    .selectFrom('events')
    .select('data')
    .where('subscription_id', '=', subscriptionId)
    .where('kind', '=', 'subscription.changed')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    told.map(({ data }) => `${String(data['from'])} → ${String(data['to'])}`),
    ['5 → 10', '10 odoo-user at 1.00 USD per user → 7 pro-user at 2.00 USD per user', '7 → 10'],
  )
})

test('a change to a cheaper product waits for the period’s end, as the terms of the line say', async () => {
  const { subscriptionId, change } = await sellUsers(seller, 'pro-user')
  await change('down', '2026-04-10', { productId: await insertPlan('small-user', '1') })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 pro-user from 2026-04-01 to 2026-05-01',
    '5 small-user from 2026-05-01 to open',
  ])
})

test('terms that rule a direction out refuse it, and nothing is changed', async () => {
  await insertPlan('fixed-user', '1', { downgrade: 'not_allowed' })
  const { subscriptionId, change } = await sellUsers(seller, 'fixed-user')
  await assert.rejects(change('down', '2026-04-10', { quantity: '4' }), { code: 'change_not_allowed' })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), ['5 fixed-user from 2026-04-01 to open'])
})

test('unused time is kept where the terms say so', async () => {
  await insertPlan('kept-user', '1', { unusedTime: 'keep' })
  const { documentId, change } = await sellUsers(seller, 'kept-user')
  await change('up', '2026-04-10', { quantity: '10' })
  assert.deepEqual(await linesOfNextInvoice(documentId, '2026-05-01'), [
    'recurring 2026-04-10/2026-05-01 10 × 1 = 700',
    'recurring 2026-05-01/2026-06-01 10 × 1 = 1000',
  ])
})

test('a product that builds an application of its own is ordered, not changed to', async () => {
  const { change } = await sellUsers(seller)
  const { id } = await seller.db
    .selectFrom('products')
    .select('id')
    .where('code', '=', 'static-site')
    .executeTakeFirstOrThrow()
  await assert.rejects(change('up', '2026-04-10', { productId: id }), { code: 'change_not_allowed' })
})

test('a change before a planned pause leaves the hole of the pause', async () => {
  const { subscriptionId, command, change } = await sellUsers(seller)
  await pauseSubscription(seller.db, command('pause', '2026-04-02'), {
    startsOn: '2026-04-20',
    endsOn: '2026-04-25',
    reason: null,
  })
  await change('up', '2026-04-10', { quantity: '10' })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-10',
    '10 odoo-user from 2026-04-10 to 2026-04-20',
    '10 odoo-user from 2026-04-25 to open',
  ])
})

test('a preview of another product names its limit and its day, and changes nothing', async () => {
  const { subscriptionId, subscriptionLineId } = await sellUsers(seller)
  const preview = await previewChange(seller.db, {
    subscriptionId,
    subscriptionLineId,
    productId: proId,
    now: '2026-04-10T12:00:00Z',
  })
  assert.partialDeepStrictEqual(preview, {
    direction: 'upgrade',
    effectiveOn: '2026-04-10',
    limitCode: null,
    quantity: '5',
  })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), ['5 odoo-user from 2026-04-01 to open'])
})

test('G-21 what is deployed elsewhere is refused another quantity, product and customer, for nobody is told there; its price is changed', async () => {
  const { subscriptionId, subscriptionLineId, change } = await sellUsers(seller)
  const deployerId = await insertDeployer(seller.db, 'yard')
  await insertDeployment(seller.db, { deployerId, subscriptionId, firstLineId: subscriptionLineId })
  const code = 'deployed_elsewhere'
  const message = /does not reach yard, which deploys it\. Change it there at sub_01kb0000000000000000000001/
  await assert.rejects(change('more', '2026-04-10', { quantity: '6' }), { code, message })
  await assert.rejects(change('other', '2026-04-10', { productId: proId }), { code, message })
  const now = '2026-04-10T12:00:00Z'
  const of = { subscriptionId, subscriptionLineId, now }
  await assert.rejects(previewChange(seller.db, { ...of, quantity: '6' }), { code, message })
  await assert.rejects(previewTransfer(seller.db, { ...of, customerId: newId() }), { code, message })
  await change('price', '2026-04-10', { price: perUnitPrice('3'), startsOn: '2026-05-01' })
  await seller.db.updateTable('deployments').set({ state: 'ended' }).execute()
  await change('more', '2026-04-10', { quantity: '6' })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-10',
    '6 odoo-user from 2026-04-10 to open',
  ])
})

test('G-21 a line is not changed to a product that is deployed elsewhere: nothing would be ordered there', async () => {
  const { change } = await sellUsers(seller)
  const productId = await insertPlan('yard-user', '2')
  await deployProduct(seller.db, await insertDeployer(seller.db, 'dock'), productId)
  const message = /A change to yard-user does not reach dock/
  await assert.rejects(change('up', '2026-04-10', { productId }), { code: 'deployed_elsewhere', message })
})
