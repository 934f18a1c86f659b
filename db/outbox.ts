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

/** Lets the relay start a workflow again that is missing although its row says it should run. */
export async function reopenWorkflowStart(db: Db, workflowId: string): Promise<void> {
  await db.updateTable('outbox').set({ done_at: null }).where('key', '=', workflowId).execute()
}
