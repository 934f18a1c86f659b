import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { insertCustomer } from '#db/customer.ts'
import { recordRemoval, recordResource } from '#db/resource.ts'
import { setInstanceState, listDeployedInstances } from '#db/instance.ts'
import { openBuildOrder } from '#db/build.ts'
import { getBuildStep } from '#db/build-step.ts'
import { keepForeignSubnets, moveEnvironment } from '#db/subnet-move.ts'
import { freeSubnets, releaseSubnets, tellSubnetUse } from '#db/subnet.ts'
import { BusinessError } from '#domain/errors.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

let customers = 0

/** A first order of somebody new, and thus an environment. */
async function orderByNewCustomer() {
  const code = `subnet-${++customers}`
  await insertCustomer(seller.db, {
    code,
    name: code,
    email: null,
    address: null,
    currency: 'USD',
    timeZone: 'UTC',
    priceListId: null,
  })
  return { code, instance: await orderInstance(code) }
}

async function orderInstance(customer: string) {
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-2', customer })
  const [instance] = await listDeployedInstances(seller.db, { subscriptionId: subscriptionIds[0] ?? '' })
  return instance ?? assert.fail('no instance')
}

async function setPool(pool: string, prefixLength: number): Promise<void> {
  await seller.db
    .updateTable('servers')
    .set({ subnet_pool: pool, subnet_prefix_length: prefixLength })
    .execute()
}

async function hold(...ranges: string[]): Promise<void> {
  await seller.db.transaction().execute(
    async (tx) =>
      await keepForeignSubnets(
        tx,
        seller.serverId,
        ranges.map((range) => ({ range, holder: 'network other' })),
      ),
  )
}

async function release(): Promise<void> {
  await seller.db.transaction().execute(async (tx) => await releaseSubnets(tx, seller.serverId))
}

async function openTasks() {
  return await seller.db
    .selectFrom('tasks')
    .selectAll()
    .where('kind', '=', 'subnets_nearly_exhausted')
    .where('closed_at', 'is', null)
    .execute()
}

test('every environment on a server has one subnet, the lowest that is free, and its instances share it', async () => {
  await setPool('10.240.0.0/24', 28)
  assert.equal(await freeSubnets(seller.db, seller.serverId), 16)
  const one = await orderByNewCustomer()
  const other = await orderByNewCustomer()
  assert.deepEqual(
    [one.instance.planned.subnet, other.instance.planned.subnet],
    ['10.240.0.0/28', '10.240.0.16/28'],
  )
  assert.equal((await orderInstance(one.code)).planned.subnet, '10.240.0.0/28')
  assert.equal(await freeSubnets(seller.db, seller.serverId), 14)
})

test('what others have on the server is skipped, however large it is', async () => {
  await setPool('10.241.0.0/24', 28)
  await hold('10.241.0.0/26', '10.241.0.64/32', '192.168.0.0/16', 'fd00::/64')
  assert.equal((await orderByNewCustomer()).instance.planned.subnet, '10.241.0.80/28')
  assert.equal(await freeSubnets(seller.db, seller.serverId), 16 - 4 - 1 - 1)
  await hold()
  assert.equal(await freeSubnets(seller.db, seller.serverId), 15)
})

test('an operator is told at 90 %, and not any more once there is room; with none left an order is refused and makes nothing', async () => {
  await setPool('10.242.0.0/24', 28)
  await hold('10.242.0.0/25', '10.242.0.128/26')
  const environments = []
  for (let taken = 12; taken < 14; taken += 1) environments.push(await orderByNewCustomer())
  assert.deepEqual(await openTasks(), [])
  environments.push(await orderByNewCustomer())
  const [task] = await openTasks()
  assert.equal(task?.subject, 'Server local has 1 free subnets left')
  environments.push(await orderByNewCustomer())
  assert.equal((await openTasks())[0]?.subject, 'Server local has no free subnet')
  const before = await countInstances()
  await assert.rejects(orderByNewCustomer(), (error) => {
    assert.ok(error instanceof BusinessError)
    assert.equal(error.code, 'subnets_exhausted')
    assert.match(
      error.message,
      /local: 1 subnet needed, 0 subnets free of \d+ subnets in its pool 10\.242\.0\.0\/24/,
    )
    assert.match(error.message, /others have 10\.242\.0\.0\/25 \(network other\)/)
    return true
  })
  assert.equal(await countInstances(), before)
  // Who has an environment there already is not refused.
  await orderInstance(environments[0]?.code ?? '')
  await hold()
  await tellSubnetUse(seller.db, seller.serverId)
  assert.deepEqual(await openTasks(), [])
})

