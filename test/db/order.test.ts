import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { insertCustomer } from '#db/customer.ts'
import { setInstanceState } from '#db/instance.ts'
import { takePort } from '#db/port.ts'
import { previewOrder } from '#db/order-preview.ts'
import { confirmOrder } from '#db/order.ts'
import { insertProduct } from '#db/product.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { deployProduct, insertDeployer } from '#test/support/deployer.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

async function newCustomer(code: string): Promise<string> {
  await insertCustomer(seller.db, {
    code,
    name: code,
    email: null,
    address: null,
    currency: 'USD',
    timeZone: 'UTC',
    priceListId: null,
  })
  return code
}

async function countRows(
  table: 'orders' | 'subscriptions' | 'instances' | 'outbox' | 'environments',
): Promise<number> {
  const row = await seller.db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return row.count
}

test('what is confirmed is what was previewed', async () => {
  const request = await seller.request({ kit: 'odoo-config-1' })
  const preview = await previewOrder(seller.db, request)
  assert.deepEqual([preview.totalNowMinor, preview.totalPerPeriodMinor], [1000, 1000])
  assert.equal(preview.metered.length, 2)
  const { subscriptionIds } = await seller.db.transaction().execute(async (tx) => confirmOrder(tx, request))
  assert.equal(subscriptionIds.length, preview.subscriptions.length)
  const lines = await seller.db
    .selectFrom('subscription_lines')
    .select(['product_id', 'quantity', 'price'])
    .where('subscription_id', 'in', subscriptionIds)
    .orderBy('position')
    .execute()
  assert.deepEqual(
    lines.map((line) => [line.product_id, line.quantity, line.price]),
    preview.subscriptions[0]?.lines.map((line) => [line.product.id, line.quantity, line.price.price]),
  )
})

test('a preview saves nothing', async () => {
  const before = await Promise.all([
    countRows('orders'),
    countRows('subscriptions'),
    countRows('environments'),
  ])
  await previewOrder(seller.db, await seller.request({ kit: 'odoo-config-1', customer: 'north-clinic' }))
  assert.deepEqual(
    await Promise.all([countRows('orders'), countRows('subscriptions'), countRows('environments')]),
    before,
  )
})

test('every subscription comes with the start of its workflow, in one transaction', async () => {
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-2', quantity: '3' })
  const keys = subscriptionIds.map((id) => `subscription/${encodeId('subscription', id)}`)
  const starts = await seller.db.selectFrom('outbox').select('key').where('key', 'in', keys).execute()
  assert.deepEqual(starts.map((row) => row.key).toSorted(), keys.toSorted())
})

test('an order that is not committed leaves neither subscription nor workflow start', async () => {
  const before = await Promise.all([countRows('orders'), countRows('instances'), countRows('outbox')])
  const request = await seller.request({ kit: 'odoo-config-1' })
  await assert.rejects(
    seller.db.transaction().execute(async (tx) => {
      await confirmOrder(tx, request)
      throw new Error('killed before the commit')
    }),
  )
  assert.deepEqual(
    await Promise.all([countRows('orders'), countRows('instances'), countRows('outbox')]),
    before,
  )
})

test('twenty first orders of a customer at once make one environment, and no port twice', async () => {
  const customer = await newCustomer('first-orders')
  const request = await seller.request({ kit: 'odoo-config-2', customer })
  const orders = await Promise.all(
    Array.from({ length: 20 }, async () => seller.order({ kit: 'odoo-config-2', customer })),
  )
  const subscriptionIds = orders.flatMap((order) => order.subscriptionIds)
  const instances = await seller.db
    .selectFrom('instances')
    .select(['environment_id', 'host_port', 'name'])
    .where('subscription_id', 'in', subscriptionIds)
    .execute()
  assert.equal(instances.length, 20)
  assert.equal(new Set(instances.map((instance) => instance.environment_id)).size, 1)
  assert.equal(new Set(instances.map((instance) => instance.host_port)).size, 20)
  const environments = await seller.db
    .selectFrom('environments')
    .select('id')
    .where('customer_id', '=', request.customerId)
    .execute()
  assert.equal(environments.length, 1)
})

test('two customers whose codes begin alike have environments of their own', async () => {
  const long = 'department-of-harbours-and-inland'
  for (const code of [`${long}-ports`, `${long}-water`, 'quay', 'quay-']) {
    await seller.order({ kit: 'odoo-config-2', customer: await newCustomer(code) })
  }
})

test('a destroyed instance gives its port back, and a server without one refuses', async () => {
  const small = await createSeller({ ports: 2 })
  try {
    const { subscriptionIds } = await small.order({ kit: 'odoo-config-2', quantity: '2' })
    await assert.rejects(small.order({ kit: 'odoo-config-2' }), { code: 'ports_exhausted' })
    const takePortPastPlacement = small.db.transaction().execute(async (tx) => takePort(tx, small.serverId))
    await assert.rejects(takePortPastPlacement, { code: 'ports_exhausted' })
    const { id } = await small.db
      .selectFrom('instances')
      .select('id')
      .where('subscription_id', '=', subscriptionIds[0] ?? '')
      .executeTakeFirstOrThrow()
    await setInstanceState(small.db, id, 'destroyed')
    await small.order({ kit: 'odoo-config-2' })
  } finally {
    await small.drop()
  }
})

