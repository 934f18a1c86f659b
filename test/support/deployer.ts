import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { seedCatalog, type TestApi } from './api.ts'

const at = '2026-01-01T00:00:00Z'

/** Another installation that deploys, row by row; nobody has its key. */
export async function insertDeployer(db: Db, code: string): Promise<string> {
  const id = newId()
  const sealed = { key_id: 'test', sealed: Buffer.from([0]), set_at: at, set_by: 'tester', created_at: at }
  const row = { id, code, url: `https://${code}.example.com`, customer: 'acme', ...sealed }
  await db.insertInto('deployers').values(row).execute()
  return id
}

/** Has the line of a subscription run there, whatever was sold. */
export async function insertDeployment(
  db: Db,
  of: { deployerId: string; subscriptionId: string; firstLineId: string },
  different: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { deployerId, subscriptionId, firstLineId } = of
  const row = {
    id: newId(),
    deployer_id: deployerId,
    subscription_id: subscriptionId,
    first_line_id: firstLineId,
    product_there: 'site-there',
    quantity: '1',
    state: 'running',
    subscription_there: 'sub_01kb0000000000000000000001',
    phase_there: 'active',
    ...different,
  }
  await db
    .insertInto('deployments')
    .values(row as never)
    .execute()
}

/** From now on what is sold of a product is deployed there. */
export async function deployProduct(db: Db, deployerId: string, productId: string): Promise<void> {
  const row = { product_there: 'site-there', kit_there: null, set_at: at, set_by: 'tester' }
  await db
    .insertInto('product_deployers')
    .values({ deployer_id: deployerId, product_id: productId, ...row })
    .execute()
}

/** Mails, billed by use at 0.10 each month, as acme ordered them. @returns the subscription's public id */
export async function sellMails(api: TestApi): Promise<string> {
  await seedCatalog(api)
  await api.post('/v1/products', {
    code: 'mails',
    name: 'Mails sent',
    billing_type: 'usage',
    billing_timing: 'arrears',
    recurrence: { count: 1, unit: 'month' },
    unit: 'piece',
    base_price: '0.10',
    currency: 'USD',
    metric: 'mails',
  })
  const order = await api.post('/v1/orders', { customer: 'acme', lines: [{ product: 'mails' }] })
  const [{ id } = { id: '' }] = order.body['subscriptions'] as { id: string }[]
  return id
}
