import Docker from 'dockerode'
import type { Diary } from '#test/support/customer-diary.ts'
import { listObjects, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import { runIn } from '#test/support/kept-data.ts'
import { saveOwnApplication, sellProduct, standInImage } from '#test/support/sold-application.ts'
import { workflowIds } from '#workflows/contract.ts'

/** Saves the history of a workflow, of its newest run or of another, under a name. */
export type Save = (name: string, workflowId: string, runId?: string) => Promise<void>

const threshold = {
  billing_type: 'threshold',
  billing_timing: 'advance',
  base_price: '1.50',
  currency: 'USD',
}

async function containerOf({ installationId }: TestInstallation, subscription: string) {
  const { docker, containers } = await listObjects(installationId)
  const found = containers.find(({ Labels: labels }) => labels['io.clouder.subscription'] === subscription)
  return docker.getContainer(found?.Id ?? '')
}

async function startSampler({ client, serverId, installationId }: TestInstallation, intervalMs: number) {
  await client.workflow.start('sampler', {
    workflowId: workflowIds.sampler(serverId),
    taskQueue: `installation/${installationId}`,
    args: [{ serverId, intervalMs }],
  })
}

/** Limits are more for a while, less once it fits, withdrawn, and held from outside. */
export async function limitedLife(installation: TestInstallation, diary: Diary, save: Save): Promise<void> {
  const clock = await diary.createClock('2026-04-01T09:00:00Z')
  const subscription = await diary.order([{ kit: 'odoo-config-1' }], { clock })
  await diary.untilPhase(subscription, 'active')
  const workflowId = workflowIds.subscription(subscription)
  const runIdOf = async () => (await installation.client.workflow.getHandle(workflowId).describe()).runId
  const container = await containerOf(installation, subscription)
  const change = async (quantity: string, below_use: string) => {
    const { lines } = (await diary.subscription(subscription)) as { lines: Json[] }
    const line = lines.find(({ product, ends_on: endsOn }) => product === 'odoo-user' && endsOn === null)
    await diary.post(`/v1/subscriptions/${subscription}/change-plan`, {
      line: line?.['id'],
      quantity,
      below_use,
    })
  }
  const waiting = async () => (await diary.subscription(subscription))['waiting_changes'] as Json[]
  const product = { code: 'extra', name: 'Extra', limit: 'users', applications: ['odoo-stand-in'] }
  await diary.post('/v1/products', { ...threshold, ...product, recurrence: null, unit: 'user' }, 201)
  const extra = [{ product: 'extra', quantity: '2', subscription }]
  await diary.post('/v1/orders', { customer: 'harbour-bakery', lines: extra, test_clock: clock }, 201)
  await installation.relay()
  await until('7 are in force', async () => (await runIn(container, '/bin/get-limit users')).trim() === '7')
  const runs = [await runIdOf()]
  await diary.advance(clock, { to: '2026-05-01T09:00:00Z' })
  await save('subscription-extra-quantity', workflowId, runs[0])
  await change('10', 'refuse')
  await runIn(container, 'seq 9 > /data/users')
  await change('5', 'plan')
  runs.push(await runIdOf())
  await diary.advance(clock, { to: '2026-06-01T09:00:00Z' })
  await save('subscription-change-waits', workflowId, runs[1])
  await runIn(container, 'seq 5 > /data/users')
  await startSampler(installation, 1_000)
  await until('it is made', async () => (await waiting()).length === 0)
  await change('4', 'plan')
  const [asked] = await waiting()
  await diary.post(`/v1/subscriptions/${subscription}/withdraw-change`, { change: asked?.['id'] })
  await save('subscription-change-made', workflowId)
  await installation.client.workflow
    .getHandle(workflowIds.sampler(installation.serverId))
    .terminate('recorded')
}

/** A container is made anew while the command of its limit fails: it is tried, told of, and tried on by the sampler until it holds. */
export async function insistedLife(installation: TestInstallation, diary: Diary, save: Save): Promise<void> {
  const subscription = await diary.order([{ kit: 'odoo-config-1' }])
  await diary.untilPhase(subscription, 'active')
  const container = async () => await containerOf(installation, subscription)
  await runIn(await container(), 'echo 99 > /data/users.limit; mkdir /data/users.limit.new')
  await (await container()).remove({ force: true })
  await installation.reconcile()
  await installation.relay()
  const openTasks = async () =>
    (await diary.list('/v1/tasks')).filter(
      (task) => task['kind'] === 'limit_not_in_force' && task['closed_at'] === null,
    )
  await until('a person is told', async () => (await openTasks()).length > 0)
  await runIn(await container(), 'rmdir /data/users.limit.new')
  await startSampler(installation, 1_000)
  await until('it holds', async () => (await openTasks()).length === 0)
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'recorded' })
  await save('subscription-limit-insisted', workflowIds.subscription(subscription))
  await installation.client.workflow
    .getHandle(workflowIds.sampler(installation.serverId))
    .terminate('recorded')
}

