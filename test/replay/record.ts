/**
 * Records the histories that `replay.test.ts` replays: run it, with the environment of the tests, when a new flow is
 * added. Histories of a released version are kept for ever: add new ones, never record over them.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { deployedLife } from './deployed-life.ts'
import { heldFromOutside, insistedLife, limitedLife, takenOverLife, type Save } from './limit-lives.ts'
import { askedPeerLife } from './peer-question-lives.ts'
import { openReceiver } from '#test/support/webhook-receiver.ts'
import {
  startInstallation,
  until,
  type InstallationOptions,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'

const folder = path.join(import.meta.dirname, 'histories')
const project = path.join(import.meta.dirname, '../..')

async function save(
  installation: TestInstallation,
  name: string,
  workflowId: string,
  runId?: string,
): Promise<void> {
  const history = await installation.client.workflow.getHandle(workflowId, runId).fetchHistory()
  // Stack traces name the folder they were taken in; nobody else has it.
  const text = historyToJSON(history).replaceAll(project, '.')
  await writeFile(path.join(folder, `${name}.json`), `${text}\n`)
  console.log(`recorded ${name}`)
}

async function wholeLife(installation: TestInstallation, diary: Diary): Promise<void> {
  const clock = await diary.createClock('2026-01-31T09:00:00Z')
  const subscription = await diary.order([{ kit: 'odoo-config-1' }], { clock })
  const active = await diary.untilPhase(subscription, 'active')
  await until('first bill', async () => (await diary.invoices(subscription)).length === 1)
  const workflowId = `subscription/${subscription}`
  const [line] = active['lines'] as Json[]
  await diary.post(`/v1/subscriptions/${subscription}/change-plan`, { line: line?.['id'], quantity: '7' })
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'recorded' })
  await diary.post(`/v1/subscriptions/${subscription}/resume`, {})
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'period_end', reason: 'recorded' })
  await diary.post(`/v1/subscriptions/${subscription}/uncancel`, {})
  const firstRun = (await installation.client.workflow.getHandle(workflowId).describe()).runId
  await diary.advance(clock, { by: '1mo' })
  await save(installation, 'subscription-first-run', workflowId, firstRun)
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'period_end', reason: 'recorded' })
  await diary.advance(clock, { to: '2026-04-01T09:00:00Z' })
  await diary.untilPhase(subscription, 'ended')
  await save(installation, 'subscription-cancelled-to-end', workflowId)
  await saveBuilds(installation, 'whole-life')
  await save(installation, 'test-clock', `test-clock/${clock}/2026-02-28T09:00:00.000Z`)
}

/** Paused by the calendar and by hand, withdrawn, with a term that is renewed, sold at another price, and one line ended. */
async function changedLife(installation: TestInstallation, diary: Diary): Promise<void> {
  const clock = await diary.createClock('2026-04-01T09:00:00Z')
  const subscription = await diary.order([{ product: 'static-site' }], { clock })
  const active = await diary.untilPhase(subscription, 'active')
  const [line] = active['lines'] as Json[]
  const workflowId = `subscription/${subscription}`
  const runId = (await installation.client.workflow.getHandle(workflowId).describe()).runId
  const ask = async (action: string, body: Json) =>
    await diary.post(`/v1/subscriptions/${subscription}/${action}`, body)
  const dates = { starts_on: '2026-04-11', ends_on: '2026-04-21' }
  await ask('pause', dates)
  await ask('unpause', {})
  await ask('pause', dates)
  await diary.advance(clock, { to: '2026-04-22T09:00:00Z' })
  await ask('pause', {})
  await ask('resume', {})
  await ask('set-term', { length: { count: 1, unit: 'week' } })
  const price = { model: 'per_unit', unit_amount: '4' }
  await ask('change-plan', { line: line?.['id'], price, starts_on: '2026-05-01' })
  await diary.advance(clock, { to: '2026-04-29T09:00:00Z' })
  const lines = (await diary.subscription(subscription))['lines'] as Json[]
  await ask('stop-line', { line: lines.at(-1)?.['id'], ends_on: '2026-06-01' })
  await ask('cancel', {
    when: 'date',
    ends_on: '2026-05-15',
    service_ends_on: '2026-05-20',
    reason: 'recorded',
  })
  await diary.advance(clock, { to: '2026-05-01T09:00:00Z' })
  await save(installation, 'subscription-changed', workflowId, runId)
}

