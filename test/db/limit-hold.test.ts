import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { saveApplication } from '#db/application.ts'
import { newId } from '#db/identifier.ts'
import { listDeployedInstances } from '#db/instance.ts'
import { decideSubscriptionLimits, noteHoldFailure, settleHolds } from '#db/limit-hold.ts'
import { noteLimitUses } from '#db/limit-use.ts'
import { insertProduct } from '#db/product.ts'
import { listSoldLimits } from '#db/sold-limit.ts'
import { insertReadings } from '#db/usage.ts'
import { confirmUnits, readHandedOut, releaseUnits, reserveUnits } from '#db/unit-reservation.ts'
import { parseApplication } from '#docker/compose/application.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { until } from '#test/support/installation.ts'
import { moveInstances } from '#test/support/instances.ts'
import { countWaiting } from '#test/support/lock-wait.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
  await sell('traffic', 'MiB')
  await sell('disk', 'MiB')
  await sell('seats', 'piece')
})
after(async () => seller.drop())

const compose = `
services:
  web: { image: 'web:1', expose: ['8080'], volumes: ['data:/data'] }
volumes: { data: {} }
x-clouder:
  metrics:
    - { code: network, title: Network, unit: MiB, kind: counter, aggregation: sum, source: { type: engine-network } }
    - { code: disk, title: Disk, unit: MiB, kind: gauge, aggregation: max, source: { type: volume-disk, volume: data } }
  limits:
    - { code: traffic, title: Traffic, metric: network, hard: block-ingress }
    - { code: disk, title: Disk, metric: disk, hard: read-only }
    - { code: seats, title: Seats, reserved: true }
`

async function sell(limitCode: string, unit: string): Promise<void> {
  const definition = parseApplication({ code: limitCode, text: compose })
  const { id } = await saveApplication(seller.db, { compose, definition })
  await insertProduct(seller.db, {
    code: limitCode,
    name: limitCode,
    billingType: 'threshold',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit,
    basePrice: perUnitPrice('1'),
    currency: 'USD',
    metric: null,
    limitCode,
    applicationIds: [id],
  })
}

/** One of a product, running since 1 January by a clock of its own. */
async function run(product: string) {
  const now = '2026-01-01T00:00:00Z'
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ product, testClockId, now })
  const { db } = seller
  await moveInstances(db, subscriptionId, 'building', 'running')
  const deployed = async () => {
    const [instance] = await listDeployedInstances(db, { subscriptionId })
    return instance ?? assert.fail('it has an instance')
  }
  const { id: instanceId } = await deployed()
  const read = async (readAt: string, mebibytes: number) => {
    const value = String(mebibytes * 2 ** 20)
    await db.updateTable('test_clocks').set({ now_at: readAt }).where('id', '=', testClockId).execute()
    await insertReadings(db, { instanceId, isOpening: false, readAt, sampledAt: readAt }, [
      { metric: 'network', series: 'eth0', value, unit: 'B' },
      { metric: 'disk', series: 'data', value, unit: 'B' },
    ])
    const instances = [await deployed()]
    await noteLimitUses(
      db,
      instances,
      await listSoldLimits(db, { instanceIds: [instanceId] }, readAt),
      new Map(),
    )
    return await decideSubscriptionLimits(db, subscriptionId, { now: readAt, lostSince: readAt })
  }
  const told = async () =>
    (
      await db
        .selectFrom('events')
        .selectAll()
        .where('subscription_id', '=', subscriptionId)
        .orderBy('id')
        .execute()
    )
      .filter(({ kind }) => /^limit\.(reached|held|lifted)$/.test(kind))
      .map(({ kind, data }) => `${kind} ${String(data['used'] ?? data['way'])}`)
  return { subscriptionId, instanceId, deployed, read, told }
}

test('what a counter grew by in the billing period counts, and the next period lifts it', async () => {
  const { read, deployed, told } = await run('traffic')
  assert.deepEqual((await read('2026-01-10T00:00:00Z', 0.5)).limited, [])
  const reached = await read('2026-01-20T00:00:00Z', 1.5)
  assert.deepEqual([reached.limited, reached.toHold.length], [['traffic'], 1])
  const held = await deployed()
  assert.deepEqual([held.state, held.planned.holds], ['limited', [{ way: 'block_ingress' }]])
  await settleHolds(seller.db, held)
  const again = await read('2026-01-21T00:00:00Z', 1.6)
  assert.deepEqual([again.limited, again.toHold], [['traffic'], []])
  const next = await read('2026-02-02T00:00:00Z', 1.7)
  assert.deepEqual([next.limited, next.toHold.length], [[], 1])
  assert.equal((await deployed()).state, 'limited')
  await settleHolds(seller.db, await deployed())
  assert.equal((await deployed()).state, 'running')
  assert.deepEqual(await told(), ['limit.reached 1.5', 'limit.held block_ingress', 'limit.lifted 0.1'])
})

