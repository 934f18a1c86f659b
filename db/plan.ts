import Big from 'big.js'
import type { AnnouncedValues } from '#domain/announcement.ts'
import { compareDates, dateIn } from '#domain/calendar.ts'
import { servedFrom, type DecidedChange, type Plan } from '#domain/change.ts'
import type { CatalogProduct } from '#domain/order.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { defaultTerms, type Enforcement } from '#domain/terms.ts'
import { planOf, readChange, type AskedChange, type ReadChange } from './asked-plan.ts'
import { announce } from './announcement.ts'
import { checkOpenRequest, markApplied } from './change-decision.ts'
import { once, type CommandKey } from './command.ts'
import type { Db } from './database.ts'
import { endMisfits } from './line-beside.ts'
import { dropLine, endLine, openLine, type LineChanges, type LineRow } from './line-change.ts'
import { sumSoldBeside } from './sold-limit.ts'
import { getSubscription, tellOf } from './subscription.ts'
import { replaceWaiting } from './waiting-decision.ts'

export interface PlannedChange extends DecidedChange {
  readonly instanceId: string | null
  readonly limitCode: string | null
  readonly quantity: string
  /** What of the limit is sold then, with what other lines sell of it. */
  readonly ceiling: string
  readonly unit: string
  readonly enforcement: Enforcement
  /** Less than is used is not refused, but waits until it fits. */
  readonly isToWait: boolean
}

/** What a change of a line would mean today; nothing is saved. @throws what `decideChange` refuses, and `not_found` */
export async function previewChange(
  db: Db,
  change: AskedChange & { subscriptionId: string; now: string; changeRequestId?: string | undefined },
): Promise<PlannedChange> {
  if (change.changeRequestId !== undefined) await checkOpenRequest(db, change.changeRequestId)
  const subscription = await getSubscription(db, change.subscriptionId)
  const read = await readChange(db, subscription, change)
  const { line, wanted, decided, target } = read
  return {
    ...decided,
    instanceId: line.instance_id,
    limitCode: target.limitCode,
    quantity: wanted.quantity,
    ceiling: await ceilingAfter(db, read),
    isToWait: change.belowUse === 'plan',
    unit: target.unit,
    enforcement:
      (target.id === line.product_id ? line.terms : target.terms).enforcement ?? defaultTerms.enforcement,
  }
}

/** What of its limit is sold on the day of a change: by the line as it is then, and by the others of the instance. */
export async function ceilingAfter(
  db: Db,
  { line, target, wanted, decided }: Pick<ReadChange, 'line' | 'target' | 'wanted' | 'decided'>,
): Promise<string> {
  const { instance_id: instanceId, first_line_id: firstLineId } = line
  const others = { instanceId, code: target.limitCode, on: decided.effectiveOn, besides: firstLineId }
  return new Big(wanted.quantity).plus(await sumSoldBeside(db, others)).toFixed()
}

/**
 * Closes a line and opens its successor: both or neither, never overlapping. A change planned before is replaced.
 * @param changeRequestId what a customer asked for, which this applies
 * @throws what `decideChange` refuses, `change_request_decided`
 */
export async function changeSubscription(
  db: Db,
  key: CommandKey,
  change: AskedChange,
  changeRequestId?: string,
): Promise<void> {
  await once(db, key, 'changePlan', async (changes) => {
    if (changeRequestId !== undefined) await markApplied(changes.tx, changeRequestId, key.actor)
    const firstLineId = await applyChange(changes, key, change)
    await replaceWaiting(changes.tx, changes.subscription, { ...key, firstLineId })
  })
}

/**
 * The same in the caller's transaction: a preview bills what it leaves, and rolls it back.
 * @returns the life of the line: its first line
 */