/** Free for 15 days: its end is told, it is suspended then, and resumed. */
async function triedLife(installation: TestInstallation, diary: Diary): Promise<void> {
  const product = {
    code: 'tried',
    name: 'Tried',
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: '31.00',
    currency: 'USD',
    terms: { trial_days: 15, trial_end: 'suspend' },
  }
  await diary.post('/v1/products', product, 201)
  const clock = await diary.createClock('2027-01-03T09:00:00Z')
  const subscription = await diary.order([{ product: 'tried' }], { clock })
  await diary.untilPhase(subscription, 'active')
  await diary.advance(clock, { to: '2027-01-20T09:00:00Z' })
  const workflowId = `subscription/${subscription}`
  const runId = (await installation.client.workflow.getHandle(workflowId).describe()).runId
  await diary.post(`/v1/subscriptions/${subscription}/resume`, {})
  await save(installation, 'subscription-tried', workflowId, runId)
}

async function saveBuilds(installation: TestInstallation, name: string): Promise<void> {
  const { encodeId } = await import('#domain/identifier.ts')
  for (const row of await installation.db
    .selectFrom('build_orders')
    .select(['id', 'kind', 'state'])
    .execute()) {
    await save(
      installation,
      `${row.kind}-${row.state}-${name}`,
      `${row.kind}/${encodeId('buildOrder', row.id)}`,
    )
  }
}

async function parkedAndRetried(installation: TestInstallation, diary: Diary): Promise<void> {
  const { createServer } = await import('node:http')
  // The only port that there is.
  const foreign = createServer().listen(19_999, '127.0.0.1')
  await installation.db.updateTable('servers').set({ port_range: '[19999,20000)' }).execute()
  const subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilParked(subscription)
  await new Promise((resolve) => void foreign.close(resolve))
  await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await diary.untilPhase(subscription, 'active')
  await save(installation, 'subscription-parked-and-retried', `subscription/${subscription}`)
  await saveBuilds(installation, 'parked-and-retried')
}

async function billingRun(installation: TestInstallation): Promise<void> {
  const workflowId = `billing-run/${new Date().toISOString()}`
  const taskQueue = `installation/${installation.installationId}`
  await installation.client.workflow.execute('billingRun', { workflowId, taskQueue, args: [{}] })
  await save(installation, 'billing-run', workflowId)
}

/** Steps side by side, with what an operator asks meanwhile: cancelled, retried, resumed, and taken down again. */
async function builtSideBySide(installation: TestInstallation, diary: Diary): Promise<void> {
  const subscription = await diary.order([{ kit: 'odoo-config-1' }])
  const ask = async (action: string, pick?: string): Promise<void> => {
    await until(`${action} is taken`, async () => {
      const [build] = await diary.list(`/v1/builds?subscription=${subscription}&limit=1`)
      if (build?.['state'] !== 'running') return false
      const { steps } = await diary.get(`/v1/builds/${String(build['id'])}`)
      const step = (steps as Json[]).find(({ kind, state }) => kind === pick && state !== 'planned')
      if (pick !== undefined && step === undefined) return false
      const body = step === undefined ? {} : { step: step['id'] }
      return (
        (await installation.call('POST', `/v1/builds/${String(build['id'])}/${action}`, body)).status === 200
      )
    })
  }
  await ask('cancel')
  await diary.untilParked(subscription)
  await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await ask('resume', 'container')
  await diary.untilPhase(subscription, 'active')
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'recorded' })
  await diary.untilPhase(subscription, 'ended')
  await saveBuilds(installation, 'side-by-side')
}

/** Held until an operator accepts it, then all of it billed by quarters, and repaired. */
async function heldLife(installation: TestInstallation, diary: Diary): Promise<void> {
  const month = { recurrence: { count: 1, unit: 'month' }, unit: 'month', currency: 'USD', base_price: '3' }
  const held = { applications: ['static-site'], terms: { build_trigger: 'acceptance' } }
  const sold = { code: 'held', name: 'Held', billing_type: 'flat', billing_timing: 'advance' }
  await diary.post('/v1/products', { ...sold, ...month, ...held }, 201)
  const order = { customer: 'harbour-bakery', lines: [{ product: 'held' }] }
  const placed = await diary.post('/v1/orders', order, 201)
  const subscription = String((placed['subscriptions'] as Json[])[0]?.['id'])
  await installation.relay()
  await diary.post(`/v1/orders/${String(placed['id'])}/accept`, { reason: 'recorded' })
  const { instances } = await diary.untilPhase(subscription, 'active')
  await until('first bill', async () => (await diary.invoices(subscription)).length === 1)
  const recurrence = { count: 1, unit: 'quarter' }
  await diary.post(`/v1/subscriptions/${subscription}/set-recurrence`, { recurrence })
  await diary.post(`/v1/instances/${String((instances as Json[])[0]?.['id'])}/repair`, {})
  await save(installation, 'subscription-held', `subscription/${subscription}`)
  for await (const { workflowId } of installation.client.workflow.list({ query: "WorkflowType = 'repair'" }))
    if (workflowId.includes(String((instances as Json[])[0]?.['id'])))
      await save(installation, 'repair', workflowId)
}

