import assert from 'node:assert/strict'
import test, { afterEach, beforeEach } from 'node:test'
import { sql } from 'kysely'
import { insertCustomer } from '#db/customer.ts'
import { changeServer, type ServerChange } from '#db/capacity.ts'
import { openBuildOrder, closeBuildOrder } from '#db/build.ts'
import { setInstanceState } from '#db/instance.ts'
import { newId } from '#db/identifier.ts'
import { confirmOrder } from '#db/order.ts'
import { previewOrder } from '#db/order-preview.ts'
import { reserveAgain } from '#db/placement.ts'
import { requestReplacement } from '#db/replacement.ts'
import { setPhase } from '#db/subscription.ts'
import { BusinessError } from '#domain/errors.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

// The application of the kit has two containers that ask for nothing: 1 GiB and 2 processors together.
const kit = 'odoo-config-2'
const now = '2026-04-01T09:00:00Z'

let seller: Seller
beforeEach(async () => {
  seller = await createSeller()
})
afterEach(async () => seller.drop())

async function change(said: ServerChange, serverId = seller.serverId): Promise<void> {
  await seller.db
    .transaction()
    .execute(async (tx) => changeServer(tx, serverId, said, { actor: 'test', now }))
}

async function addServer(code: string, said: ServerChange = {}): Promise<string> {
  const id = newId()
  const values = { id, code, runner: 'dry-run', port_range: '[30000,30100)', last_seen_at: null } as const
  await seller.db.insertInto('servers').values(values).execute()
  await change(said, id)
  return id
}

/** By the codes of their refusals; `ok` for those that were confirmed. */
async function outcomes(orders: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const codes = (await Promise.allSettled(orders)).map((one) =>
    one.status === 'fulfilled'
      ? 'ok'
      : one.reason instanceof BusinessError
        ? one.reason.code
        : String(one.reason),
  )
  return Object.fromEntries([...Map.groupBy(codes, (code) => code)].map(([code, all]) => [code, all.length]))
}

async function instanceOf(subscriptionId: string | undefined) {
  return await seller.db
    .selectFrom('instances')
    .selectAll()
    .where('subscription_id', '=', subscriptionId ?? '')
    .executeTakeFirstOrThrow()
}

