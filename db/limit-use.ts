import { sql } from 'kysely'
import { within, type Db, type Tx } from './database.ts'
import type { DeployedInstance } from './instance.ts'
import { keyOfLimit, presentMetrics, type SoldLimit } from './sold-limit.ts'
import { readTakenUnits } from './unit-reservation.ts'
import { measureUsages } from './usage-measure.ts'
import type { LimitUsed } from './usage-warning.ts'

/** What was asked of instances themselves, by `keyOfLimit`: what commands print. */
export type CountedUses = ReadonlyMap<string, string>

/**
 * Measures and writes down what is used of sold limits: of metered ones what was read, of handed out units what is taken, and what was
 * counted in the instances. What cannot be measured stays as it was. What is taken is counted while nobody takes more or gives back.
 * @returns what was measured now
 */
export async function noteLimitUses(
  db: Db,
  instances: readonly DeployedInstance[],
  sold: readonly SoldLimit[],
  counted: CountedUses,
): Promise<LimitUsed[]> {
  if (sold.length === 0) return []
  const defined = withDefinitions(instances, sold)
  const measured = new Map([...counted, ...(await measureMetered(db, defined))])
  return await within(db, async (tx) => {
    const reserved = reservedOf(defined)
    await lockLimits(tx, reserved)
    return await writeUses(tx, sold, new Map([...measured, ...(await readTakenUnits(tx, reserved))]))
  })
}

/** In one order, as whoever reserves locks its one. */
async function lockLimits(tx: Tx, limits: readonly SoldLimit[]): Promise<void> {
  if (limits.length === 0) return
  await sql`
    select from limits join unnest(${limits.map(({ instanceId }) => instanceId)}::uuid[], ${limits.map(({ code }) => code)}::text[])
      as reserved (instance_id, code) using (instance_id, code)
    order by instance_id, code for no key update of limits`.execute(tx)
}

async function writeUses(
  tx: Tx,
  sold: readonly SoldLimit[],
  uses: ReadonlyMap<string, string>,
): Promise<LimitUsed[]> {
  const rows = sold.map((limit) => ({
    id: limit.instanceId,
    code: limit.code,
    unit: limit.unit,
    enforcement: limit.enforcement,
    used: uses.get(keyOfLimit(limit)) ?? null,
  }))
  await sql`
    update limits set enforcement = seen.enforcement, unit = seen.unit,
      used_quantity = coalesce(seen.used, used_quantity),
      used_at = case when seen.used is null then used_at else now() end
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as seen (id uuid, code text, unit text, enforcement text, used numeric)
    where limits.instance_id = seen.id and limits.code = seen.code
      and (limits.used_quantity, limits.unit, limits.enforcement)
        is distinct from (coalesce(seen.used, limits.used_quantity), seen.unit, seen.enforcement)`.execute(tx)
  return rows.flatMap(({ id, code, used }) => (used === null ? [] : { instanceId: id, code, used }))
}

/** What was measured last of one; 0 where nothing was. */
export async function readUsed(db: Db, limit: { instanceId: string; code: string }): Promise<number> {
  const row = await db
    .selectFrom('limits')
    .select('used_quantity')
    .where('instance_id', '=', limit.instanceId)
    .where('code', '=', limit.code)
    .executeTakeFirst()
  return Number(row?.used_quantity ?? 0)
}

/** A sold limit as the application of its instance defines it. */
export interface DefinedLimit {
  readonly instance: DeployedInstance
  readonly limit: SoldLimit
  readonly definition: DeployedInstance['definition']['limits'][number]
}

/** Left out are those that their applications do not define. */
export function withDefinitions(
  instances: readonly DeployedInstance[],
  sold: readonly SoldLimit[],
): DefinedLimit[] {
  const byId = new Map(instances.map((instance) => [instance.id, instance]))
  return sold.flatMap((limit) => {
    const instance = byId.get(limit.instanceId)
    const definition = instance?.definition.limits.find(({ code }) => code === limit.code)
    return instance === undefined || definition === undefined ? [] : { instance, limit, definition }
  })
}

function reservedOf(defined: readonly DefinedLimit[]): SoldLimit[] {
  return defined.flatMap(({ limit, definition }) => ('isReserved' in definition ? limit : []))
}

async function measureMetered(db: Db, defined: readonly DefinedLimit[]): Promise<Map<string, string>> {
  const metered = defined.flatMap(({ instance, limit, definition }) =>
    'metric' in definition ? { instance, limit, metric: definition.metric } : [],
  )
  const meters = new Map(
    metered.map(({ instance: { id, definition } }) => [id, { metrics: presentMetrics(definition.metrics) }]),
  )
  const answers = await measureUsages(
    db,
    metered.map(({ limit: { subscriptionId, instanceId, unit, window }, metric }) => ({
      subscriptionId,
      instanceId,
      metric,
      unit,
      window,
      isLast: false,
    })),
    { meters },
  )
  return new Map(
    metered.map(({ limit }, index) => [keyOfLimit(limit), answers[index]?.usage.quantity ?? '0']),
  )
}
