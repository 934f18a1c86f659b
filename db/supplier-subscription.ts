import { dateIn, earlierDate } from '#domain/calendar.ts'
import { fieldError } from '#domain/errors.ts'
import { formatMoney } from '#domain/money.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { getInstallation } from './read/installation.ts'
import {
  getSupplierSubscription,
  readExpectations,
  type MetExpectation,
} from './read/supplier-subscription.ts'
import { closeTasks, listOpenTasks, openTask } from './task.ts'

export interface NewSupplierSubscription {
  readonly supplierId: string
  readonly name: string
  readonly amountMinor: number | null
  readonly lineText: string | null
  readonly beginsOn: string
  readonly endsOn: string | null
  readonly graceDays: number
  readonly actor: string
  readonly now: string
}

/** @returns its id. What is missing of it already is noticed at once. */
export async function insertSupplierSubscription(tx: Tx, made: NewSupplierSubscription): Promise<string> {
  const id = newId()
  await tx
    .insertInto('supplier_subscriptions')
    .values({
      id,
      supplier_id: made.supplierId,
      name: made.name,
      amount_minor: made.amountMinor,
      line_text: made.lineText,
      begins_on: made.beginsOn,
      ends_on: made.endsOn,
      grace_days: made.graceDays,
      recorded_by: made.actor,
    })
    .execute()
  await watchSupplierSubscriptions(tx, { supplierId: made.supplierId, now: made.now })
  return id
}

/**
 * From that day on nothing is expected. What was missing from then on is settled.
 * @param endsOn null: it goes on
 * @throws `date_range_invalid` before its first day
 */
export async function endSupplierSubscription(
  tx: Tx,
  { id, endsOn, now }: { readonly id: string; readonly endsOn: string | null; readonly now: string },
): Promise<void> {
  const { begins_on: beginsOn, supplier_id: supplierId } = await getSupplierSubscription(tx, id)
  if (endsOn !== null && endsOn < beginsOn)
    throw fieldError('/ends_on', 'date_range_invalid', `It begins on ${beginsOn}.`)
  await tx.updateTable('supplier_subscriptions').set({ ends_on: endsOn }).where('id', '=', id).execute()
  await watchSupplierSubscriptions(tx, { supplierId, now })
}

/**
 * The same once an invoice has come: only the months that it may be for are looked at, and those that are missing.
 * @param of `issuedOn`: of several, the earliest
 */
export async function watchArrived(
  db: Db,
  of: { readonly supplierId: string; readonly issuedOn: string; readonly now: string },
): Promise<void> {
  // Of most suppliers nothing is expected, and from some documents come by the thousand.
  if (!(await isWatched(db, of.supplierId))) return
  const open = await listMissing(db, of.supplierId)
  const days = [...open.map(({ expectedOn }) => expectedOn), monthBefore(of.issuedOn)]
  await watchFrom(db, { ...of, from: days.reduce(earlierDate), open })
}

async function isWatched(db: Db, supplierId: string): Promise<boolean> {
  const row = await db
    .selectFrom('supplier_subscriptions')
    .select('id')
    .where('supplier_id', '=', supplierId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** An invoice is for a month that was expected no more than one before its issue. */
const monthBefore = (day: string) => Temporal.PlainDate.from(day).subtract({ months: 1 }).toString()

/**
 * Holds what is expected against what has come: an invoice that is missing makes one task, which is closed when it comes, or is
 * expected no more. Looked at again it changes nothing.
 * @param of `supplierId` null: of all suppliers
 */
export async function watchSupplierSubscriptions(
  db: Db,
  of: { readonly supplierId: string | null; readonly now: string },
): Promise<void> {
  await watchFrom(db, { ...of, from: null, open: await listMissing(db, of.supplierId) })
}

type Missing = Awaited<ReturnType<typeof listMissing>>[number]

/** @param of `open`: what has an open task before it is looked at, none of it expected before `from` */
async function watchFrom(
  db: Db,
  of: {
    readonly supplierId: string | null
    readonly from: string | null
    readonly open: readonly Missing[]
    readonly now: string
  },
): Promise<void> {
  const { supplierId, from, open, now } = of
  const { timeZone } = await getInstallation(db)
  const today = dateIn(timeZone, now)
  const expectations = await readExpectations(db, { supplierId, today, from, until: today })
  const missing = expectations.filter(({ state }) => state === 'missing')
  for (const one of missing) await noteMissing(db, one, now)
  await closeSettled(db, open, new Set(missing.map(keyOf)))
}

const keyOf = ({ subscriptionId, expectedOn }: { subscriptionId: string; expectedOn: string }) =>
  `${subscriptionId} ${expectedOn}`

/** Each has one open task, however often it is looked at. One that had come, and was voided since, is missing again. */
async function noteMissing(db: Db, missing: MetExpectation, now: string): Promise<void> {
  const { id } = await db
    .insertInto('missing_supplier_invoices')
    .values({
      id: newId(),
      supplier_subscription_id: missing.subscriptionId,
      expected_on: missing.expectedOn,
      missed_at: now,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['supplier_subscription_id', 'expected_on'])
        .doUpdateSet((eb) => ({ expected_on: eb.ref('excluded.expected_on') })),
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  const { supplier_name: supplier, name, currency, amount_minor: amountMinor } = missing.subscription
  const about = amountMinor === null ? '' : `, about ${formatMoney(amountMinor, currency)} net`
  await openTask(db, {
    kind: 'supplier_invoice_missing',
    subjectKind: 'missing_supplier_invoice',
    subjectId: id,
    subject: `No invoice of ${supplier} for ${name}`,
    detail: `It was expected on ${missing.expectedOn}${about}. Ask the supplier for it, or record it: npx clouder supplier-invoices record. If nothing is billed any more, end the supplier subscription.`,
  })
}

async function closeSettled(db: Db, open: readonly Missing[], missing: ReadonlySet<string>): Promise<void> {
  for (const row of open)
    if (!missing.has(keyOf(row)))
      await closeTasks(
        db,
        {
          kind: 'missing_supplier_invoice',
          id: row.id,
          reason: 'It has come, or is expected no more.',
        },
        ['supplier_invoice_missing'],
      )
}

/** What is missing of a supplier, or of all, and has an open task. */
async function listMissing(db: Db, supplierId: string | null) {
  const open = await listOpenTasks(db, ['supplier_invoice_missing'])
  if (open.length === 0) return []
  let query = db
    .selectFrom('missing_supplier_invoices as missed')
    .innerJoin('supplier_subscriptions as subscription', 'subscription.id', 'missed.supplier_subscription_id')
    .select([
      'missed.id',
      'missed.supplier_subscription_id as subscriptionId',
      'missed.expected_on as expectedOn',
    ])
    .where(
      'missed.id',
      'in',
      open.map(({ subjectId }) => subjectId),
    )
  if (supplierId !== null) query = query.where('subscription.supplier_id', '=', supplierId)
  return await query.execute()
}
