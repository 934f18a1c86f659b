import { sql, type Selectable } from 'kysely'
import { compareDates } from '#domain/calendar.ts'
import { lineEndsOn } from '#domain/change.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Line } from '#domain/line.ts'
import { ensureDocument } from './activation.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { closeUnused, reopenDocuments } from './reopened-document.ts'
import type { Subscription } from './subscription.ts'
import type { ReplacedLines, SubscriptionLinesTable } from './tables/subscription.ts'

/** A recurring line with days of service, begun or to begin. */
export type LineRow = Omit<Selectable<SubscriptionLinesTable>, 'starts_on'> & {
  readonly starts_on: string
  /** The first day that was not billed; null while nothing was. */
  readonly billed_until: string | null
}

/** The lines of a subscription while a command changes them; what becomes of them is kept with the command. */
export interface LineChanges {
  readonly tx: Tx
  readonly subscription: Subscription
  readonly requestId: string
  readonly ended: ReplacedLines['ended'][number][]
  readonly dropped: ReplacedLines['dropped'][number][]
  readonly opened: ReplacedLines['opened'][number][]
}

export function noChanges(tx: Tx, subscription: Subscription, requestId: string): LineChanges {
  return { tx, subscription, requestId, ended: [], dropped: [], opened: [] }
}

/** Recurring lines of a subscription that have a day of service on a date or later, in order of their life and start. */
export async function listLinesAfter(db: Db, subscriptionId: string, today: string): Promise<LineRow[]> {
  return await recurringLines(db)
    .where('subscription_id', '=', subscriptionId)
    .where((eb) =>
      eb.or([
        eb('ends_on', 'is', null),
        eb.and([eb('ends_on', '>', today), eb('ends_on', '>', eb.ref('starts_on'))]),
      ]),
    )
    .execute()
}

export async function listLines(db: Db, ids: readonly string[]): Promise<LineRow[]> {
  return await recurringLines(db)
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
}

/** All recurring lines of many subscriptions. */
export async function listLinesOf(db: Db, subscriptionIds: readonly string[]): Promise<LineRow[]> {
  return await recurringLines(db)
    .where('subscription_id', '=', sql<string>`any(${subscriptionIds}::uuid[])`)
    .execute()
}

function recurringLines(db: Db) {
  return db
    .selectFrom('subscription_lines')
    .selectAll()
    .$narrowType<{ starts_on: string }>()
    .select(
      sql<string | null>`(select max(upper(service_period)) from invoice_lines
        where subscription_line_id = subscription_lines.id and kind in ('recurring', 'usage'))`.as(
        'billed_until',
      ),
    )
    .where('interval_unit', 'is not', null)
    .where('starts_on', 'is not', null)
    .orderBy('first_line_id')
    .orderBy('starts_on')
    .orderBy('id')
}

/** The line as its life is decided from. What follows it is decided line by line, so that its successor does not count. */
export function toLine(row: LineRow): Line {
  return {
    startsOn: row.starts_on,
    endsOn: row.ends_on,
    billedUntil: row.billed_until,
    isCancelled: false,
    renewal: 'asked',
    hasSuccessor: false,
    hasRival: false,
  }
}

export async function endLine(changes: LineChanges, line: LineRow, endsOn: string | null): Promise<void> {
  const { id, first_line_id, ends_on, closed_by } = line
  changes.ended.push({ id, first_line_id, ends_on, closed_by })
  await changes.tx
    .updateTable('subscription_lines')
    .set({ ends_on: endsOn, closed_by: changes.requestId })
    .where('id', '=', id)
    .execute()
}

/** A line that was never billed has other days from now on. */
export async function moveLine(
  { tx }: LineChanges,
  line: LineRow,
  { startsOn, endsOn }: { startsOn: string; endsOn: string | null },
): Promise<void> {
  await tx
    .updateTable('subscription_lines')
    .set({ starts_on: startsOn, ends_on: endsOn })
    .where('id', '=', line.id)
    .execute()
}

/**
 * Drops a line that was to begin. One that was billed meanwhile, for a command may be carried out a moment after its own
 * instant, stays without a day of service: what was charged for it is credited. So does the first of a life, which those
 * after it name.
 */
export async function dropLine(changes: LineChanges, line: LineRow): Promise<void> {
  if (line.billed_until !== null || line.id === line.first_line_id)
    return await endLine(changes, line, line.starts_on)
  const { rows } = await sql<{ row: Record<string, unknown> }>`
    delete from subscription_lines where id = ${line.id} returning to_jsonb(subscription_lines) as row`.execute(
    changes.tx,
  )
  changes.dropped.push(...rows.map(({ row }) => row))
  if (line.document_id !== null) await closeUnused(changes.tx, line.document_id)
}

type OpenedLine = Partial<Omit<LineRow, 'id' | 'first_line_id' | 'billed_until' | 'created_at'>> & {
  readonly starts_on: string
  readonly ends_on: string | null
}

/** Opens a line that follows another, with what differs. Where its document is closed, or is another, it joins or opens one. */
export async function openLine(changes: LineChanges, like: LineRow, opened: OpenedLine): Promise<string> {
  const { billed_until: _billed, created_at: _created, ...agreed } = { ...like, ...opened }
  const id = newId()
  await changes.tx
    .insertInto('subscription_lines')
    .values({
      ...agreed,
      id,
      price: JSON.stringify(agreed.price),
      conversion: agreed.conversion && JSON.stringify(agreed.conversion),
      terms: JSON.stringify(agreed.terms),
      document_id: await documentFor(changes, like, agreed),
      opened_by: opened.opened_by === undefined ? changes.requestId : opened.opened_by,
      closed_by: opened.closed_by ?? null,
    })
    .execute()
  changes.opened.push({ id, ends_on: agreed.ends_on })
  return id
}