test('an order in another currency than the customer’s, or of nobody, is refused', async () => {
  const request = await seller.request({ kit: 'odoo-config-2' })
  const codeOf = async (change: Partial<typeof request>) => {
    const error: unknown = await previewOrder(seller.db, { ...request, ...change }).catch(
      (reason: unknown) => reason,
    )
    return error instanceof BusinessError ? [error.code, error.fields[0]?.pointer] : error
  }
  assert.deepEqual(await codeOf({ currency: 'EUR' }), ['currency_mismatch', '/currency'])
  assert.deepEqual(await codeOf({ customerId: request.lines[0]?.kitId ?? '' }), [
    'customer_unknown',
    '/customer',
  ])
  assert.deepEqual(await codeOf({ testClockId: request.customerId }), ['not_found', '/test_clock'])
})

test('an order on a test clock is priced and dated by it', async () => {
  const testClockId = await seller.clock('2031-05-01T10:00:00Z')
  const { orderId } = await seller.order({ kit: 'odoo-config-2', testClockId })
  const row = await seller.db
    .selectFrom('orders')
    .select('confirmed_at')
    .where('id', '=', orderId)
    .executeTakeFirstOrThrow()
  assert.equal(row.confirmed_at, '2031-05-01T10:00:00.000Z')
})

test('every line knows the instance it belongs to, and a fee that of the subscription it joined', async () => {
  const request = await seller.request({ kit: 'odoo-config-1' })
  const fee = await seller.request({ product: 'set-up' })
  const lines = [...fee.lines, ...request.lines]
  const { subscriptionIds } = await seller.db
    .transaction()
    .execute(async (tx) => confirmOrder(tx, { ...request, lines }))
  const rows = await seller.db
    .selectFrom('subscription_lines')
    .innerJoin('instances', 'instances.id', 'instance_id')
    .select(['description', 'instances.subscription_id'])
    .where('subscription_lines.subscription_id', 'in', subscriptionIds)
    .orderBy('position')
    .execute()
  assert.deepEqual(
    rows.map((row) => row.description),
    ['Odoo User', 'Network Usage', 'Disk Usage', 'Email', 'Set-up'],
  )
  assert.deepEqual(new Set(rows.map((row) => row.subscription_id)), new Set(subscriptionIds))
})

test('G-21 what an order says of what is deployed elsewhere is refused where it is said: nobody is told there', async () => {
  const flat = { billingType: 'flat', billingTiming: 'advance', unit: 'month', currency: 'USD', metric: null, limitCode: null } as const
  const sold = { ...flat, recurrence: { count: 1, unit: 'month' }, basePrice: perUnitPrice('5'), applicationIds: [] } as const
  const bounds = { isRequired: false, least: null, greatest: null, choices: [] }
  const seatsId = await insertProduct(seller.db, { ...sold, code: 'yard-seats', name: 'Seats', billingType: 'threshold', limitCode: 'seats' })
  const helpId = await insertProduct(seller.db, { ...sold, code: 'yard-help', name: 'Help' })
  const option = (code: string, productId: string) => ({ ...bounds, code, title: code, kind: 'quantity', variable: null, productId }) as const
  const productId = await insertProduct(seller.db, { ...sold, code: 'yard-site', name: 'Site',
    options: [option('seats', seatsId), option('help', helpId)],
    orderFields: [{ ...bounds, code: 'title', title: 'Title', kind: 'text', variable: 'TITLE', pattern: null }] })
  await deployProduct(seller.db, await insertDeployer(seller.db, 'yard'), productId)
  const request = await seller.request({ product: 'yard-site' })
  const ask = async (answers: { options?: Record<string, string>; fields?: Record<string, string> }) =>
    await previewOrder(seller.db, { ...request, lines: [{ productId, quantity: '1', answers: { options: {}, fields: {}, ...answers } }] })
  const refused = (pointer: string) => (error: unknown) => {
    assert.ok(error instanceof BusinessError)
    assert.deepEqual([error.code, error.fields.map((field) => field.pointer)], ['deployed_elsewhere', [pointer]])
    return true
  }
  await assert.rejects(ask({ fields: { title: 'Shop' } }), refused('/lines/0/fields/title'))
  await assert.rejects(ask({ options: { seats: '2' } }), refused('/lines/0'))
  assert.equal((await ask({ options: { help: '2' } })).totalPerPeriodMinor, 1500)
  const { subscriptionIds: [joins = ''] } = await seller.order({ product: 'yard-site' })
  const joining = { ...request, lines: [{ productId, quantity: '1', joins }] }
  await assert.rejects(previewOrder(seller.db, joining), refused('/lines/0/subscription'))
}) // prettier-ignore
