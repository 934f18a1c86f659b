import assert from 'node:assert/strict'
import type { Client, WorkflowHandle } from '@temporalio/client'
import { Worker, type WorkflowBundleOption } from '@temporalio/worker'
import { quietTemporal } from '#test/support/workers.ts'

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>
type HistoryEvent = NonNullable<History['events']>[number]

export interface Run {
  readonly workflowId: string
  readonly runId: string
  readonly history: History
  readonly events: readonly HistoryEvent[]
}

/** All runs of a workflow, the first one first: each run but the first names the one it continues. */
export async function readRuns(client: Client, workflowId: string): Promise<Run[]> {
  const runs: Run[] = []
  let runId: string | undefined = (await client.workflow.getHandle(workflowId).describe()).runId
  while (runId) {
    const history: History = await client.workflow.getHandle(workflowId, runId).fetchHistory()
    const events: readonly HistoryEvent[] = history.events ?? []
    runs.unshift({ workflowId, runId, history, events })
    runId = events[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined
  }
  return runs
}

/** A person can read it: it ends, no decision failed, and every activity says what it is for. */
export function checkReadable({ workflowId, events }: Run): void {
  const failed = events.filter((event) => event.workflowTaskFailedEventAttributes)
  assert.deepEqual(failed, [], `${workflowId} has failed workflow tasks`)
  const last = events.at(-1)
  const isEnded =
    last?.workflowExecutionCompletedEventAttributes ?? last?.workflowExecutionContinuedAsNewEventAttributes
  assert.ok(isEnded, `${workflowId} ends`)
  for (const event of events.filter((one) => one.activityTaskScheduledEventAttributes)) {
    assert.ok(
      event.userMetadata?.summary,
      `${workflowId}: event ${String(event.eventId)} says what it is for`,
    )
  }
}

/** Which calls were tried more than once, by `<workflow id>/<run id>/<activity id>`. */
export function retriedCalls({ workflowId, runId, events }: Run): string[] {
  const activityIds = new Map(
    events.map((event) => [
      String(event.eventId),
      event.activityTaskScheduledEventAttributes?.activityId ?? '',
    ]),
  )
  return events
    .map((event) => event.activityTaskStartedEventAttributes)
    .filter((started) => (started?.attempt ?? 1) > 1)
    .map((started) => `${workflowId}/${runId}/${activityIds.get(String(started?.scheduledEventId))}`)
}

let replayed: Promise<void> = Promise.resolve()

/** The code of today decides the same again, event by event. */
export async function replay(runs: readonly Run[], workflowBundle: WorkflowBundleOption): Promise<void> {
  // One after the other: Temporal's runtime ends with its last worker, and a worker made in that moment has none.
  const turn = replayed.then(async () => await replayNow(runs, workflowBundle))
  replayed = turn.catch(() => {})
  await turn
}

async function replayNow(runs: readonly Run[], workflowBundle: WorkflowBundleOption): Promise<void> {
  quietTemporal()
  const histories = runs.map(({ workflowId, history }) => ({ workflowId, history }))
  const results = Worker.runReplayHistories({ workflowBundle }, histories)
  for await (const { workflowId, error } of results) assert.equal(error, undefined, `${workflowId} replays`)
}
