import type { Db } from './database.ts'
import { newId } from './identifier.ts'

export interface NewTask {
  readonly kind:
    | 'bill_failed'
    | 'build_failed'
    | 'change_requested'
    | 'change_unfit'
    | 'deployer_unreachable'
    | 'deployment_parked'
    | 'metric_failed'
    | 'unbuild_failed'
    | 'limit_not_in_force'
    | 'limit_refused'
    | 'link_lost'
    | 'document_parked'
    | 'instance_drift'
    | 'invoice_disputed'
    | 'repair_failed'
    | 'repair_stopped'
    | 'replacement_failed'
    | 'order_acceptance'
    | 'peer_halted'
    | 'peer_message_refused'
    | 'peer_outdated'
    | 'peer_refuses'
    | 'peer_unreachable'
    | 'order_review'
    | 'refund_due'
    | 'restore_failed'
    | 'resume_failed'
    | 'server_unreachable'
    | 'subnets_nearly_exhausted'
    | 'supplier_invoice_disputed'
    | 'supplier_invoice_missing'
    | 'tax_id_unverified'
    | 'tax_service_away'
    | 'usage_unwatched'
    | 'webhook_disabled'
  readonly subjectKind:
    | 'change_request'
    | 'subscription'
    | 'document'
    | 'instance'
    | 'invoice'
    | 'customer'
    | 'order'
    | 'installation'
    | 'server'
    | 'peer'
    | 'deployer'
    | 'supplier_invoice'
    | 'missing_supplier_invoice'
    | 'webhook'
  readonly subjectId: string
  /** One line for a list. */
  readonly subject: string
  /** What happened and what to do. */
  readonly detail: string
}

/** Opens a task, or brings the open one of the same cause up to date: a parked thing has exactly one. */
export async function openTask(db: Db, task: NewTask): Promise<void> {
  await db
    .insertInto('tasks')
    .values({
      id: newId(),
      kind: task.kind,
      subject_kind: task.subjectKind,
      subject_id: task.subjectId,
      subject: task.subject,
      detail: task.detail,
      closed_at: null,
      closed_reason: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['kind', 'subject_kind', 'subject_id'])
        .where('closed_at', 'is', null)
        .doUpdateSet({ subject: task.subject, detail: task.detail }),
    )
    .execute()
}

/** Closes a subject's open tasks of the kinds whose cause is gone; the others stay. */
export async function closeTasks(
  db: Db,
  subject: { kind: NewTask['subjectKind']; id: string; reason: string },
  of: readonly NewTask['kind'][],
): Promise<void> {
  await db
    .updateTable('tasks')
    .set({ closed_at: new Date().toISOString(), closed_reason: subject.reason })
    .where('subject_kind', '=', subject.kind)
    .where('subject_id', '=', subject.id)
    .where('kind', 'in', of)
    .where('closed_at', 'is', null)
    .execute()
}

/** Subjects that have an open task of a kind, with its kind. */
export async function listOpenTasks(
  db: Db,
  of: readonly NewTask['kind'][],
): Promise<{ kind: string; subjectId: string }[]> {
  const rows = await db
    .selectFrom('tasks')
    .select(['kind', 'subject_id'])
    .where('kind', 'in', of)
    .where('closed_at', 'is', null)
    .execute()
  return rows.map((row) => ({ kind: row.kind, subjectId: row.subject_id }))
}

export async function hasOpenTask(db: Db, kind: NewTask['kind'], subjectId: string): Promise<boolean> {
  const open = await listOpenTasks(db, [kind])
  return open.some((task) => task.subjectId === subjectId)
}
