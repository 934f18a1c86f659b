import { sql } from 'kysely'
import { openMinor, standingOf } from '#domain/invoice/balance.ts'
import { encodeId } from '#domain/identifier.ts'
import { trustedPeerStates } from '#domain/peer.ts'
import type { SupplierStanding } from '#domain/supplier-standing.ts'
import { hashOf } from './content-hash.ts'
import type { Tx } from './database.ts'
import { readInvoiceMoney } from './invoice-money.ts'
import { queuePeerMessages, readLastTold } from './peer-queue.ts'

/**
 * Lays down for customers that are installations themselves how these invoices stand now, in the transaction that pays, credits or
 * marks them; of those whose document they are sent, or took as a peer that was closed since, and only where it is not what they were
 * told last. What locks goes before.
 */
export async function queuePeerStandings(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  if (invoiceIds.length === 0) return
  const sent = await tx
    .selectFrom('peer_messages as message')
    .innerJoin('peers as sent_to', 'sent_to.id', 'message.peer_id')
    .innerJoin('peers', (join) =>
      join.on((eb) =>
        eb.or([
          eb('peers.id', '=', eb.ref('sent_to.id')),
          eb.and([
            eb('message.delivered_at', 'is not', null),
            eb('sent_to.state', '=', 'closed'),
            eb('peers.role', '=', 'customer'),
            eb('peers.installation_id', '=', eb.ref('sent_to.installation_id')),
          ]),
        ]),
      ),
    )
    .select(['peers.id as peer_id', 'message.subject_id'])
    .where('message.subject_id', 'in', invoiceIds)
    .where('message.kind', '=', 'document')
    .where('peers.state', 'in', trustedPeerStates)
    .orderBy('peers.id')
    .orderBy('message.sequence')
    .execute()
  for (const { peer_id: peerId, subject_id: invoiceId } of sent)
    if (invoiceId !== null) await queueStanding(tx, peerId, invoiceId)
}

/**
 * Lays down for an installation that is paired with anew what has become, since it was told last, of the invoices that it took as a peer
 * before.
 */
export async function queueFormerStandings(tx: Tx, installationId: string): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select distinct invoice.id from peers former
    join peer_messages message on message.peer_id = former.id and message.kind = 'document' and message.delivered_at is not null
    join invoices invoice on invoice.id = message.subject_id and invoice.kind = 'invoice'
    left join lateral (select content from peer_messages standing
      where standing.peer_id = former.id and standing.subject_id = invoice.id and standing.kind = 'standing'
        and standing.delivered_at is not null order by sequence desc limit 1) told on true
    cross join lateral (select sum(amount_minor) as taken_minor, max(allocated_at) as at from allocations
      where invoice_id = invoice.id) money
    cross join lateral (select max(coalesce(ended_at, marked_at)) as at from invoice_marks where invoice_id = invoice.id) mark
    where former.installation_id = ${installationId} and former.role = 'customer' and former.state = 'closed'
      and (money.at is not null or mark.at is not null)
      and (told.content is null
        or (told.content ->> 'open_minor')::bigint is distinct from invoice.total_minor - coalesce(money.taken_minor, 0)
        or (told.content ->> 'since')::timestamptz is distinct from greatest(money.at, mark.at))
    order by invoice.id`.execute(tx)
  await queuePeerStandings(
    tx,
    rows.map(({ id }) => id),
  )
}

async function queueStanding(tx: Tx, peerId: string, invoiceId: string): Promise<void> {
  const content = await readStanding(tx, invoiceId)
  const subject = { kind: 'standing', subjectId: invoiceId } as const
  const told = await readLastTold(tx, peerId, subject)
  if (told !== undefined && hashOf(told).equals(hashOf(content))) return
  await queuePeerMessages(tx, peerId, [{ ...subject, content: { ...content } }])
}

/** As its rows say, which the caller's transaction has changed. */
async function readStanding(tx: Tx, invoiceId: string): Promise<SupplierStanding> {
  const money = await readInvoiceMoney(tx, invoiceId)
  const { rows } = await sql<{ since: string }>`
    select coalesce(greatest(
      (select max(allocated_at) from allocations where invoice_id = invoice.id),
      (select max(coalesce(ended_at, marked_at)) from invoice_marks where invoice_id = invoice.id)),
      invoice.finalized_at) as since
    from invoices invoice where invoice.id = ${invoiceId}`.execute(tx)
  return {
    document: encodeId('invoice', invoiceId),
    state: standingOf(money),
    paid_minor: money.paidMinor,
    credited_minor: money.creditNotesMinor,
    open_minor: openMinor(money),
    since: rows[0]?.since ?? '',
  }
}
