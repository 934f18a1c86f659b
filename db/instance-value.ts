import { sql } from 'kysely'
import { startOfDay } from '#domain/calendar.ts'
import {
  measuredPeriod,
  metricOfValue,
  recordedOn,
  valueDay,
  valuesNamedBy,
  type RecordedValue,
} from '#domain/instance-value.ts'
import type { DuePart, RecurringPart, UsagePart } from '#domain/invoice/lines.ts'
import { measureAwaited, type AwaitedQuestion } from './bill-usage.ts'
import type { LineContext } from './billable-line.ts'
import { readTogether, type Db } from './database.ts'
import { readMeters, type Meter } from './usage-measure.ts'

export interface NewInstanceValue extends RecordedValue {
  readonly instanceId: string
  readonly recordedBy: string
  readonly recordedAt: string
}

/** Records what is so of an instance from a day on; another value of the same day takes its place. */
export async function recordInstanceValue(db: Db, recorded: NewInstanceValue): Promise<void> {
  const said = {
    value: recorded.value,
    recorded_at: recorded.recordedAt,
    recorded_by: recorded.recordedBy,
  }
  await db
    .insertInto('instance_values')
    .values({
      instance_id: recorded.instanceId,
      code: recorded.code,
      starts_on: recorded.startsOn,
      ...said,
    })
    .onConflict((conflict) => conflict.columns(['instance_id', 'code', 'starts_on']).doUpdateSet(said))
    .execute()
}

export type InstanceValueRow = Awaited<ReturnType<typeof listInstanceValues>>[number]

/** All that was recorded of some instances, by code, oldest first. */
export async function listInstanceValues(db: Db, instanceIds: readonly string[]) {
  return await db
    .selectFrom('instance_values')
    .selectAll()
    .where('instance_id', '=', sql<string>`any(${instanceIds}::uuid[])`)
    .orderBy('instance_id')
    .orderBy('code')
    .orderBy('starts_on')
    .execute()
}

type ValuedPart = RecurringPart | UsagePart

/** A part that may be priced by values, and until when its bill waits for readings: null where it does not. */
export interface AskedValues {
  readonly part: DuePart
  readonly context: LineContext
  readonly waitsAt: string | null
}

export interface NamedValues {
  /** The part with the values that its price names. */
  readonly addTo: (part: DuePart, context: LineContext) => DuePart
  /** A value of the part is still to be measured. */
  readonly isUnread: (part: DuePart) => boolean
}

const none: NamedValues = { addTo: (part) => part, isUnread: () => false }

/**
 * The values by which grids price instances: what was recorded, or else what a metric measured. Without lines that
 * are priced so nothing is asked.
 * @param contexts of all lines of the bills: their parts to come are priced by the values that are known now
 */
export async function readNamedValues(
  db: Db,
  contexts: readonly LineContext[],
  asked: readonly AskedValues[],
): Promise<NamedValues> {
  const instanceIds = contexts
    .filter(({ line }) => line.terms.pricing === 'grid' || valuesNamedBy(line.price).length > 0)
    .flatMap(({ instanceId }) => instanceId ?? [])
  if (instanceIds.length === 0) return none
  const ids = [...new Set(instanceIds)]
  const [rows, meters] = await readTogether(
    db,
    async () => listInstanceValues(db, ids),
    async () => readMeters(db, ids),
  )
  const recorded = Map.groupBy(rows.map(toRecorded), ({ instanceId }) => instanceId)
  const measured = await measureValues(db, asked, { recorded, meters })
  const addTo = (part: DuePart, { instanceId }: LineContext): DuePart => {
    if (!isValued(part) || instanceId === null) return part
    const known = recorded.get(instanceId) ?? []
    const values = valuesNamedBy(part.line.price).flatMap((code) => {
      const value = recordedOn(known, code, valueDay(part)) ?? measured.of(part, code)
      return value === undefined ? [] : [[code, value] as const]
    })
    return { ...part, values: Object.fromEntries(values) }
  }
  return { addTo, isUnread: measured.isUnread }
}

function toRecorded(row: InstanceValueRow): RecordedValue & { instanceId: string } {
  return { instanceId: row.instance_id, code: row.code, value: row.value, startsOn: row.starts_on }
}

/** What one-time fees, credits and late usage cost stands by then, or hangs on nothing that is measured. */
function isValued(part: DuePart): part is ValuedPart {
  return (part.kind === 'recurring' || part.kind === 'usage') && valuesNamedBy(part.line.price).length > 0
}

interface Known {
  readonly recorded: ReadonlyMap<string, readonly RecordedValue[]>
  readonly meters: ReadonlyMap<string, Meter>
}

/** Each value of each part that no one recorded and that a metric of its instance measures. */
async function measureValues(db: Db, asked: readonly AskedValues[], known: Known) {
  const questions = asked.flatMap((value) => questionsOf(value, known))
  const { answers, unread } = await measureAwaited(db, questions, known.meters)
  const measured = new Map<string, string>()
  for (const [index, { part, code }] of questions.entries()) {
    const usage = answers[index]?.usage
    // Before the first reading nothing is known, which is not the same as 0.
    if (usage === undefined || (usage.readingCount + usage.eventCount === 0 && usage.quantity === '0'))
      continue
    measured.set(valueKey(part, code), usage.quantity)
    measured.set(newestKey(part, code), usage.quantity)
  }
  const unreadKeys = new Set(
    questions.flatMap(({ part }, index) => (unread.has(index) ? [partKey(part)] : [])),
  )
  return {
    /** Of a period to come, what was measured last. */
    of: (part: ValuedPart, code: string) =>
      measured.get(valueKey(part, code)) ?? measured.get(newestKey(part, code)),
    isUnread: (part: DuePart) => isValued(part) && unreadKeys.has(partKey(part)),
  }
}

function questionsOf(
  { part, context, waitsAt }: AskedValues,
  { recorded, meters }: Known,
): (AwaitedQuestion & { readonly part: ValuedPart; readonly code: string })[] {
  const { instanceId, subscription, timeZone } = context
  if (!isValued(part) || instanceId === null) return []
  const period = measuredPeriod(part)
  return valuesNamedBy(part.line.price).flatMap((code) => {
    if (recordedOn(recorded.get(instanceId) ?? [], code, valueDay(part)) !== undefined) return []
    const metered = metricOfValue(code, meters.get(instanceId)?.metrics ?? [])
    if (metered === undefined) return []
    const window = { start: startOfDay(timeZone, period.start), end: startOfDay(timeZone, period.end) }
    const whose = { subscriptionId: subscription.id, lineId: part.line.id, instanceId }
    const question = { ...whose, ...metered, window, isLast: false }
    return [{ ...question, part, code, waitsAt }]
  })
}

function partKey({ line, servicePeriod }: ValuedPart): string {
  return `${line.id}/${servicePeriod.start}`
}

function valueKey(part: ValuedPart, code: string): string {
  return `${partKey(part)}/${code}`
}

function newestKey({ line }: ValuedPart, code: string): string {
  return `${line.id}/${code}`
}