async function countInstances(): Promise<number> {
  return (await seller.db.selectFrom('instances').select('id').execute()).length
}

test('a subnet is free again once the last instance has ended and its network was seen absent', async () => {
  await setPool('10.243.0.0/24', 28)
  const { code, instance } = await orderByNewCustomer()
  const second = await orderInstance(code)
  const free = await freeSubnets(seller.db, seller.serverId)
  for (const { id, serverId } of [instance, second]) {
    await recordResource(seller.db, {
      instanceId: id,
      serverId,
      kind: 'network',
      name: `${code}_network`,
      externalId: 'n',
    })
  }
  await setInstanceState(seller.db, instance.id, 'destroyed')
  await release()
  assert.equal(await freeSubnets(seller.db, seller.serverId), free)
  await setInstanceState(seller.db, second.id, 'destroyed')
  await release()
  assert.equal(await freeSubnets(seller.db, seller.serverId), free)
  // The first had left it to the second: gone for one, it is gone for both.
  await recordRemoval(seller.db, { instanceId: second.id, kind: 'network', name: `${code}_network` })
  await release()
  assert.equal(await freeSubnets(seller.db, seller.serverId), free + 1)
})

test('an environment of before pools were planned keeps its network until its last instance has ended', async () => {
  await setPool('10.244.0.0/24', 28)
  const { code, instance } = await orderByNewCustomer()
  await seller.db.deleteFrom('subnets').where('environment_id', '=', instance.environmentId).execute()
  const second = await orderInstance(code)
  assert.equal(second.planned.subnet, undefined)
  for (const { id } of [instance, second]) await setInstanceState(seller.db, id, 'destroyed')
  assert.equal((await orderInstance(code)).planned.subnet, '10.244.0.0/28')
})

test('of two that order the last subnet one gets it', async () => {
  await setPool('10.245.0.0/28', 28)
  const outcomes = await Promise.allSettled([orderByNewCustomer(), orderByNewCustomer()])
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
})

test('a subnet that the engine refuses is moved once, whoever asks, and what is being built is planned with the new one', async () => {
  await setPool('10.246.0.0/24', 28)
  const { instance } = await orderByNewCustomer()
  const order = await openBuildOrder(seller.db, instance.subscriptionId, 'build')
  const place = { serverId: seller.serverId, environmentId: instance.environmentId }
  const refusal = { refused: '10.246.0.0/28', held: [{ range: '10.246.0.0/27', holder: 'network other' }] }
  const moved = await Promise.all([1, 2, 3].map(async () => await moveEnvironment(seller.db, place, refusal)))
  assert.deepEqual(
    moved,
    Array.from({ length: 3 }, () => '10.246.0.32/28'),
  )
  const plans = await Promise.all(order.steps.map(async ({ id }) => (await getBuildStep(seller.db, id)).plan))
  assert.deepEqual(
    plans.flatMap((plan) => {
      if (plan.kind === 'network') return plan.subnet
      return plan.kind === 'container' ? plan.network.subnet : []
    }),
    Array.from({ length: 3 }, () => '10.246.0.32/28'),
  )
})

test('where others have all that is left, the environment stays as it is, and what was learnt is kept', async () => {
  await setPool('10.247.0.0/24', 28)
  const { instance } = await orderByNewCustomer()
  const place = { serverId: seller.serverId, environmentId: instance.environmentId }
  const refusal = { refused: '10.247.0.0/28', held: [{ range: '10.247.0.0/24', holder: 'network other' }] }
  await assert.rejects(moveEnvironment(seller.db, place, refusal), { code: 'subnets_exhausted' })
  assert.equal(await freeSubnets(seller.db, seller.serverId), 0)
  await assert.rejects(orderByNewCustomer(), { code: 'subnets_exhausted' })
  await hold()
  assert.equal(await freeSubnets(seller.db, seller.serverId), 15)
})