test('of twenty orders at once for the last place one gets it, and the others are refused before anything is sold', async () => {
  await change({ memoryMib: 4096, efficiency: '0.5' })
  await seller.order({ kit })
  const customers = Array.from({ length: 20 }, (_, index) => `visitor-${index}`)
  for (const code of customers) {
    const party = { code, name: code, email: null, address: null, priceListId: null }
    await insertCustomer(seller.db, { ...party, currency: 'USD', timeZone: 'UTC' })
  }
  const orders = customers.map(async (customer) => seller.order({ kit, customer }))
  assert.deepEqual(await outcomes(orders), { ok: 1, no_server_for_application: 19 })
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from orders`.execute(seller.db)
  assert.equal(rows[0]?.count, 2)
})

test('twenty orders at once fill two servers to the last place, and none above it', async () => {
  await change({ memoryMib: 6 * 1024 })
  await addServer('second', { mostInstances: 5 })
  const orders = Array.from({ length: 20 }, async () => seller.order({ kit }))
  assert.deepEqual(await outcomes(orders), { ok: 11, no_server_for_application: 9 })
  const { rows } = await sql<{ code: string; count: number }>`
    select code, count(*)::int as count from reservations join servers on servers.id = server_id group by code order by code`.execute(
    seller.db,
  )
  assert.deepEqual(
    rows.map(({ code, count }) => [code, count]),
    [
      ['local', 6],
      ['second', 5],
    ],
  )
})

test('an order for more than is free sells nothing, though a part of it would fit', async () => {
  await change({ mostInstances: 2 })
  await assert.rejects(seller.order({ kit, quantity: '3' }), {
    code: 'no_server_for_application',
    message: 'No server can take odoo. local: 1 instance needed, 0 instances free of 2 instances.',
  })
  assert.deepEqual(await outcomes([seller.order({ kit, quantity: '2' })]), { ok: 1 })
})

test('what was reserved is free again once its instance is destroyed, whatever ended it', async () => {
  await change({ mostInstances: 1 })
  for (const states of [
    ['destroyed'],
    ['cancelling', 'destroyed'],
    ['building', 'running', 'cancelling', 'destroyed'],
  ] as const) {
    const { subscriptionIds } = await seller.order({ kit })
    const { id } = await instanceOf(subscriptionIds[0])
    assert.deepEqual(await outcomes([seller.order({ kit })]), { no_server_for_application: 1 })
    for (const state of states) await setInstanceState(seller.db, id, state)
  }
  assert.deepEqual(await outcomes([seller.order({ kit })]), { ok: 1 })
})

test('an undone build takes no place, and is tried again only where there is one', async () => {
  await change({ mostInstances: 1 })
  const { subscriptionIds } = await seller.order({ kit })
  const [subscriptionId = ''] = subscriptionIds
  await setPhase(seller.db, subscriptionId, { phase: 'building', now })
  const build = await openBuildOrder(seller.db, subscriptionId, 'build')
  await closeBuildOrder(seller.db, build.id, { state: 'undone', event: 'build.undone' })
  const other = await seller.order({ kit })
  const again = async () =>
    await seller.db.transaction().execute(async (tx) => reserveAgain(tx, subscriptionId))
  await assert.rejects(again, { code: 'no_server_for_application' })
  await assert.rejects(openBuildOrder(seller.db, subscriptionId, 'build'), /waits for capacity/)
  await setInstanceState(seller.db, (await instanceOf(other.subscriptionIds[0])).id, 'destroyed')
  await again()
  await again()
  assert.deepEqual(await outcomes([seller.order({ kit })]), { no_server_for_application: 1 })
})

test('a build whose undo failed keeps its place, for it may still be there', async () => {
  await change({ mostInstances: 1 })
  const { subscriptionIds } = await seller.order({ kit })
  await setPhase(seller.db, subscriptionIds[0] ?? '', { phase: 'building', now })
  const build = await openBuildOrder(seller.db, subscriptionIds[0] ?? '', 'build')
  await closeBuildOrder(seller.db, build.id, { state: 'failed', event: 'build.failed' })
  assert.deepEqual(await outcomes([seller.order({ kit })]), { no_server_for_application: 1 })
})

test('an order that is not committed reserves nothing', async () => {
  await change({ mostInstances: 1 })
  const request = await seller.request({ kit })
  const killed = seller.db.transaction().execute(async (tx) => {
    await confirmOrder(tx, request)
    throw new Error('killed before the commit')
  })
  await assert.rejects(killed, /killed/)
  assert.deepEqual(await outcomes([seller.order({ kit })]), { ok: 1 })
})

test('the preview says where each instance goes and why, as the order then does', async () => {
  await change({ memoryMib: 1024 })
  const second = await addServer('second', { memoryMib: 64 * 1024 })
  const request = await seller.request({ kit, quantity: '2' })
  const lines = request.lines.map((line) => ({ ...line, preferredServerId: seller.serverId }))
  const { subscriptions } = await previewOrder(seller.db, { ...request, lines })
  assert.deepEqual(
    subscriptions.map(({ server, placements }) => [
      server,
      placements.flatMap(({ servers }) =>
        servers.map(({ reasons }) => reasons.map(({ code }) => code).join()),
      ),
    ]),
    [
      ['local', ['preferred', 'fits']],
      ['second', ['full', 'most_free']],
    ],
  )
  const { subscriptionIds } = await seller.db
    .transaction()
    .execute(async (tx) => confirmOrder(tx, { ...request, lines }))
  const placed = await Promise.all(subscriptionIds.map(async (id) => (await instanceOf(id)).server_id))
  assert.deepEqual(placed, [seller.serverId, second])
})

test('what a customer orders later goes where his environment is, though another server has more free', async () => {
  await change({ memoryMib: 4096 })
  await addServer('second', { memoryMib: 2048 })
  const first = await instanceOf((await seller.order({ kit })).subscriptionIds[0])
  await change({ memoryMib: 2048 })
  const then = await instanceOf((await seller.order({ kit })).subscriptionIds[0])
  assert.deepEqual([then.server_id, then.environment_id], [first.server_id, first.environment_id])
  const other = await instanceOf((await seller.order({ kit, customer: 'north-clinic' })).subscriptionIds[0])
  assert.notEqual(other.server_id, first.server_id)
})

test('a draining server takes nothing new and keeps what it has', async () => {
  const { subscriptionIds } = await seller.order({ kit })
  await change({ isDraining: true })
  await assert.rejects(seller.order({ kit }), {
    code: 'no_server_for_application',
    message: /local: draining since/,
  })
  const { state } = await instanceOf(subscriptionIds[0])
  assert.equal(state, 'ordered')
  await change({ isDraining: false })
  assert.deepEqual(await outcomes([seller.order({ kit })]), { ok: 1 })
})

test('what an instance is given more or less of while it runs is reserved with it, or refused', async () => {
  await change({ memoryMib: 2048 })
  const { id } = await instanceOf((await seller.order({ kit })).subscriptionIds[0])
  const give = async (memoryMib: number) =>
    await seller.db.transaction().execute(async (tx) => {
      const limits = JSON.stringify({ web: { memoryMib } })
      await tx.updateTable('instances').set({ container_limits: limits }).where('id', '=', id).execute()
      await requestReplacement(tx, { instanceId: id, by: 'test' })
    })
  await give(1536)
  await assert.rejects(give(1537), {
    code: 'no_server_for_application',
    message: /1 MiB memory needed, 0 MiB/,
  })
  assert.deepEqual(await outcomes([seller.order({ kit })]), { no_server_for_application: 1 })
  await change({ isDraining: true })
  await give(512)
  await change({ isDraining: false })
  assert.deepEqual(await outcomes([seller.order({ kit })]), { ok: 1 })
})
