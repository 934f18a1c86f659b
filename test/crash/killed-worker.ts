import { AsyncLocalStorage } from 'node:async_hooks'
import { Context } from '@temporalio/activity'
import type { KyselyPlugin, QueryId, TransactionBuilder } from 'kysely'
import { openDatabase, type Database, type Db } from '#db/database.ts'
import type { Runner } from '#domain/runner.ts'
import { startWorkers, type AnyActivities, type TestInstallationFacts } from '#test/support/workers.ts'
import { createDeath, type Call, type Crash, type CrashPoint } from './crash-point.ts'

/** One for each life; all of them are the argument of this process. */
export interface KilledWorkerOrder {
  readonly facts: TestInstallationFacts
  readonly journalFile: string
  readonly points: readonly CrashPoint[]
  /** Where its installation is reached, where that matters. */
  readonly consoleUrl?: string
}

function currentCall(): Call {
  const { activityType, activityId, workflowExecution } = Context.current().info
  const { workflowId, runId } = workflowExecution ?? { workflowId: '', runId: '' }
  return { activity: activityType, identity: `${workflowId}/${runId}/${activityId}` }
}

function crashAround<Activities extends AnyActivities>(activities: Activities, crash: Crash): Activities {
  const wrapped = Object.entries(activities).map(([name, activity]) => {
    const crashing = async (input: never): Promise<unknown> => {
      await crash.reach(currentCall(), 'before')
      const result = await activity(input)
      await crash.reach(currentCall(), 'after')
      return result
    }
    return [name, crashing] as const
  })
  return Object.fromEntries(wrapped) as Activities
}

/** The engine has done what it was asked; its answer goes nowhere. */
function crashBehind(runner: Runner, crash: Crash): Runner {
  return new Proxy(runner, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        const result: unknown = await value.apply(target, args)
        await crash.reach(currentCall(), 'in')
        return result
      }
    },
  })
}

const writes = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode'])

/** Tells of every commit: of a transaction, and of a statement that stands alone. */
function watchCommits(db: Db, onCommit: () => Promise<void>): Db {
  const transactions = new AsyncLocalStorage<true>()
  const written = new WeakSet<QueryId>()
  const plugin: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      if (writes.has(node.kind)) written.add(queryId)
      return node
    },
    async transformResult({ result, queryId }) {
      if (written.has(queryId) && !transactions.getStore()) await onCommit()
      return result
    },
  }
  const transaction = (target: Db) => (): Pick<TransactionBuilder<Database>, 'execute'> => ({
    async execute(work) {
      const result = await transactions.run(true, async () => await target.transaction().execute(work))
      await onCommit()
      return result
    },
  })
  return new Proxy(db.withPlugin(plugin), {
    get(target, key) {
      if (key === 'transaction') return transaction(target)
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** What a server's activity does is done on its engine: its rows only tell of it. */
function isOnServer(): boolean {
  return Context.current().info.taskQueue.startsWith('server/')
}

async function serve(order: KilledWorkerOrder, crash: Crash): Promise<void> {
  const db = watchCommits(openDatabase(order.facts.databaseUrl), async () => {
    if (!isOnServer()) await crash.reach(currentCall(), 'in')
  })
  await startWorkers(db, order.facts, {
    wrapRunner: (runner) => crashBehind(runner, crash),
    wrapActivities: (activities) => crashAround(activities, crash),
    // Killed again and again, nobody is there to set a limit within the minute after which a person is told.
    limitPatienceMs: 3_600_000,
    // It is started some hundred times, and dies in its activities.
    hasWorkflowThread: false,
    ...(order.consoleUrl === undefined ? {} : { consoleUrl: order.consoleUrl }),
  })
}

const orders: KilledWorkerOrder[] = JSON.parse(process.argv[2] ?? '')
const death = createDeath()
// Each is known before the first one can die.
const armed = orders.map((order) => ({ order, crash: death.arm(order.points, order.journalFile) }))
await Promise.all(armed.map(async ({ order, crash }) => await serve(order, crash)))
