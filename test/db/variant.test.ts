import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { listSoldLimits } from '#db/sold-limit.ts'
import { insertProduct } from '#db/product.ts'
import { BusinessError } from '#domain/errors.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { listServedLines } from '#test/support/lines.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
let fiveUsersId = ''
before(async () => {
  seller = await createSeller()
  fiveUsersId = await insertUsers('five-users', '5')
})
after(async () => seller.drop())

async function insertUsers(code: string, count: string): Promise<string> {
  const { id } = await seller.db
    .selectFrom('applications')
    .select('id')
    .where('code', '=', 'odoo')
    .executeTakeFirstOrThrow()
  return await insertProduct(seller.db, {
    code,
    name: code,
    billingType: 'threshold',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'user',
    basePrice: perUnitPrice('1'),
    attributes: { users: count },
    quantityAttribute: 'users',
    currency: 'USD',
    metric: null,
    limitCode: 'users',
    applicationIds: [id],
  })
}

test('the variant "5 users" sells a limit of five for its instance', async () => {
  const subscriptionId = await seller.sell({ product: 'five-users', now: '2026-04-01T08:00:00Z' })
  const limits = await listSoldLimits(seller.db, { subscriptionId }, '2026-04-02T00:00:00Z')
  assert.deepEqual(
    limits.map(({ code, quantity }) => [code, quantity]),
    [['users', '5']],
  )
})

test('a change to another variant sells the quantity of that one', async () => {
  const { subscriptionId, change } = await sellUsers(seller, 'odoo-user')
  await change('up', '2026-04-10', { productId: fiveUsersId, quantity: '10' })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-10',
    '10 five-users from 2026-04-10 to open',
  ])
})

test('a quantity between the multiples of a variant is refused, and nothing is changed', async () => {
  const { subscriptionId, change } = await sellUsers(seller, 'odoo-user')
  await assert.rejects(
    change('between', '2026-04-10', { productId: fiveUsersId, quantity: '7' }),
    (error) => error instanceof BusinessError && error.fields[0]?.code === 'quantity_invalid',
  )
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), ['5 odoo-user from 2026-04-01 to open'])
})
