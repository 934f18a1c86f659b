import Big from 'big.js'
import { sql } from 'kysely'
import type { MetricDefinition } from '#domain/application.ts'
import { anchorOn } from '#domain/billing-cycle.ts'
import { cycleHolding, startOfDay, type BillingInterval } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import type { SubscriptionPhase } from '#domain/subscription.ts'
import { defaultTerms, type Enforcement, type Terms } from '#domain/terms.ts'
import type { Db } from './database.ts'

/** What is sold of one limit of an instance on a day, over all lines that sell it. */
export interface SoldLimit {
  readonly subscriptionId: string
  readonly instanceId: string
  readonly code: string
  readonly quantity: string
  readonly unit: string
  readonly enforcement: Enforcement
  /** In which what a counter grew by counts: from the start of the billing period until now, in the subscription's own time. */
  readonly window: { readonly start: string; readonly end: string }
  /** Null: nobody is warned of it, for nothing of it is in service. */
  readonly warned: WarnedLimit | null
}

/** What tells when customer and operator are warned of a limit: by the lines that have begun. */
export interface WarnedLimit {
  readonly customerId: string
  readonly firstLineId: string
  readonly ceiling: string
  /** In percent. */
  readonly shares: readonly number[]
  readonly periodStartsOn: string
  /** On a test clock: its instant. */
  readonly clockNowAt: string | null
}

interface LineRow extends PeriodRow {
  readonly subscription_id: string
  readonly instance_id: string
  readonly limit_code: string
  readonly quantity: string
  readonly unit: string
  readonly terms: Partial<Terms>
  readonly first_line_id: string
  readonly customer_id: string
  readonly phase: SubscriptionPhase
  readonly now: string
  readonly clock_now_at: string | null
  readonly time_zone: string
}

/** What tells the billing period of a line. */
interface PeriodRow {
  readonly today: string
  readonly starts_on: string | null
  readonly anchor: string | null
  readonly former_anchor: string | null
  readonly anchor_moved_on: string | null
  readonly interval_count: number | null
  readonly interval_unit: BillingInterval['unit'] | null
}

/** Limits that are sold by the lines in force now, of any number of instances by one query. Two lines of one limit add up. */
export async function listSoldLimits(
  db: Db,
  by: { readonly subscriptionId: string } | { readonly instanceIds: readonly string[] },
  now: string,
): Promise<SoldLimit[]> {
  const isOfOne = 'subscriptionId' in by
  const isAsked = isOfOne
    ? sql`line.subscription_id = ${by.subscriptionId}`
    : sql`line.instance_id = any(${by.instanceIds}::uuid[])`
  // A subscription's workflow says itself what time it is; a look at many takes the time of each one's clock.
  const instant = isOfOne ? sql`${now}::timestamptz` : sql`coalesce(clock.now_at, ${now}::timestamptz)`
  const { rows } = await sql<LineRow>`
    select line.subscription_id, line.instance_id, line.limit_code, line.quantity, line.unit, line.starts_on,
      line.terms, line.first_line_id, subscription.customer_id, subscription.phase, clock.now_at as clock_now_at,
      at.today, at.now, customer.time_zone,
      coalesce(document.billing_cycle_anchor, line.starts_on) as anchor, document.former_anchor, document.anchor_moved_on,
      line.interval_count, line.interval_unit
    from subscription_lines line
      join subscriptions subscription on subscription.id = line.subscription_id
      join customers customer on customer.id = subscription.customer_id
      left join test_clocks clock on clock.id = subscription.test_clock_id
      left join subscription_documents document on document.id = line.document_id
      cross join lateral (select ${instant} as now, (${instant} at time zone customer.time_zone)::date as today) at
    where ${isAsked} and line.limit_code is not null and line.instance_id is not null
      and (line.starts_on is null or line.starts_on <= at.today) and (line.ends_on is null or line.ends_on > at.today)
    order by line.position, line.starts_on, line.id`.execute(db)
  const groups = Map.groupBy(rows, (row) => `${row.instance_id}/${row.limit_code}`)
  return [...groups.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : toSold(first, others),
  )
}

/** What other lines than those of one life sell of a limit on a day: 0 where there is none. */
export async function sumSoldBeside(
  db: Db,
  sold: { instanceId: string | null; code: string | null; on: string; besides: string },
): Promise<string> {
  const { rows } = await sql<{ quantity: string }>`
    select coalesce(sum(quantity), 0) as quantity from subscription_lines line
    where line.instance_id = ${sold.instanceId}::uuid and line.limit_code = ${sold.code} and line.first_line_id <> ${sold.besides}
      and line.starts_on <= ${sold.on} and (line.ends_on is null or line.ends_on > ${sold.on})`.execute(db)
  return rows[0]?.quantity ?? '0'
}

function toSold(first: LineRow, others: readonly LineRow[]): SoldLimit {
  return {
    subscriptionId: first.subscription_id,
    instanceId: first.instance_id,
    code: first.limit_code,
    quantity: sumOf([first, ...others]),
    unit: first.unit,
    enforcement: first.terms.enforcement ?? defaultTerms.enforcement,
    window: { start: startOfDay(first.time_zone, periodStart(first)), end: first.now },
    warned: toWarned([first, ...others]),
  }
}

/** Several lines of one limit are one ceiling; what is agreed on the first of them holds. */
function toWarned(lines: readonly LineRow[]): WarnedLimit | null {
  const begun = lines.filter(({ starts_on: startsOn }) => startsOn !== null)
  const [first] = begun
  if (first === undefined || first.phase !== 'active') return null
  return {
    customerId: first.customer_id,
    firstLineId: first.first_line_id,
    ceiling: sumOf(begun),
    shares: first.terms.warningShares ?? defaultTerms.warningShares,
    periodStartsOn: periodStart(first),
    clockNowAt: first.clock_now_at,
  }
}

function sumOf(lines: readonly { readonly quantity: string }[]): string {
  return lines.reduce((sum, { quantity }) => sum.plus(quantity), new Big(0)).toFixed()
}

/** Of a one-time fee, its whole life. */
function periodStart(row: PeriodRow): string {
  const { anchor, interval_count: count, interval_unit: unit, today } = row
  if (anchor === null || count === null || unit === null) return row.starts_on ?? today
  const { former_anchor: former, anchor_moved_on: until } = row
  const formerAnchor = former === null || until === null ? null : { anchor: former, until }
  return cycleHolding(anchorOn({ billingCycleAnchor: anchor, formerAnchor }, today), { count, unit }, today)
    .start
}

export const keyOfLimit = (limit: Pick<SoldLimit, 'instanceId' | 'code'>): string =>
  `${limit.instanceId}/${limit.code}`

/** Of gauges, that which holds now is what is used. */
export function presentMetrics(metrics: readonly MetricDefinition[]): MetricDefinition[] {
  return metrics.map((metric) => (metric.kind === 'gauge' ? { ...metric, aggregation: 'last' } : metric))
}

/** A sold limit as workflows know it. */
export function toLimitTicket(limit: SoldLimit) {
  const { code, quantity, unit, enforcement } = limit
  return { instanceId: encodeId('instance', limit.instanceId), code, quantity, unit, enforcement }
}
