import { encodeId } from '#domain/identifier.ts'
import { reachedShares } from '#domain/limit-use.ts'
import { within, type Db, type Tx } from './database.ts'
import { insertEvents, type EventKind } from './event.ts'
import { newIds } from './identifier.ts'
import { keyOfLimit, type SoldLimit } from './sold-limit.ts'

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

/** Warns of those sold limits that have reached a share at which they are warned of: 4 of 5 users at 80 percent. */
export async function warnOfLimits(
  db: Db,
  sold: readonly SoldLimit[],
  uses: readonly LimitUsed[],
  now: string,
): Promise<void> {
  const used = new Map(uses.map((use) => [keyOfLimit(use), use.used]))
  const warnings = sold.flatMap((limit) => toWarnings(limit, used.get(keyOfLimit(limit))))
  if (warnings.length > 0) await within(db, async (tx) => giveWarnings(tx, warnings, now))
}

function toWarnings(limit: SoldLimit, used: string | undefined): NewWarning[] {
  const { code, unit, warned } = limit
  if (used === undefined || warned === null) return []
  const { ceiling } = warned
  return reachedShares({ used, ceiling }, warned.shares).map((share) => ({
    subscriptionId: limit.subscriptionId,
    customerId: warned.customerId,
    kind: 'limit',
    firstLineId: warned.firstLineId,
    subject: code,
    threshold: `${share} %`,
    periodStartsOn: warned.periodStartsOn,
    used,
    ceiling,
    unit,
    data: { limit: code, used, ceiling, unit, instance: encodeId('instance', limit.instanceId) },
    businessAt: warned.clockNowAt,
  }))
}
