import { sql, type RawBuilder } from 'kysely'
import type { Tx } from './database.ts'
import { queuePeerMessages } from './peer-queue.ts'
import { queuePeerStandings } from './peer-standing.ts'
import { lockSeries } from './series-lock.ts'

/** Of one statement: no more parameters than it may have. */
const documentsAtOnce = 1_000

/**
 * For a query, what an installation was to be sent as a customer of ours and never took: documents that waited for a peer of it when that
 * was closed, and all that were finalized for the customer since it was first paired with. What was finalized before that is not among
 * them: it went another way.
 */
export function untakenDocuments(of: { customerId: RawBuilder<string>; installationId: RawBuilder<string> }) {
  const sent = sql`peer_messages message join peers sent_to on sent_to.id = message.peer_id
    where message.kind = 'document' and message.subject_id = invoice.id and sent_to.installation_id = ${of.installationId}`
  return sql`invoices invoice where invoice.customer_id = ${of.customerId} and invoice.number is not null and invoice.test_clock_id is null
    and (invoice.finalized_at >= (select min(paired_at) from peers first where first.role = 'customer'
        and first.customer_id = ${of.customerId} and first.installation_id = ${of.installationId} and first.state = 'closed')
      or exists (select from ${sent}))
    and not exists (select from ${sent} and (message.delivered_at is not null or sent_to.state in ('active', 'halted')))`
}

/**
 * Lays down for an installation that is paired with anew what it never took before, in the order in which it was finalized, with how that
 * stands by now: nobody else tells it of these, and it cannot write them down, for they are its supplier's.
 */
export async function queueUntakenDocuments(
  tx: Tx,
  peer: { id: string; customerId: string; installationId: string },
): Promise<void> {
  if (!(await wasPaired(tx, peer))) return
  await waitForNumbers(tx)
  const { rows } = await sql<{ id: string; hasChanged: boolean }>`
    select invoice.id, exists (select from allocations where invoice_id = invoice.id)
      or exists (select from invoice_marks where invoice_id = invoice.id) as "hasChanged"
    from ${untakenDocuments({ customerId: sql`${peer.customerId}::uuid`, installationId: sql`${peer.installationId}::uuid` })}
    order by invoice.finalized_at, invoice.kind desc, invoice.id`.execute(tx)
  for (let done = 0; done < rows.length; done += documentsAtOnce) {
    const next = rows.slice(done, done + documentsAtOnce)
    await queuePeerMessages(
      tx,
      peer.id,
      next.map(({ id }) => ({ kind: 'document', subjectId: id, content: null })),
    )
  }
  const changed = rows.filter(({ hasChanged }) => hasChanged)
  await queuePeerStandings(
    tx,
    changed.map(({ id }) => id),
  )
}

async function wasPaired(
  tx: Tx,
  { customerId, installationId }: { customerId: string; installationId: string },
): Promise<boolean> {
  const former = await tx
    .selectFrom('peers')
    .select('id')
    .where('role', '=', 'customer')
    .where('customer_id', '=', customerId)
    .where('installation_id', '=', installationId)
    .where('state', '=', 'closed')
    .limit(1)
    .executeTakeFirst()
  return former !== undefined
}

/** Who finalizes holds a series to the end, and has looked for peers by then: what that is for is seen below, and what comes later sees this peer. */
async function waitForNumbers(tx: Tx): Promise<void> {
  const series = await tx.selectFrom('number_series').select('code').execute()
  await lockSeries(
    tx,
    series.map(({ code }) => code),
  )
}
