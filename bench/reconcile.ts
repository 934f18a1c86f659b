import { sql } from 'kysely'
import type { ServerDependencies } from '#activities/dependencies.ts'
import { compareWithEngine } from '#activities/server-comparison.ts'
import { reconcileServer } from '#activities/server-reconcile.ts'
import { readInstallationKey } from '#bin/installation-key.ts'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { listDeployedInstances } from '#db/instance.ts'
import { createDryRunRunner } from '#docker/dry-run.ts'
import { planBuild, type UndoableStep } from '#domain/build-plan.ts'
import { isUndoable, keyOf } from '#domain/finding.ts'
import type { ObservedObject } from '#domain/runner.ts'
import type { BenchContext } from './support/benchmark.ts'
import { startInstallation } from './support/installation.ts'
import type { Measurement } from './support/measurement.ts'
import { populate } from './support/population.ts'

/** Of these, nine of a hundred have ended: 1,001 live instances of one container each. */
const subscriptions = 1_100
const repetitions = 20
const limitMs = 2_000

/**
 * A whole server against its rows, as it is done every minute. The engine is a recorded one: what it would list is answered from
 * memory, so that neither a thousand containers nor another engine's speed is measured. Rows are read and written.
 */
export async function measureReconcile(ctx: BenchContext): Promise<Measurement[]> {
  const { db, serverId } = await startInstallation(ctx.platform, {
    ...ctx,
    name: 'reconcile',
    hasWorker: false,
  })
  await populate(db, subscriptions)
  const objects = await recordPlanned(db, serverId)
  const containers = objects.filter(({ kind }) => kind === 'container').length
  const scope = { serverId, instanceIds: null }
  const sound = await measure(async () => {
    const { checked, drift, orphans } = await reconcileServer(
      recorded(ctx, db, objects),
      scope,
      runnerContext,
    )
    if (checked !== containers || drift.length + orphans.length > 0)
      throw new Error(`${checked} of ${containers} compared, drift: ${drift.slice(0, 3).join(', ')}`)
  })
  const stopped = await measure(async () => {
    const deps = recorded(ctx, db, objects.map(stop))
    const { findings } = await compareWithEngine(deps, scope, runnerContext)
    if (findings.length < containers * 0.9) throw new Error(`${findings.length} of ${containers} found`)
  })
  ctx.note(`${containers} containers, ${objects.length} objects`)
  const against = { kind: 'limit', title: 'limit', values: [limitMs] } as const
  const aim = { ratioAtMost: 1 }
  return [
    { measure: `Reconcile, ${containers} containers as wanted`, unit: 'ms', values: sound, against, aim },
    { measure: 'the same, every one stopped', unit: 'ms', values: stopped, against, aim },
  ]
}

const runnerContext = { abortSignal: new AbortController().signal, onProgress: () => undefined, secrets: {} }

async function measure(compare: () => Promise<void>): Promise<number[]> {
  const durationsMs: number[] = []
  for (let turn = 0; turn < repetitions; turn += 1) {
    const startedMs = performance.now()
    await compare()
    durationsMs.push(performance.now() - startedMs)
  }
  return durationsMs
}

/** Nothing but looking is asked of it: a repair would find an empty server. */
function recorded(ctx: BenchContext, db: Db, objects: readonly ObservedObject[]): ServerDependencies {
  return {
    db,
    runner: { ...createDryRunRunner(), observeServer: () => Promise.resolve(objects) },
    installationKey: readInstallationKey(ctx.platform.data.keyFile),
  }
}

/** Writes the rows of what the plan of every live instance makes, and returns it as an engine would list it. */
async function recordPlanned(db: Db, serverId: string): Promise<ObservedObject[]> {
  const instances = await listDeployedInstances(db, { serverId, states: ['running', 'suspended'] })
  const made = instances.flatMap(({ id, state, definition, planned }) =>
    planBuild(definition, planned)
      .filter(isUndoable)
      .map((step) => ({ instanceId: id, object: observe(step, state === 'running') })),
  )
  await sql`delete from resources`.execute(db)
  const rows = made.map(({ instanceId, object: { kind, name, externalId } }) => ({
    id: newId(),
    instance_id: instanceId,
    server_id: serverId,
    kind,
    name,
    external_id: externalId,
  }))
  await sql`
    insert into resources (id, instance_id, server_id, kind, name, external_id)
    select * from json_to_recordset(${JSON.stringify(rows)}::json)
      as made (id uuid, instance_id uuid, server_id uuid, kind text, name text, external_id text)`.execute(db)
  await sql`analyze`.execute(db)
  // A network is that of a whole environment, and is listed once.
  return [...new Map(made.map(({ object }) => [keyOf(object), object])).values()]
}

function observe({ kind, name, labels, ...step }: UndoableStep, isRunning: boolean): ObservedObject {
  const externalId = `id-of-${name}`
  if (kind !== 'container') return { kind, name, labels, externalId, container: null }
  const container = {
    service: 'service' in step ? step.service : '',
    name,
    externalId,
    state: isRunning ? 'running' : 'exited',
    health: 'none',
    exitCode: null,
    restartCount: 0,
    isJob: false,
    imageDigest: 'sha256:1',
    hostPort: null,
    startedAt: null,
    differences: [],
  } as const
  return { kind, name, labels, externalId, container }
}

function stop(object: ObservedObject): ObservedObject {
  if (object.container === null) return object
  return { ...object, container: { ...object.container, state: 'exited', exitCode: 137 } }
}