test('of a gauge its present value counts, and what cannot be held is not tried at each look', async () => {
  const { read, deployed, instanceId, told } = await run('disk')
  assert.equal((await read('2026-01-10T00:00:00Z', 2)).toHold.length, 1)
  assert.equal((await read('2026-01-11T00:00:00Z', 2)).toHold.length, 1)
  await noteHoldFailure(seller.db, instanceId, 'limit_not_enforceable: not here')
  assert.equal((await read('2026-01-12T00:00:00Z', 2)).toHold.length, 0)
  assert.equal((await read('2026-01-13T00:00:00Z', 0.5)).toHold.length, 1)
  await settleHolds(seller.db, await deployed())
  assert.deepEqual([(await deployed()).state, (await deployed()).planned.holds], ['running', undefined])
  assert.deepEqual(await told(), ['limit.reached 2', 'limit.lifted 0.5'])
})

test('a unit is one reservation’s at a time: unconfirmed for a minute it is free again, confirmed until it is released', async () => {
  const { instanceId, subscriptionId } = await run('seats')
  const { db } = seller
  const take = async () =>
    (await reserveUnits(db, { instanceId, code: 'seats', quantity: '1', reference: null, actor: 'shop' })).id
  const first = await take()
  await assert.rejects(take, { code: 'limit_reached' })
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  const past = { reserved_at: ago(3), expires_at: ago(2) }
  await db.updateTable('unit_reservations').set(past).where('id', '=', first).execute()
  assert.equal((await readHandedOut(db, instanceId, 'seats')).taken, '0')
  const second = await take()
  await assert.rejects(async () => confirmUnits(db, first), { code: 'limit_reached' })
  await confirmUnits(db, second)
  await db.updateTable('unit_reservations').set(past).where('id', '=', second).execute()
  await assert.rejects(take, { code: 'limit_reached' })
  await releaseUnits(db, second)
  await releaseUnits(db, second)
  await assert.rejects(async () => confirmUnits(db, second), { code: 'action_not_allowed' })
  await confirmUnits(db, first)
  const { limited } = await decideSubscriptionLimits(db, subscriptionId, {
    now: '2026-01-02T00:00:00Z',
    lostSince: '2026-01-02T00:00:00Z',
  })
  assert.deepEqual(limited, ['seats'])
})

test('units of what the application holds itself, or of what was not sold, are not handed out', async () => {
  const { instanceId } = await run('disk')
  for (const code of ['disk', 'seats'])
    await assert.rejects(
      reserveUnits(seller.db, { instanceId, code, quantity: '1', reference: null, actor: newId() }),
      { code: 'limit_unknown' },
    )
})

test('fewer that were sold since are not confirmed beyond, and what nobody confirmed for a day is forgotten', async () => {
  const { instanceId } = await run('seats')
  const { db } = seller
  const asked = { instanceId, code: 'seats', quantity: '1', reference: null, actor: 'shop' }
  const sell = async (quantity: string) =>
    await db
      .updateTable('limits')
      .set({ sold_quantity: quantity })
      .where('instance_id', '=', instanceId)
      .execute()
  await sell('2')
  const { id } = await reserveUnits(db, asked)
  await confirmUnits(db, (await reserveUnits(db, asked)).id)
  await sell('1')
  await assert.rejects(confirmUnits(db, id), { code: 'limit_reached' })
  await sell('2')
  const past = { reserved_at: '2020-01-01T00:00:00Z', expires_at: '2020-01-01T00:01:00Z' }
  await db.updateTable('unit_reservations').set(past).where('id', '=', id).execute()
  await reserveUnits(db, asked)
  await assert.rejects(confirmUnits(db, id), { code: 'not_found' })
})

test('a hold that was decided while another was carried out is not taken for carried out', async () => {
  const { read, deployed, told } = await run('traffic')
  await read('2026-01-10T00:00:00Z', 0.5)
  const before = await deployed()
  await read('2026-01-20T00:00:00Z', 1.5)
  await settleHolds(seller.db, before)
  assert.equal((await read('2026-01-21T00:00:00Z', 1.6)).toHold.length, 1)
  assert.deepEqual(await told(), ['limit.reached 1.5'])
})

test('a look at what is used waits for who takes a unit at that moment, and writes down that it is taken', async () => {
  const { instanceId, deployed } = await run('seats')
  const instances = [await deployed()]
  const sold = await listSoldLimits(seller.db, { instanceIds: [instanceId] }, '2026-01-02T00:00:00Z')
  let looking: Promise<unknown> | undefined
  await seller.db.transaction().execute(async (tx) => {
    const asked = { instanceId, code: 'seats', quantity: '1', reference: null, actor: 'test' }
    await reserveUnits(tx, asked)
    looking = noteLimitUses(seller.db, instances, sold, new Map())
    await until('it waits', async () => (await countWaiting(seller.db)) === 1)
  })
  await looking
  const { used_quantity: used } = await seller.db
    .selectFrom('limits')
    .select('used_quantity')
    .where('instance_id', '=', instanceId)
    .where('code', '=', 'seats')
    .executeTakeFirstOrThrow()
  assert.equal(used, '1')
})
