import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { giveBackPayment } from '#db/balance-movement.ts'
import { billOpening } from '#db/billing.ts'
import { checkChain } from '#db/chain-check.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { moveClock } from '#test/support/clock-life.ts'

// A group with two branches: what the branches use is paid by the group, from a day on by another company.

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await api.patch('/v1/seller', { country: 'DE', address: 'Hafen 1', tax_id: 'DE1' })
  await api.post('/v1/tax-rates', { country: 'DE', name: 'VAT', rate_percent: '20' })
  await newCustomer('group', { country: 'DE' })
  await newCustomer('holding', { tax_exemption: 'Exempt: embassy' })
  await newCustomer('north', { payer: 'group' })
  await newCustomer('south', { payer: 'group' })
})
after(async () => api.close())

async function newCustomer(code: string, more: object): Promise<void> {
  const made = await api.post('/v1/customers', { code, name: `${code} Ltd`, address: 'Quay 1', ...more })
  assert.equal(made.status, 201, JSON.stringify(made.body))
}

interface Invoice {
  readonly id: string
  readonly customer: { readonly code: string }
  readonly served_customer: { readonly code: string } | null
  readonly total: { readonly amount_minor: number }
  readonly open: { readonly amount_minor: number }
  readonly issued_on: string
}

async function invoicesOf(customer: string): Promise<Invoice[]> {
  const { body } = await api.get(`/v1/invoices?customer=${customer}`)
  return (body['data'] as Invoice[]).toReversed()
}

function told({ issued_on: on, customer, served_customer: served, total }: Invoice): unknown[] {
  return [on, customer.code, served?.code ?? null, total.amount_minor]
}

test('E-30 payer changed on 1 May: April’s invoice stays, and May’s goes to the new one by his tax', async () => {
  const now = '2027-04-01T08:00:00Z'
  const clock = await api.post('/v1/test-clocks', { name: 'spring', now })
  const clockId = String(clock.body['id'])
  const order = { customer: 'north', lines: [{ product: 'support' }], test_clock: clockId }
  const { body } = await api.post('/v1/orders', order)
  const [subscription] = body['subscriptions'] as { id: string }[]
  const id = decodeId('subscription', subscription?.id ?? '')
  await activateSubscription(api.db, id, now)
  await billOpening(api.db, id, now)
  const april = ['2027-04-01', 'group', 'north', 1200]
  assert.deepEqual((await invoicesOf('north')).map(told), [april])

  assert.equal((await api.patch('/v1/customers/north', { payer: 'holding' })).status, 200)
  await moveClock(api.db, decodeId('testClock', clockId), '2027-05-01T08:00:00Z')
  const may = ['2027-05-01', 'holding', 'north', 1000]
  assert.deepEqual((await invoicesOf('north')).map(told), [april, may])
  assert.deepEqual((await invoicesOf('group')).map(told), [april])
  const [first] = await invoicesOf('group')
  const { body: detail } = await api.get(`/v1/invoices/${first?.id}`)
  assert.equal((detail['buyer'] as { name: string }).name, 'group Ltd')

  // April is taken back from who paid it, whoever pays now.
  const credit = await api.post(`/v1/invoices/${first?.id}/credit-notes`, {})
  assert.equal((credit.body as unknown as Invoice).customer.code, 'group')
  assert.equal((credit.body as unknown as Invoice).served_customer?.code, 'north')
  assert.deepEqual((await checkChain(api.db)).broken, [])
})