/** Ended with its last backup, brought back from it, and restored to it in place. */
async function restoredLife(installation: TestInstallation, diary: Diary): Promise<void> {
  const ended = await diary.order([{ kit: 'odoo-config-1' }])
  await diary.untilPhase(ended, 'active')
  await diary.post(`/v1/subscriptions/${ended}/cancel`, { when: 'now', reason: 'recorded' })
  await diary.untilPhase(ended, 'ended')
  const [backup] = await diary.list(`/v1/backups?subscription=${ended}`)
  const { subscriptions } = await diary.post(`/v1/subscriptions/${ended}/reinstate`, {}, 201)
  await installation.relay()
  const again = String((subscriptions as Json[])[0]?.['id'])
  await diary.untilPhase(again, 'active')
  await diary.post(`/v1/subscriptions/${again}/restore`, { backup: backup?.['id'] })
  await until('it is restored', async () => {
    const [restore] = await diary.list(`/v1/restores?subscription=${again}`)
    return restore?.['state'] === 'done'
  })
  await save(installation, 'subscription-restored-in-place', `subscription/${again}`)
  await saveBuilds(installation, 'reinstated')
}

/** What is asked of a running instance and of its server, and what looks at them by itself. */
async function askedLife(installation: TestInstallation, diary: Diary): Promise<void> {
  const subscription = await diary.order([{ product: 'static-site' }])
  const active = await diary.untilPhase(subscription, 'active')
  const [instance] = active['instances'] as Json[]
  const address = `/v1/instances/${String(instance?.['id'])}`
  await diary.post(`${address}/restart`, {})
  await diary.get(`${address}/logs`)
  const changed = await installation.call('PATCH', address, { limits: { web: { memory_mib: 48 } } })
  if (changed.status >= 300) throw new Error(JSON.stringify(changed.body))
  await installation.relay()
  await diary.post(`/v1/servers/${installation.serverId}/test`, {})
  await installation.reconcile()
  const sampling = `sampler/${installation.serverId}`
  const taskQueue = `installation/${installation.installationId}`
  const args = [{ serverId: installation.serverId, intervalMs: 1_000 }]
  await installation.client.workflow.start('sampler', { workflowId: sampling, taskQueue, args })
  await until('a second tick', async () => {
    const { events } = await installation.client.workflow.getHandle(sampling).fetchHistory()
    return (events ?? []).filter((event) => event.activityTaskCompletedEventAttributes).length > 1
  })
  await save(installation, 'sampler', sampling)
  await saveOf(installation, ['instanceCommand', 'log', 'replacement', 'reconcile', 'serverTest'])
}

/** The newest of each type that worked on this installation's queue. */
async function saveOf(installation: TestInstallation, types: readonly string[]): Promise<void> {
  for (const type of types) {
    const query = `WorkflowType = '${type}' and TaskQueue = 'installation/${installation.installationId}'`
    const [found] = await until(`a ${type} is listed`, async () => {
      const listed = await Array.fromAsync(installation.client.workflow.list({ query }))
      return listed.length > 0 && listed
    })
    await save(
      installation,
      type.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      found?.workflowId ?? '',
    )
  }
}

/** Invited, accepted, sent to, away for a while, and closed: the side that bills, and the one that is billed. */
async function pairedLife(parent: TestInstallation): Promise<void> {
  const child = await startInstallation({ isServed: true })
  try {
    await pairedWith(parent, child)
  } finally {
    await child.stop()
  }
}

