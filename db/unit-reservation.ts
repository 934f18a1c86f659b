import Big from 'big.js'
import { sql, type Selectable } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { isLimitReached } from '#domain/limit-use.ts'
import { within, type Db, type Tx } from './database.ts'
import { newId } from './identifier.ts'
import { getDeployedInstance } from './instance.ts'
import { insertWorkflowSignal } from './outbox.ts'
import { keyOfLimit, type SoldLimit } from './sold-limit.ts'
import type { UnitReservationsTable } from './tables/build.ts'
import { listFitting } from './waiting-decision.ts'

/** A reservation is nobody's again, where nobody has confirmed it after so long. */
const unconfirmedSeconds = 60

export type UnitReservationRow = Selectable<UnitReservationsTable> & { readonly is_expired: boolean }

export interface AskedUnits {
  readonly instanceId: string
  readonly code: string
  readonly quantity: string
  readonly reference: string | null
  readonly actor: string
}

/** A limit whose units Clouder hands out, with what is taken of it. */
export interface HandedOut {
  readonly subscriptionId: string
  readonly instanceId: string
  readonly code: string
  readonly sold: string
  readonly taken: string
  readonly unit: string | null
  readonly isSoft: boolean
  readonly isReached: boolean
}

/**
 * Takes units of a limit for a minute: all that are asked for, or none. Of two that want the last one, one waits for the other here.
 * @throws `limit_reached`, `limit_unknown`, `action_not_allowed` for what has ended, `not_found`
 */
export async function reserveUnits(db: Db, asked: AskedUnits): Promise<UnitReservationRow> {
  return await within(db, async (tx) => await reserveIn(tx, asked))
}

async function reserveIn(tx: Tx, asked: AskedUnits): Promise<UnitReservationRow> {
  const limit = await lockHandedOut(tx, asked)
  refuseBeyond(limit, asked.quantity)
  await forgetExpired(tx, asked)
  const id = newId()
  await tx
    .insertInto('unit_reservations')
    .values({
      id,
      instance_id: asked.instanceId,
      limit_code: asked.code,
      quantity: asked.quantity,
      reference: asked.reference,
      reserved_by: asked.actor,
      expires_at: sql<string>`now() + make_interval(secs => ${unconfirmedSeconds})`,
    })
    .execute()
  await noteTaken(tx, limit, `${id}/reserved`)
  return await getUnitReservation(tx, id)
}

/** What nobody has confirmed for a day goes: whoever asks without an end would make each count of what is taken slower. */
async function forgetExpired(
  tx: Tx,
  { instanceId, code }: Pick<AskedUnits, 'instanceId' | 'code'>,
): Promise<void> {
  await tx
    .deleteFrom('unit_reservations')
    .where('instance_id', '=', instanceId)
    .where('limit_code', '=', code)
    .where('released_at', 'is', null)
    .where('confirmed_at', 'is', null)
    .where('expires_at', '<', sql<string>`now() - interval '1 day'`)
    .execute()
}

/**
 * Makes a reservation last until it is released. One that has expired is taken anew, where there is still room.
 * @throws `limit_reached`, `action_not_allowed` once it is released, `not_found`
 */
export async function confirmUnits(db: Db, id: string): Promise<UnitReservationRow> {
  return await within(db, async (tx) => await confirmIn(tx, id))
}

async function confirmIn(tx: Tx, id: string): Promise<UnitReservationRow> {
  const { limit, row } = await lockReservation(tx, id)
  if (row.released_at !== null) throw new BusinessError('action_not_allowed', 'It was released already.')
  if (row.confirmed_at !== null) return row
  // What is taken has this one in it, unless it has expired; fewer may have been sold meanwhile.
  const others = row.is_expired ? limit.taken : new Big(limit.taken).minus(row.quantity).toFixed()
  refuseBeyond({ ...limit, taken: others }, row.quantity)
  await tx
    .updateTable('unit_reservations')
    .set({ confirmed_at: sql<string>`now()` })
    .where('id', '=', id)
    .execute()
  await noteTaken(tx, limit, `${id}/confirmed`)
  return await getUnitReservation(tx, id)
}

/** Gives units back; released again, nothing changes. @throws `not_found` */
export async function releaseUnits(db: Db, id: string): Promise<UnitReservationRow> {
  return await within(db, async (tx) => await releaseIn(tx, id))
}

async function releaseIn(tx: Tx, id: string): Promise<UnitReservationRow> {
  const { limit, row } = await lockReservation(tx, id)
  if (row.released_at !== null) return row
  await tx
    .updateTable('unit_reservations')
    .set({ released_at: sql<string>`now()` })
    .where('id', '=', id)
    .execute()
  await noteTaken(tx, limit, `${id}/released`)
  return await getUnitReservation(tx, id)
}

/** Whoever reserves, confirms or releases of one limit does so after the other. */
async function lockReservation(tx: Tx, id: string) {
  const { instance_id: instanceId, limit_code: code } = await getUnitReservation(tx, id)
  const limit = await lockHandedOut(tx, { instanceId, code })
  return { limit, row: await getUnitReservation(tx, id) }
}

