import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import { insertWorkflowStart } from './outbox.ts'
import { getInstallation } from './read/installation.ts'

/** Each kind of row has a workflow as long as its row says; names are those of `workflows/contract.ts`. */
type LastingKind = 'deployer' | 'peer' | 'subscription' | 'webhook'

interface LastingRow {
  readonly kind: LastingKind
  readonly id: string
}

export function lastingWorkflowId({ kind, id }: LastingRow): string {
  return `${kind}/${encodeId(kind, id)}`
}

/** Has the workflow of a row started, in the transaction that makes it one. An order says more of its subscriptions, and does it itself. */
export async function startLastingWorkflow(
  tx: Tx,
  row: LastingRow & { readonly kind: Exclude<LastingKind, 'subscription'> },
  start: {
    readonly summary: string
    readonly details: string
    /** What it is told beside the id of its row. */
    readonly input?: Readonly<Record<string, unknown>>
  },
): Promise<void> {
  const { id: installationId } = await getInstallation(tx)
  const { summary, details, input } = start
  await insertWorkflowStart(tx, {
    workflow: row.kind,
    workflowId: lastingWorkflowId(row),
    taskQueue: `installation/${encodeId('installation', installationId)}`,
    args: [{ [`${row.kind}Id`]: encodeId(row.kind, row.id), ...input }],
    keywords: {},
    summary,
    details,
  })
}

/** A row that was made before this is old enough that the relay had its turn. */
export function relayedBefore(): string {
  return new Date(Date.now() - 60_000).toISOString()
}

/**
 * Ids of the workflows that shall run now, of rows that are old enough that the relay had its turn. A halted peer and a disabled webhook
 * have nothing to do: theirs are missed once they go on.
 */
export async function listLastingWorkflows(db: Db): Promise<string[]> {
  const relayed = relayedBefore()
  const { rows } = await sql<LastingRow>`
    select 'subscription' as kind, id from subscriptions where phase <> 'ended' and created_at < ${relayed}
    union all select 'peer', id from peers where state = 'active' and paired_at < ${relayed}
    union all select 'webhook', id from webhooks where state = 'enabled' and created_at < ${relayed}
    union all select 'deployer', id from deployers where created_at < ${relayed}
    order by kind, id`.execute(db)
  return rows.map(lastingWorkflowId)
}
