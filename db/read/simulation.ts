import { sql } from 'kysely'
import { addDays, billingInterval, cycleBoundary, daysIn } from '#domain/calendar.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import type { AssumedUsage } from '#domain/invoice/assumed-usage.ts'
import { simulateDocuments, type SimulatedBill } from '#domain/invoice/simulation.ts'
import { findTurningPoints, type Agreed, type TurningPoint } from '#domain/invoice/turning-point.ts'
import type { Db } from '../database.ts'
import type { SubscriptionTerm } from '../tables/subscription.ts'
import { readStanding, type ReadStanding } from './standing.ts'

/** The months to come of a subscription. */
export interface Simulation {
  /** Today, and the last day that was looked at. */
  readonly from: string
  readonly until: string
  readonly bills: readonly SimulatedBill[]
  readonly points: readonly TurningPoint[]
  readonly standing: ReadStanding
}

const mostLines = 20_000

/**
 * The invoices of the next months, whole documents, and what happens on the way, if so much is used. The bills are those that
 * a test clock would make; of metrics of which nothing is assumed only what was measured so far counts.
 * @param assumed by metric, or by the code of a limit
 * @returns null where nothing is billed any more, or nothing yet
 * @throws `metric_unknown`, `simulation_too_large`, and what `computeDocument` refuses
 */
export async function readSimulation(
  db: Db,
  subscriptionId: string,
  { months, assumed }: { months: number; assumed: AssumedUsage },
): Promise<Simulation | null> {
  const standing = await readStanding(db, { subscriptionId })
  if (standing === null) return null
  const agreed = await readAgreed(db, subscriptionId)
  refuseUnknown(standing, agreed, assumed)
  const { today } = standing
  const until = cycleBoundary(today, { count: 1, unit: 'month' }, months)
  refuseTooLarge(standing, until)
  const all = simulateDocuments(standing, assumed, until)
  const bills = all.filter((bill) =>
    bill.documentId === null
      ? bill.subscriptionId === subscriptionId
      : standing.documentIds.has(bill.documentId),
  )
  const points = findTurningPoints(standing, bills, agreed, { assumed, after: today, until })
  return {
    from: today,
    until,
    bills,
    points: points.filter((point) => point.subscriptionId === subscriptionId),
    standing,
  }
}

async function readAgreed(db: Db, subscriptionId: string): Promise<Agreed> {
  const limits = await db
    .selectFrom('subscription_lines')
    .select(['id', 'limit_code'])
    .where('subscription_id', '=', subscriptionId)
    .where('limit_code', 'is not', null)
    .where('starts_on', 'is not', null)
    .execute()
  const { rows } = await sql<{ term: SubscriptionTerm; starts_on: string }>`
    select term, starts_on from subscriptions
    where id = ${subscriptionId} and term is not null and starts_on is not null and ends_on is null`.execute(
    db,
  )
  return {
    limits: limits.map((row) => ({ lineId: row.id, code: row.limit_code ?? '' })),
    terms: rows.map(({ term, starts_on: startsOn }) => ({
      subscriptionId,
      term: {
        startsOn,
        length: billingInterval(term.length),
        notice: billingInterval(term.notice),
        isRenewed: term.renewal === 'renew',
      },
    })),
  }
}

function refuseUnknown(standing: ReadStanding, { limits }: Agreed, assumed: AssumedUsage): void {
  const metrics = standing.documents.flatMap(({ input }) => input.lines.flatMap(({ metric }) => metric ?? []))
  const known = new Set([...metrics, ...limits.map(({ code }) => code)])
  for (const name of assumed.keys()) {
    if (known.has(name)) continue
    const detail = `Nothing of it is metered or limited by ${name}: ${[...known].join(', ') || 'nothing at all'}.`
    throw fieldError(`/usage/${name}`, 'metric_unknown', detail)
  }
}

/** At most: a document bills each of its lines once a period. */
function refuseTooLarge({ documents, today }: ReadStanding, until: string): void {
  const days = daysIn({ start: today, end: addDays(until, 1) })
  const lines = documents.map(({ cycles: { anchor, interval }, input }) => {
    const daysOfCycle = daysIn({ start: anchor, end: cycleBoundary(anchor, interval, 1) })
    return input.lines.length * Math.ceil(days / daysOfCycle)
  })
  const count = lines.reduce((total, ofDocument) => total + ofDocument, 0)
  if (count <= mostLines) return
  const detail = `${count} lines would be computed; at most ${mostLines} are.`
  throw new BusinessError('simulation_too_large', detail)
}