async function documentFor(
  { tx, subscription }: LineChanges,
  like: LineRow,
  line: Pick<LineRow, 'interval_count' | 'interval_unit' | 'document_id' | 'starts_on' | 'terms'>,
): Promise<string> {
  const isSameInterval =
    line.interval_count === like.interval_count && line.interval_unit === like.interval_unit
  if (isSameInterval && line.document_id !== null) {
    const { closed_at } = await tx
      .selectFrom('subscription_documents')
      .select('closed_at')
      .where('id', '=', line.document_id)
      .executeTakeFirstOrThrow()
    if (closed_at === null) return line.document_id
  }
  const documentId = await ensureDocument(tx, subscription, line, line.starts_on)
  const isAligned = line.terms.alignment === 'calendar'
  if (isSameInterval || isAligned || !(await isBilledOn(tx, documentId, line.starts_on))) return documentId
  // Nobody who goes from months to years waits for most of a year for the first bill of it.
  return await ensureDocument(tx, { ...subscription, has_own_anchor: true }, line, line.starts_on)
}

/** The document's period that holds the day has its invoice already. */
async function isBilledOn(tx: Tx, documentId: string, day: string): Promise<boolean> {
  const document = await tx
    .selectFrom('subscription_documents')
    .select(['next_invoice_on', 'next_period_index'])
    .where('id', '=', documentId)
    .executeTakeFirstOrThrow()
  return document.next_period_index > 0 && compareDates(day, document.next_invoice_on) < 0
}

/**
 * Ends every recurring line on a day, which is not billed any more; what was to begin from then on never does. Today means
 * now: what is metered on it is still billed.
 */
export async function endLinesOn(
  changes: LineChanges,
  { endsOn, today }: { endsOn: string; today: string },
): Promise<void> {
  const when = compareDates(endsOn, today) <= 0 ? 'now' : 'period_end'
  for (const line of await listLinesAfter(changes.tx, changes.subscription.id, today)) {
    const { billing_type: billingType, starts_on: startsOn } = line
    const end = lineEndsOn({ billingType, startsOn }, { when, today, periodEnd: endsOn })
    const isPlanned = compareDates(startsOn, today) > 0 && compareDates(startsOn, end) >= 0
    if (isPlanned) await dropLine(changes, line)
    else if (line.ends_on === null || compareDates(line.ends_on, end) > 0) await endLine(changes, line, end)
  }
}

/**
 * Makes the lines what they were before a command.
 * @throws `action_not_allowed` where another command has changed them since
 */
export async function takeBack(changes: LineChanges, requestId: string): Promise<void> {
  const replaced = await readReplaced(changes, requestId)
  await refuseChangedSince(changes.tx, replaced, requestId)
  const opened = await listLines(
    changes.tx,
    replaced.opened.map(({ id }) => id),
  )
  for (const line of opened) await dropLine(changes, line)
  await restoreLines(changes, replaced, requestId)
}

/** The same for a command that only ended lines: what became of them since ends as they were to end. */
export async function takeBackLeniently(changes: LineChanges, requestId: string): Promise<void> {
  const { tx, subscription } = changes
  const replaced = await readReplaced(changes, requestId)
  await restoreLines(changes, replaced, requestId)
  const endOfLife = new Map(replaced.ended.map((line) => [line.first_line_id, line]))
  const followers = await tx
    .selectFrom('subscription_lines')
    .select(['id', 'first_line_id'])
    .where('subscription_id', '=', subscription.id)
    .where('closed_by', '=', requestId)
    .execute()
  for (const { id, first_line_id } of followers) {
    const { ends_on = null, closed_by = null } = endOfLife.get(first_line_id) ?? {}
    await tx.updateTable('subscription_lines').set({ ends_on, closed_by }).where('id', '=', id).execute()
  }
}

async function restoreLines(
  { tx, subscription }: LineChanges,
  replaced: ReplacedLines,
  requestId: string,
): Promise<void> {
  for (const { id, ends_on, closed_by } of replaced.ended) {
    await tx
      .updateTable('subscription_lines')
      .set({ ends_on, closed_by })
      .where('id', '=', id)
      .where('closed_by', '=', requestId)
      .execute()
  }
  await sql`
    insert into subscription_lines
    select * from jsonb_populate_recordset(null::subscription_lines, ${JSON.stringify(replaced.dropped)}::jsonb)`.execute(
    tx,
  )
  // The document that was open for a dropped line alone was closed with it.
  if (replaced.dropped.length > 0) await reopenDocuments(tx, subscription)
}

export async function readReplaced(
  { tx, subscription }: LineChanges,
  requestId: string,
): Promise<ReplacedLines> {
  const row = await tx
    .selectFrom('subscription_commands')
    .select('replaced')
    .where('subscription_id', '=', subscription.id)
    .where('request_id', '=', requestId)
    .executeTakeFirst()
  return row?.replaced ?? { ended: [], dropped: [], opened: [] }
}

async function refuseChangedSince(tx: Tx, replaced: ReplacedLines, requestId: string): Promise<void> {
  const { ended, opened } = replaced
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from subscription_lines line
    where id = any(${ended.map(({ id }) => id)}::uuid[]) and closed_by = ${requestId}
      or exists (select from jsonb_to_recordset(${JSON.stringify(opened)}::jsonb) as opened (id uuid, ends_on date)
        where opened.id = line.id and opened.ends_on is not distinct from line.ends_on)`.execute(tx)
  if (rows[0]?.count === ended.length + opened.length) return
  const detail = 'Its lines were changed since; what was agreed then cannot be brought back.'
  throw new BusinessError('action_not_allowed', detail)
}
