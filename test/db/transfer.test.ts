import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { readAgenda } from '#db/agenda.ts'
import { insertCustomer } from '#db/customer.ts'
import { previewTransfer, transferSubscriptionLine } from '#db/transfer.ts'
import { listDocumentIds, listInvoiceLines } from '#test/support/invoices.ts'
import { listServedLines } from '#test/support/lines.ts'
import { activate, billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
let takerId: string
before(async () => {
  seller = await createSeller()
  takerId = await insertCustomer(seller.db, {
    code: 'taker',
    email: null,
    address: null,
    priceListId: null,
    name: 'Taker',
    currency: 'USD',
    timeZone: 'UTC',
  })
})
after(async () => seller.drop())

/** The subscription of the taker whose line refers back to the line that was handed over. */
async function takenFrom(subscriptionLineId: string) {
  return await seller.db
    .selectFrom('subscription_lines as line')
    .innerJoin('subscriptions', 'subscriptions.id', 'line.subscription_id')
    .select(['subscriptions.id', 'subscriptions.customer_id', 'line.price', 'line.quantity'])
    .where('transferred_from_line_id', '=', subscriptionLineId)
    .executeTakeFirstOrThrow()
}

test('a part is handed over from a day on: two lines, two customers, each pays his own', async () => {
  const { subscriptionId, subscriptionLineId, documentId, command } = await sellUsers(seller)
  await transferSubscriptionLine(seller.db, command('give', '2026-04-20'), {
    subscriptionLineId,
    customerId: takerId,
    quantity: '2',
    startsOn: '2026-05-01',
  })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-05-01',
    '3 odoo-user from 2026-05-01 to open',
  ])
  const taken = await takenFrom(subscriptionLineId)
  assert.partialDeepStrictEqual(taken, { customer_id: takerId, quantity: '2' })
  await activate(seller.db, taken.id, '2026-04-20T12:00:00Z')
  assert.deepEqual(await listServedLines(seller.db, taken.id), ['2 odoo-user from 2026-05-01 to open'])
  const [takersDocument = ''] = await listDocumentIds(seller.db, taken.id)
  const givers = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  const takers = await billDue(seller.db, takersDocument, '2026-05-01T00:00:00Z')
  assert.deepEqual(await listInvoiceLines(seller.db, givers.invoiceNumber ?? ''), [
    'recurring 2026-05-01/2026-06-01 3 × 1 = 300',
  ])
  assert.deepEqual(await listInvoiceLines(seller.db, takers.invoiceNumber ?? ''), [
    'recurring 2026-05-01/2026-06-01 2 × 1 = 200',
  ])
})

test('the price is the one that the giver had agreed', async () => {
  const { subscriptionLineId, command, change } = await sellUsers(seller)
  await change('price', '2026-04-02', {
    price: { model: 'per_unit', unitAmount: '0.8' },
    startsOn: '2026-05-01',
  })
  const { id } = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('first_line_id', '=', subscriptionLineId)
    .where('starts_on', '=', '2026-05-01')
    .executeTakeFirstOrThrow()
  await transferSubscriptionLine(seller.db, command('give', '2026-05-20'), {
    subscriptionLineId: id,
    customerId: takerId,
    quantity: '1',
    startsOn: '2026-06-01',
  })
  assert.deepEqual((await takenFrom(id)).price, { model: 'per_unit', unitAmount: '0.8' })
})

test('all of it is handed over: the subscription ends where nothing of it is left', async () => {
  const { subscriptionId, subscriptionLineId, command } = await sellUsers(seller)
  const give = { subscriptionLineId, customerId: takerId, startsOn: '2026-05-01' }
  const hand = async () => await transferSubscriptionLine(seller.db, command('give', '2026-04-20'), give)
  await hand()
  await hand()
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-05-01',
  ])
  const agenda = await readAgenda(seller.db, subscriptionId, '2026-04-20T13:00:00Z')
  assert.equal(agenda.endsAt, '2026-05-01T00:00:00Z')
  assert.equal((await takenFrom(subscriptionLineId)).quantity, '5')
})

test('nothing, more than there is, the past, and the customer himself are refused', async () => {
  const { subscriptionId, subscriptionLineId } = await sellUsers(seller)
  const ask = async (asked: { quantity?: string; startsOn?: string; customerId?: string }) =>
    await previewTransfer(seller.db, {
      subscriptionId,
      subscriptionLineId,
      customerId: takerId,
      now: '2026-04-20T12:00:00Z',
      ...asked,
    })
  await assert.rejects(ask({ quantity: '0' }), { code: 'quantity_invalid' })
  await assert.rejects(ask({ quantity: '6' }), { code: 'quantity_invalid' })
  await assert.rejects(ask({ startsOn: '2026-04-19' }), { code: 'date_range_invalid' })
  const { customer_id: giver } = await seller.db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  await assert.rejects(ask({ customerId: giver }), { code: 'action_not_allowed' })
  assert.deepEqual(await ask({ quantity: '2' }), {
    instanceId: (await ask({})).instanceId,
    limitCode: 'users',
    keptQuantity: '3',
    startsOn: '2026-04-20',
  })
})

test('the taker has what is left of a trial and of instalments, not all of them anew', async () => {
  const termsOf = async (id: string) => {
    const { terms } = await seller.db
      .selectFrom('subscription_lines')
      .select('terms')
      .where('transferred_from_line_id', '=', id)
      .executeTakeFirstOrThrow()
    return { trialDays: terms.trialDays, periodCount: terms.periodCount }
  }
  const give = async (startsOn: string) => {
    const { subscriptionLineId, command } = await sellUsers(seller)
    const terms = JSON.stringify({ trialDays: 10, periodCount: 3 })
    await seller.db
      .updateTable('subscription_lines')
      .set({ terms })
      .where('id', '=', subscriptionLineId)
      .execute()
    const asked = { subscriptionLineId, customerId: takerId, startsOn }
    await transferSubscriptionLine(seller.db, command('give', '2026-04-02'), asked)
    return await termsOf(subscriptionLineId)
  }
  assert.deepEqual(await give('2026-04-07'), { trialDays: 4, periodCount: 3 })
  // 11 to 30 April is the first.
  assert.deepEqual(await give('2026-05-01'), { trialDays: 0, periodCount: 2 })
  assert.deepEqual(await give('2026-07-01'), { trialDays: 0, periodCount: 0 })
})
