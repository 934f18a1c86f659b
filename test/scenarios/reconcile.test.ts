import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { listObjects, startInstallation, until, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
let subscription: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(subscription, 'active')
})
after(async () => await installation.stop())

interface Drift {
  readonly restarted: string[]
  readonly missing: string[]
  readonly orphans: string[]
}

async function reconcile(): Promise<Drift> {
  return await installation.client.workflow.execute<() => Promise<Drift>>('reconcile', {
    workflowId: `reconcile/${installation.installationId}/${Date.now()}`,
    taskQueue: `installation/${installation.installationId}`,
  })
}

async function openTasks() {
  return await installation.db.selectFrom('tasks').selectAll().where('closed_at', 'is', null).execute()
}

test('a sound installation gives no row', async () => {
  assert.deepEqual(await reconcile(), { restarted: [], missing: [], orphans: [], unreachable: [] })
  assert.deepEqual(await openTasks(), [])
})

test('a container stopped by hand is reported with one task, which closes once it runs again', async () => {
  const { docker, containers } = await listObjects(installation.installationId)
  const container = docker.getContainer(containers[0]?.Id ?? '')
  await container.stop({ t: 1 })
  const found = await reconcile()
  await reconcile()
  assert.equal(found.missing.length, 1)
  assert.deepEqual(
    (await openTasks()).map((task) => task.kind),
    ['instance_missing'],
  )
  await container.start()
  assert.deepEqual((await reconcile()).missing, [])
  assert.deepEqual(await openTasks(), [])
})

test('an object with our labels and no instance is listed, and left alone', async () => {
  const { docker } = await listObjects(installation.installationId)
  const name = `orphan-of-${installation.installationId}`
  await docker.createVolume({
    Name: name,
    Labels: {
      'io.clouder.managed': 'true',
      'io.clouder.installation': installation.installationId,
      'io.clouder.instance': 'inst_gone',
    },
  })
  assert.deepEqual((await reconcile()).orphans, [`volume ${name}`])
  assert.equal((await docker.getVolume(name).inspect()).Name, name)
})

test('a subscription whose workflow was terminated is started again, and goes on where its row stands', async () => {
  const workflowId = `subscription/${subscription}`
  await installation.client.workflow.getHandle(workflowId).terminate('an operator slipped')
  // Young subscriptions are left to the relay.
  await installation.db
    .updateTable('subscriptions')
    .set({ created_at: '2026-01-01T00:00:00Z' } as never)
    .execute()
  const found = await until('it is missed', async () => {
    const drift = await reconcile()
    return drift.restarted.length > 0 && drift
  })
  assert.deepEqual(found.restarted, [workflowId])
  await installation.relay()
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'it answers again' })
  assert.equal((await diary.subscription(subscription))['phase'], 'suspended')
  const invoices = await diary.invoices(subscription)
  assert.equal(invoices.length, 1)
})
