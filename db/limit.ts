import type { Enforcement } from '#domain/terms.ts'
import type { Db } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'

export interface LimitCommandRow {
  readonly command: readonly string[]
  readonly exitCode: number
  readonly answer: string
  readonly durationMs: number
}

/** Writes what was sent to an instance, what it answered, and the value read back; then what is sold and in force. */
export async function recordLimit(
  db: Db,
  limit: {
    instanceId: string
    code: string
    quantity: string
    unit?: string | undefined
    enforcement?: Enforcement | undefined
    inForce: number | null
    commands: readonly LimitCommandRow[]
  },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const command of limit.commands) {
      await tx
        .insertInto('limit_commands')
        .values({
          id: newId(),
          instance_id: limit.instanceId,
          limit_code: limit.code,
          quantity: limit.quantity,
          command: [...command.command],
          exit_code: command.exitCode,
          answer: command.answer.slice(0, 2_000),
          read_back: limit.inForce === null ? null : String(limit.inForce),
          duration_ms: command.durationMs,
        })
        .execute()
    }
    const sold = {
      sold_quantity: limit.quantity,
      ...(limit.unit === undefined ? {} : { unit: limit.unit }),
      ...(limit.enforcement === undefined ? {} : { enforcement: limit.enforcement }),
      ...(limit.inForce === null
        ? {}
        : { in_force_quantity: String(limit.inForce), in_force_at: new Date().toISOString() }),
    }
    await tx
      .insertInto('limits')
      .values({
        instance_id: limit.instanceId,
        code: limit.code,
        in_force_quantity: null,
        in_force_at: null,
        ...sold,
      })
      .onConflict((conflict) => conflict.columns(['instance_id', 'code']).doUpdateSet(sold))
      .execute()
    // What is only warned of is set nowhere.
    if (limit.enforcement === 'soft') return
    const owner = await tx
      .selectFrom('instances')
      .innerJoin('subscriptions', 'subscriptions.id', 'instances.subscription_id')
      .select(['subscriptions.id', 'customer_id'])
      .where('instances.id', '=', limit.instanceId)
      .executeTakeFirstOrThrow()
    await insertEvent(tx, {
      kind: limit.inForce === null ? 'limit.refused' : 'limit.applied',
      customerId: owner.customer_id,
      subscriptionId: owner.id,
      data: {
        limit: limit.code,
        quantity: limit.quantity,
        in_force: limit.inForce,
        answer: limit.commands.at(0)?.answer.slice(0, 200) ?? null,
      },
    })
  })
}
