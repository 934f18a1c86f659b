import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { newId } from '#db/identifier.ts'
import { listSoldLimits } from '#db/sold-limit.ts'
import { warnOfLimits } from '#db/usage-warning.ts'
import { findInstanceId } from '#test/support/instances.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

// Five users are sold from 1 January on, billed by the month.
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

interface Sold {
  readonly subscriptionId: string
  readonly instanceId: string
}

async function sell(): Promise<Sold> {
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', now: '2026-01-01T00:00:00Z' })
  return { subscriptionId, instanceId: await findInstanceId(seller.db, subscriptionId) }
}

async function see({ instanceId }: Sold, users: number, day: string): Promise<void> {
  const now = `${day}T10:00:00Z`
  const sold = await listSoldLimits(seller.db, { instanceIds: [instanceId] }, now)
  await warnOfLimits(seller.db, sold, [{ instanceId, code: 'users', used: String(users) }], now)
}

async function told({ subscriptionId }: Sold): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('events')
    .select('data')
    .where('subscription_id', '=', subscriptionId)
    .where('kind', '=', 'limit.warned')
    .orderBy('id')
    .execute()
  return rows.map(
    ({ data: { threshold, used, ceiling, period_starts_on: from } }) =>
      `${String(threshold)} ${String(used)}/${String(ceiling)} ${String(from)}`,
  )
}

test('4 of 5 users are told of once a billing period, also after 3 and 4 again, and once more in the next (D-35)', async () => {
  const sold = await sell()
  for (const users of [3, 4, 3, 4]) await see(sold, users, '2026-01-10')
  assert.deepEqual(await told(sold), ['80 % 4/5 2026-01-01'])
  await see(sold, 5, '2026-01-20')
  assert.deepEqual(await told(sold), ['80 % 4/5 2026-01-01', '100 % 5/5 2026-01-01'])
  await see(sold, 4, '2026-02-01')
  assert.deepEqual((await told(sold)).slice(2), ['80 % 4/5 2026-02-01'])
})

test('many that see it at once tell of it once', async () => {
  const sold = await sell()
  await Promise.all(Array.from({ length: 10 }, async () => await see(sold, 4, '2026-01-10')))
  assert.deepEqual(await told(sold), ['80 % 4/5 2026-01-01'])
})

test('the shares are those of the line’s terms, copied from its product when it was sold', async () => {
  const sold = await sell()
  await seller.db
    .updateTable('subscription_lines')
    .set({ terms: JSON.stringify({ warningShares: [50] }) })
    .where('subscription_id', '=', sold.subscriptionId)
    .execute()
  await see(sold, 3, '2026-01-10')
  await see(sold, 5, '2026-01-11')
  assert.deepEqual(await told(sold), ['50 % 3/5 2026-01-01'])
})

test('of a limit that two lines sell, shares are those of both together', async () => {
  const sold = await sell()
  const id = newId()
  const other = JSON.stringify({ id, first_line_id: id, quantity: 5, position: 99 })
  await sql`insert into subscription_lines
    select (jsonb_populate_record(line, ${other}::jsonb)).* from subscription_lines line
    where subscription_id = ${sold.subscriptionId} and limit_code = 'users'`.execute(seller.db)
  await see(sold, 5, '2026-01-10')
  assert.deepEqual(await told(sold), [])
  await see(sold, 8, '2026-01-11')
  assert.deepEqual(await told(sold), ['80 % 8/10 2026-01-01'])
})