async function lockHandedOut(
  tx: Tx,
  { instanceId, code }: Pick<AskedUnits, 'instanceId' | 'code'>,
): Promise<HandedOut> {
  await tx
    .selectFrom('limits')
    .select('code')
    .where('instance_id', '=', instanceId)
    .where('code', '=', code)
    .forNoKeyUpdate()
    .execute()
  return await readHandedOut(tx, instanceId, code)
}

/** @throws `limit_unknown` where it is not sold, or not handed out by Clouder; `action_not_allowed`, `not_found` */
export async function readHandedOut(db: Db, instanceId: string, code: string): Promise<HandedOut> {
  const instance = await getDeployedInstance(db, instanceId)
  if (instance.state === 'destroyed') throw new BusinessError('action_not_allowed', 'The instance has ended.')
  const definition = instance.definition.limits.find((limit) => limit.code === code)
  const row = await db
    .selectFrom('limits')
    .selectAll()
    .where('instance_id', '=', instanceId)
    .where('code', '=', code)
    .executeTakeFirst()
  if (row === undefined || definition === undefined || !('isReserved' in definition)) {
    const detail = `Clouder hands out no units of ${code} for this instance: its application has no such limit with reserved: true, or none was sold.`
    throw new BusinessError('limit_unknown', detail)
  }
  const taken = await readTakenUnits(db, [{ instanceId, code }])
  return {
    subscriptionId: instance.subscriptionId,
    instanceId,
    code,
    sold: row.sold_quantity,
    taken: taken.get(keyOfLimit({ instanceId, code })) ?? '0',
    unit: row.unit,
    isSoft: row.enforcement === 'soft',
    isReached: row.reached_at !== null,
  }
}

function refuseBeyond({ code, sold, taken, isSoft }: HandedOut, quantity: string): void {
  if (isSoft || new Big(taken).plus(quantity).lte(sold)) return
  throw new BusinessError(
    'limit_reached',
    `${taken} of ${sold} are taken of ${code}; ${quantity} more cannot be.`,
  )
}

/** What is taken is known at once, and told to the workflow where the limit is reached by it, or not any more, or a change fits. */
async function noteTaken(tx: Tx, limit: HandedOut, occasion: string): Promise<void> {
  const { instanceId, code, sold } = limit
  const used = (await readTakenUnits(tx, [limit])).get(keyOfLimit(limit)) ?? '0'
  await tx
    .updateTable('limits')
    .set({ used_quantity: used, used_at: sql<string>`now()` })
    .where('instance_id', '=', instanceId)
    .where('code', '=', code)
    .execute()
  const isCrossed = isLimitReached({ used, ceiling: sold }) !== limit.isReached
  if (!isCrossed && (await listFitting(tx, [instanceId])).length === 0) return
  const workflowId = `subscription/${encodeId('subscription', limit.subscriptionId)}`
  await insertWorkflowSignal(tx, { workflowId, signal: 'limitCrossed' }, occasion)
}

/** What is taken of limits whose units Clouder hands out, by `keyOfLimit`. */
export async function readTakenUnits(
  db: Db,
  limits: readonly Pick<SoldLimit, 'instanceId' | 'code'>[],
): Promise<Map<string, string>> {
  if (limits.length === 0) return new Map()
  const { rows } = await sql<{ instance_id: string; limit_code: string; taken: string }>`
    select asked.instance_id, asked.limit_code, coalesce(sum(held.quantity), 0) as taken
    from unnest(${limits.map(({ instanceId }) => instanceId)}::uuid[], ${limits.map(({ code }) => code)}::text[])
      as asked (instance_id, limit_code)
    left join unit_reservations held on held.instance_id = asked.instance_id and held.limit_code = asked.limit_code
      and ${isStillHeld}
    group by asked.instance_id, asked.limit_code`.execute(db)
  return new Map(
    rows.map((row) => [keyOfLimit({ instanceId: row.instance_id, code: row.limit_code }), row.taken]),
  )
}

/** Of a row of `unit_reservations`: it was neither released, nor has it expired. */
export const isStillHeld = sql<boolean>`(released_at is null
  and (confirmed_at is not null or expires_at > clock_timestamp()))`

/** @throws `not_found` */
export async function getUnitReservation(db: Db, id: string): Promise<UnitReservationRow> {
  const row = await unitReservations(db).where('id', '=', id).executeTakeFirst()
  if (!row) throw new BusinessError('not_found', 'There is no such reservation.')
  return row
}

/** Each with whether it was confirmed in time. */
export function unitReservations(db: Db) {
  return db
    .selectFrom('unit_reservations')
    .selectAll()
    .select(
      sql<boolean>`confirmed_at is null and released_at is null and expires_at <= clock_timestamp()`.as(
        'is_expired',
      ),
    )
}
