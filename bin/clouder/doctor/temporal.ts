import type { Client } from '@temporalio/client'
import { fail, ok, skipped, warn, type Check, type Finding } from './check.ts'
import type { Place } from './place.ts'
import { listServersWithInstances } from '#db/read/operation.ts'
import { getInstallation } from '#db/read/installation.ts'
import { encodeId } from '#domain/identifier.ts'
import { scheduleIds, searchAttributes, taskQueues } from '#workflows/contract.ts'

/** A worker asks for work at least once a minute; twice that, and it is not there. */
const longestPollGapMs = 2 * 60_000
/** The schedule fires each hour. */
const longestRunGapMs = 65 * 60_000
/** `temporal.api.enums.v1.TaskQueueType` */
const queueTypes = { workflow: 1, activity: 2 } as const

export function temporalChecks(place: Place): Check[] {
  const namespace = place.temporalNamespace
  const startAgain = 'npm start'
  const seeWorker = `tail -50 ${place.dataFolder}/logs/worker.log`
  return [
    {
      name: 'Temporal',
      wanted: 'the server answers',
      command: `tail -50 ${place.dataFolder}/logs/temporal.log`,
      look: async () => {
        const { serverVersion } = await (await place.temporal()).workflowService.getSystemInfo({})
        return ok(`server ${serverVersion}`)
      },
    },
    {
      name: 'Temporal namespace',
      wanted: `${namespace} is there`,
      command: `temporal operator namespace create ${namespace}`,
      look: async () => {
        await (await place.temporal()).workflowService.describeNamespace({ namespace })
        return ok(namespace)
      },
    },
    {
      name: 'search attributes',
      wanted: 'all registered: subscriptions are found by them in Temporal’s UI',
      command: `${startAgain}   # registers them first`,
      look: async () => lookAtSearchAttributes(await place.temporal(), namespace),
    },
    {
      name: 'workflow queue',
      wanted: 'a worker asks for workflows and database work',
      command: seeWorker,
      look: async () => {
        const queue = taskQueues.installation(await installationId(place))
        return await lookAtQueue(await place.temporal(), { queue, types: ['workflow', 'activity'] })
      },
    },
    {
      name: 'server queues',
      wanted: 'a worker asks for the Docker work of every server',
      command: seeWorker,
      look: async () => lookAtServerQueues(place),
    },
    {
      name: 'last billing run',
      wanted: 'within the last 65 minutes: it is due each hour',
      command: seeWorker,
      look: async () => lookAtBillingRun(await place.temporal(), await installationId(place)),
    },
  ]
}

async function installationId(place: Place): Promise<string> {
  return encodeId('installation', (await getInstallation(await place.database())).id)
}

async function lookAtSearchAttributes(client: Client, namespace: string): Promise<Finding> {
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace })
  const wanted = Object.values(searchAttributes).map(({ name }) => name)
  const missing = wanted.filter((name) => !(name in (customAttributes ?? {})))
  return missing.length === 0 ? ok(`${wanted.length} registered`) : fail(`missing: ${missing.join(', ')}`)
}

async function lookAtQueue(
  client: Client,
  { queue, types }: { queue: string; types: readonly (keyof typeof queueTypes)[] },
): Promise<Finding> {
  const unpolled: string[] = []
  for (const type of types) {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: queue },
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum is exported to no ES module
      taskQueueType: queueTypes[type],
    })
    const newestMs = Math.max(
      0,
      ...(pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000),
    )
    if (Date.now() - newestMs > longestPollGapMs) unpolled.push(type)
  }
  return unpolled.length === 0
    ? ok(`${queue} is polled`)
    : fail(`${queue}: no worker asks for ${unpolled.join(' or ')} tasks`)
}

async function lookAtServerQueues(place: Place): Promise<Finding> {
  const servers = await listServersWithInstances(await place.database())
  if (servers.length === 0) return skipped('there is no server yet')
  const client = await place.temporal()
  const findings = await Promise.all(
    servers.map(async ({ id, code }) => {
      const queue = taskQueues.server(encodeId('server', id))
      const { state } = await lookAtQueue(client, { queue, types: ['activity'] })
      return { code, isPolled: state === 'ok' }
    }),
  )
  const lost = findings.filter(({ isPolled }) => !isPolled).map(({ code }) => code)
  return lost.length === 0
    ? ok(`${findings.length} polled`)
    : fail(`no worker for ${lost.join(', ')}: its work waits`)
}

async function lookAtBillingRun(client: Client, installation: string): Promise<Finding> {
  const { info, state } = await client.schedule.getHandle(scheduleIds.billingRun(installation)).describe()
  if (state.paused) return fail('the schedule is paused')
  const last = info.recentActions.at(-1)?.takenAt ?? undefined
  const isNew = Date.now() - info.createdAt.getTime() < longestRunGapMs
  if (last === undefined) return isNew ? ok('not due yet') : fail('never')
  const found = last.toISOString()
  return Date.now() - last.getTime() > longestRunGapMs ? warn(found) : ok(found)
}
