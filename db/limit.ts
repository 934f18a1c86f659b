import Big from 'big.js'
import { sql } from 'kysely'
import type { Enforcement } from '#domain/terms.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { settleInForce } from './limit-in-force.ts'
import { keyOfLimit, type SoldLimit } from './sold-limit.ts'

export interface LimitCommandRow {
  readonly command: readonly string[]
  readonly exitCode: number
  readonly answer: string
  readonly durationMs: number
}

interface SoldNow {
  readonly instanceId: string
  readonly code: string
  readonly quantity: string
  readonly unit?: string | undefined
  readonly enforcement?: Enforcement | undefined
}

/** Null: nothing is. */
interface InForce extends SoldNow {
  readonly inForce: number | null
}

/** Writes what was sent to an instance, what it answered, and the value read back; then what is sold and in force. */
export async function recordLimit(
  db: Db,
  limit: InForce & { readonly commands: readonly LimitCommandRow[] },
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
    await writeSold(tx, limit)
    await settleInForce(tx, limit.instanceId)
    // What is only warned of is set nowhere.
    if (limit.enforcement !== 'soft') await tell(tx, limit, limit.commands.at(0)?.answer)
  })
}

/** Writes what is sold of a limit that is not set now: what is in force stays what it was. Said again, it is the same row. */
export async function noteSoldLimit(db: Db, limit: SoldNow): Promise<void> {
  await writeSold(db, { ...limit, inForce: null })
}

async function writeSold(db: Db, limit: InForce): Promise<void> {
  const sold = {
    sold_quantity: limit.quantity,
    ...(limit.unit === undefined ? {} : { unit: limit.unit }),
    ...(limit.enforcement === undefined ? {} : { enforcement: limit.enforcement }),
    ...(limit.inForce === null
      ? {}
      : {
          in_force_quantity: String(limit.inForce),
          in_force_at: new Date().toISOString(),
          not_in_force_since: null,
        }),
    // What is only warned of is set nowhere.
    ...(limit.enforcement === 'soft' ? { not_in_force_since: null } : {}),
  }
  await db
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
}

async function tell(tx: Tx, limit: InForce, answer: string | undefined): Promise<void> {
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
      answer: answer?.slice(0, 200) ?? null,
    },
  })
}

/** Those of some sold limits that are in force otherwise than they are sold. */
export async function listNotInForce<Sold extends SoldNow>(
  db: Db,
  instanceId: string,
  sold: readonly Sold[],
): Promise<Sold[]> {
  const rows = await db
    .selectFrom('limits')
    .select(['code', 'in_force_quantity'])
    .where('instance_id', '=', instanceId)
    .execute()
  const inForce = new Map(rows.map((row) => [row.code, row.in_force_quantity]))
  return sold.filter(({ code, quantity }) => {
    const value = inForce.get(code)
    return value == null || Number(value) !== Number(quantity)
  })
}

/**
 * Those of some sold limits that were set last otherwise than they are sold, or never, and those that are to be set again. Of these
 * left out is what was not in force at an instant already: the sampler tries it from then on.
 */
export async function listToSet<Of extends { readonly limit: SoldLimit }>(
  db: Db,
  sold: readonly Of[],
  lostSince: string,
): Promise<Of[]> {
  const rows = await db
    .selectFrom('limits')
    .select(['instance_id', 'code', 'sold_quantity', 'not_in_force_since'])
    .where('instance_id', '=', sql<string>`any(${sold.map(({ limit }) => limit.instanceId)}::uuid[])`)
    .execute()
  const known = new Map(rows.map((row) => [keyOfLimit({ instanceId: row.instance_id, code: row.code }), row]))
  return sold.filter(({ limit }) => {
    const row = known.get(keyOfLimit(limit))
    if (row === undefined || !new Big(row.sold_quantity).eq(limit.quantity)) return true
    const since = row.not_in_force_since
    return since !== null && Date.parse(since) > Date.parse(lostSince)
  })
}
