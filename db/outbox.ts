import { sql } from 'kysely'
import type { Db } from './database.ts'

/** A workflow to start, written with the rows that need it: no row without its workflow, and none twice. */
export interface WorkflowStart {
  readonly workflow: string
  readonly workflowId: string
  readonly taskQueue: string
  readonly args: readonly unknown[]
  /** Keyword search attributes by name: public ids only. */
  readonly keywords: Readonly<Record<string, string>>
  readonly summary: string
  readonly details: string
}

/** The workflow's id is the key: a second row for the same start is the same row. */
export async function insertWorkflowStart(db: Db, start: WorkflowStart): Promise<void> {
  await db
    .insertInto('outbox')
    .values({
      kind: 'start_workflow',
      key: start.workflowId,
      payload: JSON.stringify(start),
      last_error: null,
      done_at: null,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
}

/** A fact that a workflow is told, written with the rows that make it one. */
export interface WorkflowSignal {
  readonly workflowId: string
  readonly signal: string
}

/**
 * A workflow is told a fact once: a second row for it is the same row.
 * @param occasion tells facts apart that are told by one signal
 */
export async function insertWorkflowSignal(
  db: Db,
  { workflowId, signal }: WorkflowSignal,
  occasion?: string,
): Promise<void> {
  await db
    .insertInto('outbox')
    .values({
      kind: 'signal_workflow',
      key: [workflowId, signal, ...(occasion === undefined ? [] : [occasion])].join('/'),
      payload: JSON.stringify({ workflowId, signal }),
      last_error: null,
      done_at: null,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
}

/** Lets the relay start a workflow again that is missing although its row says it should run. */
export async function reopenWorkflowStart(db: Db, workflowId: string): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ done_at: null, try_after: sql<string>`now()` })
    .where('key', '=', workflowId)
    .execute()
}

export type ClaimedRow = { readonly id: number } & (
  | { readonly kind: 'start_workflow'; readonly start: WorkflowStart }
  | { readonly kind: 'signal_workflow'; readonly signal: WorkflowSignal }
)

/** Longer than a start may take: a process that dies with a claimed row leaves it to the next one after this. */
const claimSeconds = 15
const longestBackoffSeconds = 30

/** Takes waiting rows, oldest first, for a while. Two relays at once take different ones. */
export async function claimOutboxRows(db: Db, limit: number): Promise<ClaimedRow[]> {
  const rows = await db
    .updateTable('outbox')
    .set({
      attempts: sql<number>`attempts + 1`,
      try_after: sql<string>`now() + make_interval(secs => ${claimSeconds})`,
    })
    .where('id', 'in', (waiting) =>
      waiting
        .selectFrom('outbox')
        .select('id')
        .where('done_at', 'is', null)
        .where('try_after', '<=', sql<string>`now()`)
        .orderBy('id')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning(['id', 'kind', 'payload'])
    .execute()
  return rows.map(({ id, kind, payload }) =>
    kind === 'start_workflow'
      ? { id, kind, start: payload as WorkflowStart }
      : { id, kind, signal: payload as WorkflowSignal },
  )
}

export async function finishOutboxRow(db: Db, id: number): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ done_at: sql<string>`now()`, last_error: null })
    .where('id', '=', id)
    .execute()
}

/** Leaves the row for later, each time longer, at most half a minute: an engine that comes back is noticed soon. */
export async function failOutboxRow(db: Db, id: number, error: string): Promise<void> {
  await db
    .updateTable('outbox')
    .set({
      last_error: error,
      try_after: sql<string>`now() + make_interval(secs => least(power(2, least(attempts - 1, 10)), ${longestBackoffSeconds}))`,
    })
    .where('id', '=', id)
    .execute()
}