export async function applyChange(
  changes: LineChanges,
  key: { readonly now: string; readonly actor: string },
  change: AskedChange,
): Promise<string> {
  const { tx, subscription } = changes
  const { line, lines, product, target, wanted, decided, priceListItemId, conversion } = await readChange(
    tx,
    subscription,
    { ...change, now: key.now },
  )
  const isOther = target.id !== product.id || target.version !== product.version
  await replaceLines(changes, lines, decided.effectiveOn, {
    ...(isOther ? soldAs(target) : {}),
    quantity: wanted.quantity,
    price: wanted.price,
    price_list_item_id: priceListItemId,
    conversion,
    interval_count: wanted.interval?.count ?? null,
    interval_unit: wanted.interval?.unit ?? null,
  })
  if (isOther) {
    const today = dateIn(subscription.time_zone, key.now)
    await endMisfits(changes, { main: line, target }, { endsOn: decided.effectiveOn, today })
  }
  const [from, to] = describeChange({ line, product, target, wanted }, subscription.currency)
  await announce(tx, changes.requestId, [
    {
      subscription,
      firstLineId: line.first_line_id,
      before: announcedOf(planOf(line, product), subscription.currency),
      after: announcedOf(wanted, subscription.currency),
      effectiveOn: decided.effectiveOn,
    },
  ])
  await tellOf(tx, subscription, 'subscription.changed', {
    now: key.now,
    data: { product: product.code, from, to, effective_on: decided.effectiveOn, actor: key.actor },
  })
  return line.first_line_id
}

function announcedOf(plan: Plan, currency: string): AnnouncedValues {
  return {
    price: describePriceModel(plan.price, currency, plan.unit),
    quantity: plan.quantity,
    product: plan.productCode,
    ...(plan.interval === null ? {} : { recurrence: `${plan.interval.count} ${plan.interval.unit}` }),
  }
}

/** What a line takes from its product beside its price. */
export function soldAs(product: CatalogProduct) {
  return {
    product_id: product.id,
    product_version: product.version,
    description: product.name,
    billing_type: product.billingType,
    billing_timing: product.billingTiming,
    unit: product.unit,
    terms: product.terms,
    tax_category: product.taxCategory,
    metric: product.metric,
    limit_code: product.limitCode,
  }
}

type Replacement = Partial<ReturnType<typeof soldAs>> &
  Partial<
    Pick<
      LineRow,
      'quantity' | 'price' | 'price_list_item_id' | 'conversion' | 'interval_count' | 'interval_unit'
    >
  >

/** Gives a line and what follows it new terms from a day on, or ends it there. Holes that pauses leave stay. */
export async function replaceLines(
  changes: LineChanges,
  lines: readonly LineRow[],
  effectiveOn: string,
  replacement: Replacement | null,
): Promise<void> {
  const today = lines[0]?.starts_on ?? effectiveOn
  for (const line of lines.toReversed()) {
    const isPlanned = compareDates(line.starts_on, effectiveOn) >= 0 && line.starts_on !== today
    if (isPlanned) await dropLine(changes, line)
    else if (line.ends_on === null || compareDates(line.ends_on, effectiveOn) > 0)
      await endLine(changes, line, effectiveOn)
  }
  const [line] = lines
  if (!line || replacement === null) return
  const served = lines.map(({ starts_on: start, ends_on: end }) => ({ start, end }))
  for (const { start, end } of servedFrom(served, effectiveOn)) {
    const before = lines.find((row) => row.starts_on === start)
    await openLine(changes, line, {
      ...replacement,
      starts_on: start,
      ends_on: end,
      // What a pause cut is still cut by it.
      closed_by: end === null ? null : (lines.find((row) => row.ends_on === end)?.closed_by ?? null),
      ...(before && start !== effectiveOn ? { opened_by: before.opened_by } : {}),
    })
  }
}

/** What was and what is, for the timeline: the quantity alone, where nothing else differs. */
export function describeChange(
  change: Pick<ReadChange, 'line' | 'product' | 'target' | 'wanted'>,
  currency: string,
): [from: string, to: string] {
  const { line, product, target, wanted } = change
  const isQuantityOnly = target.id === product.id && wanted.price === line.price
  if (isQuantityOnly) return [line.quantity, wanted.quantity]
  const words = (plan: Plan) =>
    [
      ...(plan.billingType === 'usage' ? [] : [plan.quantity]),
      plan.productCode,
      'at',
      describePriceModel(plan.price, currency, plan.unit),
    ].join(' ')
  return [words(planOf(line, product)), words(wanted)]
}
