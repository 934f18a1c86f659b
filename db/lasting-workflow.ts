import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import type { Db } from './database.ts'

interface LastingRow {
  readonly kind: 'deployer' | 'peer' | 'subscription' | 'webhook'
  readonly id: string
}

/**
 * Ids of the workflows that shall run now, of rows that are old enough that the relay had its turn. A halted peer and a disabled webhook
 * have nothing to do: theirs are missed once they go on. Names are those of `workflows/contract.ts`.
 */
export async function listLastingWorkflows(db: Db): Promise<string[]> {
  const aMinuteAgo = new Date(Date.now() - 60_000).toISOString()
  const { rows } = await sql<LastingRow>`
    select 'subscription' as kind, id from subscriptions where phase <> 'ended' and created_at < ${aMinuteAgo}
    union all select 'peer', id from peers where state = 'active' and paired_at < ${aMinuteAgo}
    union all select 'webhook', id from webhooks where state = 'enabled' and created_at < ${aMinuteAgo}
    union all select 'deployer', id from deployers where created_at < ${aMinuteAgo}
    order by kind, id`.execute(db)
  return rows.map(({ kind, id }) => `${kind}/${encodeId(kind, id)}`)
}
