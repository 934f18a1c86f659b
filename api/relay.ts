import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client'
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  TypedSearchAttributes,
  type SearchAttributePair,
} from '@temporalio/common'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '#db/database.ts'
import {
  claimOutboxRows,
  failOutboxRow,
  finishOutboxRow,
  type ClaimedRow,
  type WorkflowSignal,
  type WorkflowStart,
} from '#db/outbox.ts'
import { wakeWebhooks } from '#db/webhook-delivery.ts'
import { messageOf } from '#domain/errors.ts'
import type { ApiLog } from './dependencies.ts'

export interface Relay {
  readonly db: Db
  readonly client: Client
}

const batchSize = 20
const startDeadlineMs = 5_000

/**
 * Starts the workflows whose rows wait, and tells others what they wait for. A row is claimed for a while, not locked: the start lies outside any
 * transaction, and a process that dies in between leaves the row to the next one. The workflow's id is the business
 * key, so a second start is the same workflow; a fact that is told twice is the same fact.
 * @returns how many rows were done
 */
export async function dispatchOutbox(relay: Relay): Promise<number> {
  const claimed = await claimOutboxRows(relay.db, batchSize)
  const done = await Promise.all(claimed.map(async (row) => dispatch(relay, row)))
  return done.filter(Boolean).length
}

async function dispatch(relay: Relay, row: ClaimedRow): Promise<boolean> {
  try {
    if (row.kind === 'start_workflow') await startWorkflow(relay.client, row.start)
    else await signalWorkflow(relay.client, row.signal)
  } catch (error) {
    await failOutboxRow(relay.db, row.id, messageOf(error))
    return false
  }
  await finishOutboxRow(relay.db, row.id)
  return true
}

/** A round: what was written for webhooks since the last one is told as well. @returns how many rows were done */
export async function relayOnce(relay: Relay): Promise<number> {
  await wakeWebhooks(relay.db)
  return await dispatchOutbox(relay)
}

/** A workflow that runs already, or has run to its end, was started: nothing is left to do. */
async function startWorkflow(client: Client, start: WorkflowStart): Promise<void> {
  try {
    await client.withDeadline(Date.now() + startDeadlineMs, async () =>
      client.workflow.start(start.workflow, {
        workflowId: start.workflowId,
        taskQueue: start.taskQueue,
        args: [...start.args],
        // One that was terminated or failed may be started again; one that ended well is done.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
        workflowIdConflictPolicy: 'USE_EXISTING',
        typedSearchAttributes: new TypedSearchAttributes(keywordPairs(start.keywords)),
        staticSummary: start.summary,
        staticDetails: start.details,
      }),
    )
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}

/**
 * A workflow that has ended needs to be told nothing. One that is not there yet is told later: its start waits in a row of
 * its own.
 */
async function signalWorkflow(client: Client, { workflowId, signal }: WorkflowSignal): Promise<void> {
  const handle = client.workflow.getHandle(workflowId)
  await client.withDeadline(Date.now() + startDeadlineMs, async () => {
    try {
      await handle.signal(signal)
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error
      await handle.describe()
    }
  })
}

function keywordPairs(keywords: Readonly<Record<string, string>>): SearchAttributePair[] {
  return Object.entries(keywords).map(([name, value]) => ({
    key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
    value,
  }))
}

/**
 * Looks for waiting rows until it is told to stop; what a request could not start at once is started here.
 * @returns how to stop it; resolves when the round under way has ended
 */
export function runRelay(relay: Relay, options: { intervalMs: number; log: ApiLog }): () => Promise<void> {
  const stopping = new AbortController()
  const loop = async () => {
    while (!stopping.signal.aborted) {
      const done = await relayOnce(relay).catch((error: unknown) => {
        options.log.warn({ err: error }, 'the outbox could not be read')
        return 0
      })
      if (done < batchSize)
        await sleep(options.intervalMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const ended = loop()
  return async () => {
    stopping.abort()
    await ended
  }
}
