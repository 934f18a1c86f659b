import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import { reachedShares } from '#domain/limit-use.ts'
import { defaultTerms, type Terms } from '#domain/terms.ts'
import { within, type Db, type Tx } from './database.ts'
import { insertEvents, type EventKind } from './event.ts'
import { newIds } from './identifier.ts'
import { keyOfLimit, periodStart, sumOf, type PeriodRow } from './sold-limit.ts'

/** That a share of a limit or of a cap was reached in a billing period. */
export interface NewWarning {
  readonly subscriptionId: string
  readonly customerId: string
  readonly kind: 'limit' | 'spend'
  readonly firstLineId: string | null
  /** The code of the limit, or who set the cap. */
  readonly subject: string
  readonly threshold: string
  readonly periodStartsOn: string
  readonly used: string
  readonly ceiling: string
  readonly unit: string
  /** What the timeline says of it. */
  readonly data: Record<string, unknown>
  /** On a test clock: its instant. */
  readonly businessAt: string | null
}

/**
 * Keeps warnings and tells customer and operator of them, each once a billing period: one that was given is passed by, whoever
 * finds it reached again. What sends mail reads these rows.
 */
export async function giveWarnings(tx: Tx, warnings: readonly NewWarning[], now: string): Promise<void> {
  if (warnings.length === 0) return
  const ids = newIds(warnings.length)
  const rows = await tx
    .insertInto('usage_warnings')
    .values(
      warnings.map((warning, index) => ({
        id: ids[index] ?? '',
        subscription_id: warning.subscriptionId,
        kind: warning.kind,
        first_line_id: warning.firstLineId,
        subject: warning.subject,
        threshold: warning.threshold,
        period_starts_on: warning.periodStartsOn,
        used: warning.used,
        ceiling: warning.ceiling,
        unit: warning.unit,
        warned_at: now,
      })),
    )
    .onConflict((conflict) => conflict.constraint('warned_once').doNothing())
    .returning('id')
    .execute()
  const given = new Set(rows.map(({ id }) => id))
  const told = warnings.filter((_, index) => given.has(ids[index] ?? ''))
  await insertEvents(
    tx,
    told.map((warning) => ({
      kind: eventKinds[warning.kind],
      customerId: warning.customerId,
      subscriptionId: warning.subscriptionId,
      data: { threshold: warning.threshold, period_starts_on: warning.periodStartsOn, ...warning.data },
      ...(warning.businessAt === null ? {} : { businessAt: warning.businessAt }),
    })),
  )
}

const eventKinds: Readonly<Record<NewWarning['kind'], EventKind>> = {
  limit: 'limit.warned',
  spend: 'spend.warned',
}

/** How much of a limit of an instance is used. */
export interface LimitUsed {
  readonly instanceId: string
  readonly code: string
  readonly used: string
}

interface SoldRow extends PeriodRow {
  readonly instance_id: string
  readonly limit_code: string
  readonly used: string
  readonly first_line_id: string
  readonly subscription_id: string
  readonly customer_id: string
  readonly quantity: string
  readonly unit: string
  readonly terms: Partial<Terms>
  readonly now_at: string | null
}

/** Warns of those limits that have reached a share at which they are warned of: 4 of 5 users at 80 percent. */
export async function warnOfLimits(db: Db, uses: readonly LimitUsed[], now: string): Promise<void> {
  if (uses.length === 0) return
  const sold = Map.groupBy(await readSold(db, uses, now), ({ instance_id: instanceId, limit_code: code }) =>
    keyOfLimit({ instanceId, code }),
  )
  const warnings = [...sold.values()].flatMap(toWarnings)
  if (warnings.length > 0) await within(db, async (tx) => giveWarnings(tx, warnings, now))
}

/** Several lines of one limit are one ceiling; what is agreed on the first of them holds. */
function toWarnings(lines: readonly SoldRow[]): NewWarning[] {
  const [row] = lines
  if (row === undefined) return []
  const { warningShares } = { ...defaultTerms, ...row.terms }
  const ceiling = sumOf(lines)
  return reachedShares({ used: row.used, ceiling }, warningShares).map((share) => ({
    subscriptionId: row.subscription_id,
    customerId: row.customer_id,
    kind: 'limit',
    firstLineId: row.first_line_id,
    subject: row.limit_code,
    threshold: `${share} %`,
    periodStartsOn: periodStart(row),
    used: row.used,
    ceiling,
    unit: row.unit,
    data: {
      limit: row.limit_code,
      used: row.used,
      ceiling,
      unit: row.unit,
      instance: encodeId('instance', row.instance_id),
    },
    businessAt: row.now_at,
  }))
}

/** The lines that sell these limits today. */
async function readSold(db: Db, uses: readonly LimitUsed[], now: string): Promise<SoldRow[]> {
  const { rows } = await sql<SoldRow>`
    select asked.instance_id, asked.limit_code, asked.used, line.first_line_id, line.subscription_id, line.quantity, line.unit,
      line.terms, line.starts_on, line.interval_count, line.interval_unit, subscription.customer_id, clock.now_at, at.today,
      coalesce(document.billing_cycle_anchor, line.starts_on) as anchor, document.former_anchor, document.anchor_moved_on
    from unnest(${uses.map((use) => use.instanceId)}::uuid[], ${uses.map((use) => use.code)}::text[],
      ${uses.map((use) => use.used)}::text[]) as asked (instance_id, limit_code, used)
    join subscription_lines line on line.instance_id = asked.instance_id and line.limit_code = asked.limit_code
    join subscriptions subscription on subscription.id = line.subscription_id and subscription.phase = 'active'
    join customers customer on customer.id = subscription.customer_id
    left join subscription_documents document on document.id = line.document_id
    left join test_clocks clock on clock.id = subscription.test_clock_id
    cross join lateral (select (coalesce(clock.now_at, ${now}::timestamptz) at time zone customer.time_zone)::date as today) at
    where line.starts_on <= at.today and (line.ends_on is null or line.ends_on > at.today)
    order by line.position, line.starts_on, line.id`.execute(db)
  return rows
}
