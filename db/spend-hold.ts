import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import { spendLimit } from '#domain/limit-hold.ts'
import type { Tx } from './database.ts'
import { insertWorkflowSignal } from './outbox.ts'
import type { Subscription } from './subscription.ts'

/**
 * What a cap stops is a limit of each instance that is reached, as long as one cap of the subscription holds: also of one that is
 * suspended just now, and of one that was made since. Where that changes, its workflow is told, and does what follows. Done again, it
 * changes nothing.
 */
export async function holdInstances(tx: Tx, { id, currency }: Subscription): Promise<void> {
  const { rows } = await sql<{ used_at: string }>`
    with wanted as (select exists (select from spend_caps
      where subscription_id = ${id} and held_since is not null)::int::numeric as used)
    insert into limits (instance_id, code, sold_quantity, unit, used_quantity, used_at)
      select instance.id, ${spendLimit}, 1, ${currency}, wanted.used, clock_timestamp() from instances instance
        cross join wanted
        left join limits standing on standing.instance_id = instance.id and standing.code = ${spendLimit}
      where instance.subscription_id = ${id} and instance.destroyed_at is null
        and coalesce(standing.used_quantity, 0) <> wanted.used
    on conflict (instance_id, code) do update set used_quantity = excluded.used_quantity, used_at = excluded.used_at
    returning used_at`.execute(tx)
  const [changed] = rows
  if (changed === undefined) return
  const workflowId = `subscription/${encodeId('subscription', id)}`
  await insertWorkflowSignal(tx, { workflowId, signal: 'limitCrossed' }, `${spendLimit}/${changed.used_at}`)
}