const shelf = (image: string) => `
services:
  web:
    image: "${image}"
    user: "0:0"
    stop_signal: SIGKILL
    expose: ["8080"]
    volumes: ["data:/data"]
    entrypoint: ["sh", "-c", "echo here > /data/index.html; exec busybox httpd -f -p 8080 -h /data"]
volumes: { data: {} }
x-clouder:
  title: Shelf
  public: { service: web, port: 8080 }
  metrics:
    - { code: disk, title: Disk, unit: MiB, kind: gauge, aggregation: max, source: { type: volume-disk, volume: data } }
  limits:
    - { code: disk, title: Disk, metric: disk, hard: stop }
`

/** A full disk stops it, found between two ticks, and an upgrade starts it again; and what looks after all by itself. */
export async function heldFromOutside(
  installation: TestInstallation,
  diary: Diary,
  save: Save,
): Promise<void> {
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  await saveOwnApplication(installation.db, {
    code: 'shelf',
    compose: shelf(await standInImage(installation)),
  })
  const month = { recurrence: { count: 1, unit: 'month' }, unit: 'MiB' }
  const product = { code: 'shelf', name: 'Shelf', limit: 'disk', applications: ['shelf'] }
  await diary.post('/v1/products', { ...threshold, ...month, ...product }, 201)
  const subscription = await diary.order([{ product: 'shelf' }])
  await diary.untilPhase(subscription, 'active')
  await startSampler(installation, 45_000)
  await until('a first look', async () => (await samples(installation)) > 0)
  await runIn(await containerOf(installation, subscription), 'dd if=/dev/zero of=/data/fill bs=64k count=17')
  const stateOf = async () => ((await diary.subscription(subscription))['instances'] as Json[])[0]?.['state']
  await until('it is held', async () => (await stateOf()) === 'limited', 120_000)
  const [line] = (await diary.subscription(subscription))['lines'] as Json[]
  await diary.post(`/v1/subscriptions/${subscription}/change-plan`, { line: line?.['id'], quantity: '10' })
  await until('it runs', async () => (await stateOf()) === 'running')
  await save('subscription-held-from-outside', workflowIds.subscription(subscription))
  await until('limits were looked at', async () => await isLookedAt(installation), 120_000)
  await save('sampler-between-ticks', workflowIds.sampler(installation.serverId))
  const { client, installationId } = installation
  const taskQueue = `installation/${installationId}`
  for (const [type, name] of [
    ['reconcile', 'reconcile-usage-watch'],
    ['readingRetention', 'reading-retention'],
  ] as const) {
    const workflowId = `${name}/${installationId}`
    await client.workflow.execute(type, { workflowId, taskQueue })
    await save(name, workflowId)
  }
}

async function activitiesOf({ client, serverId }: TestInstallation): Promise<string[]> {
  const { events } = await client.workflow.getHandle(workflowIds.sampler(serverId)).fetchHistory()
  const done = (events ?? []).filter((event) => event.activityTaskCompletedEventAttributes).length
  const names = (events ?? []).flatMap(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
  )
  return names.slice(0, done)
}

const samples = async (installation: TestInstallation) => (await activitiesOf(installation)).length
const isLookedAt = async (installation: TestInstallation) =>
  (await activitiesOf(installation)).includes('lookAtLimits')

const legacy = (image: string) => `
services:
  web: { image: "${image}", expose: ["8080"], volumes: ["data:/data"] }
volumes: { data: {} }
x-clouder:
  title: Legacy
  public: { service: web, port: 8080 }
  ready: { path: /, timeout_s: 5 }
`

/** A group that ran before is taken over, and ends as one of ours. */
export async function takenOverLife(installation: TestInstallation, diary: Diary, save: Save): Promise<void> {
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  const docker = new Docker()
  const name = `legacy-${process.pid}`
  const image = `clouder-legacy:${process.pid}`
  await docker
    .getImage(await standInImage(installation))
    .tag({ repo: 'clouder-legacy', tag: String(process.pid) })
  await sellProduct(installation.db, 'legacy', [
    await saveOwnApplication(installation.db, { code: 'legacy', compose: legacy(image) }),
  ])
  await docker.createVolume({ Name: `${name}_data` })
  const web = await docker.createContainer({
    name: `${name}-web-1`,
    Image: image,
    User: '0:0',
    ExposedPorts: { '8080/tcp': {} },
    HostConfig: {
      Init: true,
      Binds: [`${name}_data:/data`],
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] },
    },
  })
  await web.start()
  const { Id: id, NetworkSettings: settings } = await web.inspect()
  const take_over = {
    server: 'local',
    application: 'legacy',
    containers: { web: { name: `${name}-web-1`, id } },
    volumes: { data: `${name}_data` },
    host_port: Number(settings.Ports['8080/tcp']?.[0]?.HostPort),
  }
  const order = { customer: 'harbour-bakery', lines: [{ product: 'legacy' }], take_over }
  const placed = await diary.post('/v1/orders', order, 201)
  const [first] = placed['subscriptions'] as (string | Json)[]
  const subscription = typeof first === 'string' ? first : String(first?.['id'])
  await diary.untilPhase(subscription, 'active')
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'recorded' })
  await diary.untilPhase(subscription, 'ended')
  await save('subscription-taken-over', workflowIds.subscription(subscription))
  for (const build of await diary.list(`/v1/builds?subscription=${subscription}`)) {
    const kind = build['kind'] === 'unbuild' ? 'unbuild' : 'build'
    await save(`${kind}-taken-over`, `${kind}/${String(build['id'])}`)
  }
  await docker.getImage(image).remove({ force: true })
}
