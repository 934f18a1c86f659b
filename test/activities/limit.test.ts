import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sampleLimits } from '#activities/limit-sample.ts'
import { lookAtLimits } from '#activities/limit-look.ts'
import { applySold, createLimitActivities } from '#activities/limit.ts'
import { applyWaitingLimits, setLostLimits } from '#activities/limit-setting.ts'
import { saveApplication } from '#db/application.ts'
import { newId } from '#db/identifier.ts'
import { getDeployedInstance } from '#db/instance.ts'
import { decideSubscriptionLimits, settleHolds } from '#db/limit-hold.ts'
import { noteSoldLimit } from '#db/limit.ts'
import { insertProduct } from '#db/product.ts'
import { insertReadings } from '#db/usage.ts'
import { parseApplication } from '#docker/compose/application.ts'
import { createDryRunRunner } from '#docker/dry-run.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import type { Runner, RunnerContext } from '#domain/runner.ts'
import { copyRow } from '#test/support/copied-row.ts'
import { findInstanceId, moveInstances } from '#test/support/instances.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const ctx: RunnerContext = { abortSignal: new AbortController().signal, secrets: {}, onProgress: () => {} }
const now = new Date().toISOString()

/** Five users are sold hard of an instance that runs. */
async function run() {
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', now })
  const { db } = seller
  await moveInstances(db, subscriptionId, 'building', 'running')
  await db
    .updateTable('subscription_lines')
    .set({ terms: JSON.stringify({ enforcement: 'hard' }) })
    .where('subscription_id', '=', subscriptionId)
    .execute()
  const id = await findInstanceId(db, subscriptionId)
  const decide = async () => await decideSubscriptionLimits(db, subscriptionId, { now, lostSince: now })
  const capped = async (used: '0' | '1') => {
    const standing = { used_quantity: used, used_at: now }
    await db
      .insertInto('limits')
      .values({
        instance_id: id,
        code: 'spend',
        sold_quantity: '1',
        in_force_quantity: null,
        in_force_at: null,
        ...standing,
      })
      .onConflict((conflict) => conflict.columns(['instance_id', 'code']).doUpdateSet(standing))
      .execute()
  }
  const deployed = async () => await getDeployedInstance(db, id)
  const users = async () =>
    await db
      .selectFrom('limits')
      .select(['sold_quantity', 'in_force_quantity'])
      .where('instance_id', '=', id)
      .where('code', '=', 'users')
      .executeTakeFirstOrThrow()
  return { subscriptionId, id, decide, capped, deployed, users }
}

/** Commands run in what runs only. */
function createRunner(set: number[]): Runner {
  return {
    ...createDryRunRunner(),
    applyLimit: async ({ instance }, { code, value }) => {
      if (instance.holds !== undefined) throw new Error('container is not running')
      set.push(value)
      return Promise.resolve({ limit: code, inForce: value, inUse: 0, commands: [] })
    },
    readLimit: async () => Promise.reject(new Error('container is not running')),
  }
}

test('a limit that changes while a spend cap stops its instance waits for nothing, and is set once the instance runs', async () => {
  const { id, decide, capped, deployed, users } = await run()
  const set: number[] = []
  const deps = {
    db: seller.db,
    runner: createRunner(set),
    installationKey: { id: 'test', bytes: Buffer.alloc(32, 3) },
  }
  await capped('1')
  assert.deepEqual((await decide()).limited, ['spend'])
  const of = { instanceId: encodeId('instance', id), code: 'users' }
  await applySold(deps, { ...of, quantity: '7', unit: 'user', enforcement: 'hard' }, ctx)
  assert.deepEqual(await createLimitActivities(deps).readLimit(of), { inForce: 0, inUse: 0 })
  assert.deepEqual(await users(), { sold_quantity: '7', in_force_quantity: null })

  await capped('0')
  await decide()
  await settleHolds(seller.db, await deployed())
  await applyWaitingLimits(deps, await deployed(), ctx)
  await applyWaitingLimits(deps, await deployed(), ctx)
  assert.deepEqual([set, (await users()).in_force_quantity], [[5], '5'])
})

test('a sold limit that was refused is tried again at each look, is told once it lasts, and no longer once it holds', async () => {
  const { subscriptionId, id, deployed, users } = await run()
  const { db } = seller
  let refusal: BusinessError | null = new BusinessError('limit_not_in_force', 'the disk is full')
  const set: number[] = []
  const runner: Runner = {
    ...createRunner(set),
    applyLimit: async (ref, limit, context) => {
      if (refusal !== null) throw refusal
      return await createRunner(set).applyLimit(ref, limit, context)
    },
  }
  const deps = { db, runner, installationKey: { id: 'test', bytes: Buffer.alloc(32, 3) } }
  const tasks = async () =>
    await db
      .selectFrom('tasks')
      .select(['subject', 'closed_reason'])
      .where('kind', '=', 'limit_not_in_force')
      .where('subject_id', '=', subscriptionId)
      .execute()
  const look = async (limitPatienceMs: number) =>
    await setLostLimits({ ...deps, limitPatienceMs }, [await deployed()], ctx)
  const asked = { instanceId: encodeId('instance', id), code: 'users', unit: 'user' }
  assert.deepEqual(await look(60_000), { failed: [], isAnyLost: false })

  await assert.rejects(async () => applySold(deps, { ...asked, quantity: '5', isSold: true }, ctx), {
    nonRetryable: false,
  })
  assert.deepEqual(await users(), { sold_quantity: '5', in_force_quantity: null })
  const failed = await look(60_000)
  assert.match(failed.failed.join(), /users: the disk is full/)
  assert.deepEqual([failed.isAnyLost, await tasks()], [true, []])
  await look(0)
  await look(0)
  const [open, ...others] = await tasks()
  assert.match(String(open?.subject), /: users of 5 is not in force$/)
  assert.deepEqual([open?.closed_reason, others], [null, []])

  refusal = null
  assert.deepEqual(await look(60_000), { failed: [], isAnyLost: false })
  assert.deepEqual([set, await users()], [[5], { sold_quantity: '5', in_force_quantity: '5' }])
  assert.deepEqual(
    (await tasks()).map(({ closed_reason: reason }) => reason),
    ['in force'],
  )
})