async function pairedWith(parent: TestInstallation, child: TestInstallation): Promise<void> {
  const invited = await parent.call('POST', '/v1/peers/invitations', {
    role: 'customer',
    customer: 'harbour-bakery',
  })
  const { invitation, peer } = invited.body
  const accepted = await child.call('POST', '/v1/peers', { invitation })
  const ids = [String(peer), String(accepted.body['id'])] as const
  const { id: customerId } = await parent.db
    .selectFrom('customers')
    .select('id')
    .where('code', '=', 'harbour-bakery')
    .executeTakeFirstOrThrow()
  const untilReceived = async (count: number) =>
    await until(`${count} received`, async () => {
      await Promise.all([parent.relay(), child.relay()])
      const rows = await child.db.selectFrom('supplier_invoices').select('id').execute()
      return rows.length === count
    })
  await until('they are paired', async () => {
    await Promise.all([parent.relay(), child.relay()])
    return (await child.call('GET', `/v1/peers/${ids[1]}`)).body['state'] === 'active'
  })
  await insertOneOffInvoice(parent.db, customerId, [['1', '1.00']])
  await untilReceived(1)
  child.door?.lead(async () => new Response('', { status: 503 }))
  await insertOneOffInvoice(parent.db, customerId, [['1', '2.00']])
  await parent.relay()
  await until('it waits', async () => {
    const { raw } = await parent.client.workflow.getHandle(`peer/${ids[0]}`).describe()
    return (raw.pendingActivities?.[0]?.attempt ?? 0) > 1
  })
  child.door?.lead(async (request) => await child.app.fetch(request))
  await untilReceived(2)
  for (const [side, id, name] of [
    [parent, ids[0], 'peer-that-is-billed'],
    [child, ids[1], 'peer-that-bills'],
  ] as const) {
    await side.call('POST', `/v1/peers/${id}/close`, {})
    await side.relay()
    await side.client.workflow.getHandle(`peer/${id}`).result()
    await save(side, name, `peer/${id}`)
  }
}

/** A receiver that is away at first, then has everything, and is deleted. */
async function postedLife(installation: TestInstallation, diary: Diary): Promise<void> {
  let requests = 0
  const receiver = await openReceiver((response) => {
    requests += 1
    if (requests === 1) response.writeHead(503, { 'retry-after': '1' }).end()
  })
  const { id } = await diary.post('/v1/webhooks', { url: receiver.url }, 201)
  const webhook = String(id)
  const untilReceived = async (count: number) =>
    await until(`${count} messages`, async () => {
      await installation.relay()
      return receiver.received.length >= count
    })
  await untilReceived(1)
  await diary.post(`/v1/webhooks/${webhook}/test`, {}, 202)
  await untilReceived(2)
  const headers = { authorization: `Bearer ${installation.key}`, 'idempotency-key': webhook }
  await installation.app.request(`/v1/webhooks/${webhook}`, { method: 'DELETE', headers })
  await installation.relay()
  await installation.client.workflow.getHandle(`webhook/${webhook}`).result()
  await save(installation, 'webhook', `webhook/${webhook}`)
  await receiver.close()
}

/** A life of another file, which is told how its histories are saved. */
function saved(life: (installation: TestInstallation, diary: Diary, save: Save) => Promise<void>) {
  return async (installation: TestInstallation, diary: Diary) =>
    await life(installation, diary, async (...of) => await save(installation, ...of))
}

/** `record.ts changed` records one flow: those that are there are kept as they are. */
const alone = new Map([
  ['changed', changedLife],
  ['tried', triedLife],
  ['side-by-side', builtSideBySide],
  ['held', heldLife],
  ['restored', restoredLife],
  ['asked', askedLife],
  ['paired', pairedLife],
  ['posted', postedLife],
  ['deployed', saved(deployedLife)],
  ['limited', saved(limitedLife)],
  ['limit-insisted', saved(insistedLife)],
  ['peer-asked', saved(askedPeerLife)],
  ['held-from-outside', saved(heldFromOutside)],
  ['taken-over', saved(takenOverLife)],
])
/** What the installation of one of them is started with. */
const optionsOf: Readonly<Record<string, InstallationOptions>> = {
  deployed: { isServed: true },
  // What is not in force for so long has a task.
  'limit-insisted': { limitPatienceMs: 2_000 },
  paired: { isServed: true },
  'peer-asked': { isServed: true },
}
const flow = process.argv[2] ?? ''
const chosen = alone.get(flow)
await mkdir(folder, { recursive: true })
if (chosen) {
  const installation = await startInstallation(optionsOf[flow])
  try {
    await chosen(installation, createDiary(installation))
  } finally {
    await installation.stop()
  }
  process.exit(0)
}
const first = await startInstallation()
try {
  await wholeLife(first, createDiary(first))
  await billingRun(first)
} finally {
  await first.stop()
}
const second = await startInstallation()
try {
  await parkedAndRetried(second, createDiary(second))
} finally {
  await second.stop()
}
process.exit(0)
