import { sql } from 'kysely'
import { peerSignals } from '#domain/peer-message.ts'
import type { Db } from './database.ts'
import { lastingWorkflowId, relayedBefore } from './lasting-workflow.ts'
import { signalPeer } from './peer-signal.ts'
import { wakeWebhook } from './webhook.ts'

interface AwakeRow {
  readonly kind: 'peer' | 'webhook'
  readonly id: string
  readonly workflowId: string
}

/** Rows that say that their workflow is at work, so that nobody tells it of what comes; old enough that the relay had its turn. */
export async function listAwakeRows(db: Db): Promise<AwakeRow[]> {
  const relayed = relayedBefore()
  const { rows } = await sql<Omit<AwakeRow, 'workflowId'>>`
    select 'peer' as kind, id from peers where state = 'active' and is_awake and paired_at < ${relayed}
    union all select 'webhook', id from webhooks where state = 'enabled' and is_awake and created_at < ${relayed}
    order by kind, id`.execute(db)
  return rows.map((row) => ({ ...row, workflowId: lastingWorkflowId(row) }))
}

/** Has the workflow told that something waits. One that finds nothing sleeps again, and its row says so. */
export async function wakeAgain(db: Db, { kind, id }: AwakeRow): Promise<void> {
  const occasion = `again/${new Date().toISOString()}`
  await db.transaction().execute(async (tx) => {
    if (kind === 'webhook') await wakeWebhook(tx, id, occasion)
    else await signalPeer(tx, id, peerSignals.messagesWait, occasion)
  })
}
