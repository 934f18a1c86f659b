import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { openBuildOrder, closeBuildOrder } from '#db/build.ts'
import { beginStep, finishStep, getBuildStep, listOutdatedSteps } from '#db/build-step.ts'
import { getDeployedInstance, listDeployedInstances } from '#db/instance.ts'
import { movePort, moveStandingPort } from '#db/port.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller({ ports: 4 })
})
after(async () => seller.drop())

test('a port that something else has is skipped; the open build is planned with the next one, and follows in all of its steps', async () => {
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-2' })
  const subscriptionId = subscriptionIds[0] ?? ''
  const [instance] = await listDeployedInstances(seller.db, { subscriptionId })
  assert.ok(instance)
  const build = await openBuildOrder(seller.db, subscriptionId, 'build')
  const moved = await Promise.all(
    [1, 2, 3].map(async () => await movePort(seller.db, { instanceId: instance.id, taken: 20_000 })),
  )
  assert.deepEqual(moved, [20_001, 20_001, 20_001])
  const plans = await Promise.all(build.steps.map(async ({ id }) => (await getBuildStep(seller.db, id)).plan))
  const ports = plans.flatMap((plan) => {
    if (plan.kind === 'ready') return plan.request?.hostPort ?? []
    return plan.kind === 'container' ? (plan.publish?.hostPort ?? []) : []
  })
  assert.deepEqual(ports, [20_001, 20_001])
  assert.equal((await getDeployedInstance(seller.db, instance.id)).planned.hostPort, 20_001)

  // The next order does not try it again.
  const next = await seller.order({ kit: 'odoo-config-2' })
  const [other] = await listDeployedInstances(seller.db, { subscriptionId: next.subscriptionIds[0] ?? '' })
  assert.equal(other?.planned.hostPort, 20_002)

  // One build tries each port once; a new one, after a person did something about it, tries all again.
  assert.equal(await movePort(seller.db, { instanceId: instance.id, taken: 20_001 }), 20_003)
  const refusal = {
    code: 'ports_exhausted',
    message: /^Server local has no free port in its range 20000 to 20003\./,
  }
  await assert.rejects(movePort(seller.db, { instanceId: instance.id, taken: 20_003 }), refusal)
  await assert.rejects(seller.order({ kit: 'odoo-config-2' }), refusal)
  await closeBuildOrder(seller.db, build.id, { state: 'undone', event: 'build.undone' })
  await openBuildOrder(seller.db, subscriptionId, 'build')
  assert.equal(await movePort(seller.db, { instanceId: instance.id, taken: 20_003 }), 20_000)
})

test('a container that was made with the old address is made again; one that does not know of it stays', async () => {
  await seller.db.updateTable('servers').set({ port_range: '[21000,21010)' }).execute()
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-2' })
  const subscriptionId = subscriptionIds[0] ?? ''
  const build = await openBuildOrder(seller.db, subscriptionId, 'build')
  for (const step of build.steps.slice(0, -2)) {
    await beginStep(seller.db, step.id, 1)
    await finishStep(seller.db, step.id, 'made')
  }
  const instance = (await listDeployedInstances(seller.db, { subscriptionId }))[0] ?? assert.fail()
  const last = await getBuildStep(seller.db, build.steps.at(-1)?.id ?? '')
  await movePort(seller.db, { instanceId: instance.id, taken: instance.planned.hostPort ?? 0 })
  assert.deepEqual(await listOutdatedSteps(seller.db, last), [])
  const first = build.steps.find(({ kind }) => kind === 'container') ?? assert.fail()
  const { plan } = await getBuildStep(seller.db, first.id)
  assert.ok(plan.kind === 'container')
  const stale = { ...plan, environment: { ...plan.environment, SERVICE_URL_WEB: 'http://127.0.0.1:1' } }
  await seller.db.updateTable('build_steps').set({ plan: stale }).where('id', '=', first.id).execute()
  await movePort(seller.db, { instanceId: instance.id, taken: 21_001 })
  assert.deepEqual(
    (await listOutdatedSteps(seller.db, last)).map((step) => step.plan),
    [plan],
  )
})

test('the port of an instance that was built is moved when it is started again; what was found taken since is not tried again', async () => {
  await seller.db.updateTable('servers').set({ port_range: '[22000,22003)' }).execute()
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-2' })
  const of = { subscriptionId: subscriptionIds[0] ?? '' }
  const [instance] = await listDeployedInstances(seller.db, of)
  assert.equal(instance?.planned.hostPort, 22_000)
  const since = new Date(Date.now() - 1_000).toISOString()
  const move = async (taken: number) =>
    await moveStandingPort(seller.db, { instanceId: instance.id, taken, since })
  assert.deepEqual(await Promise.all([move(22_000), move(22_000)]), [22_001, 22_001])
  assert.equal(await move(22_001), 22_002)
  await assert.rejects(move(22_002), { code: 'ports_exhausted' })
  const told = await seller.db
    .selectFrom('events')
    .select('data')
    .where('kind', '=', 'instance.port_moved')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    told.map(({ data }) => [data['before'], data['after']]),
    [
      [22_000, 22_001],
      [22_001, 22_002],
    ],
  )
})