test('E-30 the balance that pays is the payer’s, and each customer served has a document of its own', async () => {
  const { id: groupId } = await api.db
    .selectFrom('customers')
    .select('id')
    .where('code', '=', 'group')
    .executeTakeFirstOrThrow()
  await api.db
    .insertInto('customer_balances')
    .values({ customer_id: groupId, currency: 'USD', test_clock_id: null, amount_minor: 1500 })
    .execute()
  await api.patch('/v1/customers/north', { payer: 'group' })
  const due: number[] = []
  for (const customer of ['north', 'south']) {
    await api.post(`/v1/customers/${customer}/one-off-charges`, { description: 'Work', unit_price: '10' })
    const { status, body } = await api.post('/v1/invoices', { customer })
    assert.equal(status, 201, JSON.stringify(body))
    const invoice = body as unknown as Invoice
    assert.deepEqual([invoice.customer.code, invoice.served_customer?.code], ['group', customer])
    due.push(invoice.open.amount_minor)
  }
  assert.deepEqual(due, [0, 900])
})

test('E-30 nobody pays for himself, and who pays for others has no payer', async () => {
  const refused = async (customer: string, payer: string) => {
    const { status, body } = await api.patch(`/v1/customers/${customer}`, { payer })
    return [status, body['code'], (body['errors'] as { pointer: string }[])[0]?.pointer]
  }
  assert.deepEqual(await refused('group', 'group'), [422, 'payer_invalid', '/payer'])
  assert.deepEqual(await refused('group', 'holding'), [422, 'payer_invalid', '/payer'])
  assert.deepEqual(await refused('holding', 'south'), [422, 'payer_invalid', '/payer'])
  assert.deepEqual(await refused('south', 'nobody'), [422, 'customer_unknown', '/payer'])
  assert.equal((await api.patch('/v1/customers/south', { payer: null })).body['payer'], null)
})

async function balanceOf(customer: string): Promise<number> {
  const { body } = await api.get(`/v1/customers/${customer}/balances`)
  const found = (body['data'] as { test_clock: string | null; balance: { amount_minor: number } }[]).find(
    ({ test_clock: clock }) => clock === null,
  )
  return found?.balance.amount_minor ?? 0
}

test('E-30 what is paid before a build is the payer’s balance, and goes back to who paid it, whoever pays now', async () => {
  await api.patch('/v1/seller', { unbuilt_payments: 'refund' })
  const terms = { build_trigger: 'payment' }
  const product = {
    code: 'paid-first',
    name: 'Paid first',
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: '10.00',
    currency: 'USD',
  }
  await api.post('/v1/products', { ...product, terms })
  await newCustomer('chain', {})
  await newCustomer('outlet', { payer: 'chain' })
  const { body } = await api.post('/v1/orders', { customer: 'outlet', lines: [{ product: 'paid-first' }] })
  const [request] = body['payment_requests'] as { id: string; total: { amount_minor: number } }[]
  const total = request?.total.amount_minor ?? 0
  const paid = await api.post(`/v1/payment-requests/${request?.id}/payments`, { ...request?.total })
  assert.ok(paid.status < 300, JSON.stringify(paid.body))
  assert.deepEqual([await balanceOf('chain'), await balanceOf('outlet')], [total, 0])
  assert.ok(total > 0)

  await api.patch('/v1/customers/outlet', { payer: 'holding' })
  // As the workflow does once the last subscription of the order has ended unbuilt.
  await api.db.transaction().execute(async (tx) => {
    await giveBackPayment(tx, decodeId('order', String(body['id'])), '2027-06-01T08:00:00Z')
  })
  assert.deepEqual(
    [await balanceOf('chain'), await balanceOf('outlet'), await balanceOf('holding')],
    [0, 0, 0],
  )
})

test('E-30 of two that would pay for each other at once one is refused', async () => {
  for (let round = 0; round < 10; round += 1) {
    const [one, other] = [`one-${round}`, `other-${round}`]
    await newCustomer(one, {})
    await newCustomer(other, {})
    const replies = await Promise.all([
      api.patch(`/v1/customers/${one}`, { payer: other }),
      api.patch(`/v1/customers/${other}`, { payer: one }),
    ])
    assert.deepEqual(replies.map(({ status }) => String(status)).toSorted(), ['200', '422'])
    assert.equal(replies.find(({ status }) => status === 422)?.body['code'], 'payer_invalid')
  }
})