test('a cap is held at the next look also where no limit is sold of any instance', async () => {
  const { subscriptionId, capped, deployed } = await run()
  await seller.db
    .updateTable('subscription_lines')
    .set({ limit_code: null })
    .where('subscription_id', '=', subscriptionId)
    .execute()
  await capped('1')
  const runner = createRunner([])
  const seen = await sampleLimits({ db: seller.db, runner }, [await deployed()], ctx)
  assert.deepEqual(seen, {
    crossed: [encodeId('subscription', subscriptionId)],
    failed: [],
    isWatched: false,
  })
})

const shelf = `
services:
  web: { image: 'web:1', expose: ['8080'], volumes: ['data:/data'] }
volumes: { data: {} }
x-clouder:
  metrics:
    - { code: network, title: Network, unit: MiB, kind: counter, aggregation: sum, source: { type: engine-network } }
    - { code: disk, title: Disk, unit: MiB, kind: gauge, aggregation: max, source: { type: volume-disk, volume: data } }
  limits:
    - { code: traffic, title: Traffic, metric: network, hard: block-ingress }
    - { code: space, title: Space, metric: disk, hard: read-only }
`

/** An instance of which one MiB of traffic is sold, as it is said. */
async function runShelf(code: string, enforcement: 'hard' | 'soft') {
  const { db } = seller
  const application = { compose: shelf, definition: parseApplication({ code, text: shelf }) }
  await insertProduct(db, {
    code,
    name: code,
    billingType: 'threshold',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'MiB',
    basePrice: perUnitPrice('1'),
    currency: 'USD',
    metric: null,
    limitCode: 'traffic',
    applicationIds: [(await saveApplication(db, application)).id],
    terms: { enforcement },
  })
  const subscriptionId = await seller.sell({ product: code, now })
  await moveInstances(db, subscriptionId, 'building', 'running')
  return { subscriptionId, instance: await getDeployedInstance(db, await findInstanceId(db, subscriptionId)) }
}

test('between ticks the metric of a limit that is held from outside is read, and nothing else, and its crossing is found', async () => {
  const hard = await runShelf('shelf-hard', 'hard')
  await runShelf('shelf-soft', 'soft')
  const deps = { db: seller.db, installationKey: { id: 'test', bytes: Buffer.alloc(32, 3) } }
  const asked: string[] = []
  let bytes = 0
  const reading = { metric: 'network', series: 'eth0', unit: 'B', source: 'engine', readAt: now }
  const runner: Runner = {
    ...createDryRunRunner(),
    readMetrics: async ({ definition, instance }) => {
      asked.push(`${instance.instance}: ${definition.metrics.map(({ code }) => code).join()}`)
      return await Promise.resolve({
        readings: [{ ...reading, value: String(bytes) }],
        failures: [],
      })
    },
  }
  const look = async () => await lookAtLimits({ ...deps, runner }, hard.instance.serverId, ctx)
  assert.deepEqual(await look(), { crossed: [], failed: [], isWatched: true })
  bytes = 2 * 2 ** 20
  assert.deepEqual((await look()).crossed, [encodeId('subscription', hard.subscriptionId)])
  assert.deepEqual([...new Set(asked)], [`${hard.instance.planned.instance}: network`])
})

test('between ticks what is only warned of is measured by its own metric, though that is not read then', async () => {
  const { db } = seller
  const { subscriptionId, instance } = await runShelf('shelf-both', 'hard')
  const line = await db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const id = newId()
  const soft = { limit_code: 'space', quantity: '100', terms: { enforcement: 'soft' } }
  await copyRow(db, 'subscription_lines', line.id, { id, first_line_id: id, position: 2, ...soft })
  await noteSoldLimit(db, { instanceId: instance.id, code: 'space', quantity: '100', unit: 'MiB' })
  const of = { instanceId: instance.id, isOpening: false }
  for (const [minute, mebibytes] of [50, 10, 40].entries()) {
    const at = new Date(Date.now() - (10 - minute) * 60_000).toISOString()
    const reading = { metric: 'disk', series: 'data', value: String(mebibytes), unit: 'MiB' }
    await insertReadings(db, { ...of, readAt: at, sampledAt: at }, [reading])
  }
  const runner: Runner = {
    ...createDryRunRunner(),
    readMetrics: async () => Promise.resolve({ readings: [], failures: [] }),
  }
  const deps = { db, runner, installationKey: { id: 'test', bytes: Buffer.alloc(32, 3) } }
  await lookAtLimits(deps, instance.serverId, ctx)
  const { used_quantity: used } = await db
    .selectFrom('limits')
    .select('used_quantity')
    .where('instance_id', '=', instance.id)
    .where('code', '=', 'space')
    .executeTakeFirstOrThrow()
  assert.equal(Number(used), 40)
  const warned = await db
    .selectFrom('usage_warnings')
    .select('threshold')
    .where('subscription_id', '=', subscriptionId)
    .execute()
  assert.deepEqual(warned, [])
})
