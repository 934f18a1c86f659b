import { sql } from 'kysely'
import type { PeerMessageKind } from '#domain/peer-message.ts'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function peers(db: Db) {
  return db
    .selectFrom('peers as peer')
    .leftJoin('customers as customer', 'customer.id', 'peer.customer_id')
    .leftJoin('peer_keys as own', (join) =>
      join.onRef('own.peer_id', '=', 'peer.id').on('own.is_own', '=', true),
    )
    .leftJoin('peer_keys as other', (join) =>
      join.onRef('other.peer_id', '=', 'peer.id').on('other.is_own', '=', false),
    )
    .select([
      'peer.id',
      'peer.role',
      'peer.state',
      'peer.halted_reason',
      'peer.name',
      'peer.url',
      'peer.currency',
    ])
    .select([
      'peer.installation_id',
      'peer.other_peer_id',
      'peer.invitation_expires_at',
      'peer.created_at',
      'peer.paired_at',
      'peer.closed_at',
    ])
    .select(['customer.code as customer_code', 'own.id as own_key', 'other.id as other_key'])
    .select([
      waiting.as('waiting'),
      waitingSince.as('waiting_since'),
      waitingReason.as('waiting_reason'),
      waitingKinds.as('waiting_kinds'),
      delivered.as('delivered'),
      received.as('received'),
    ])
}

const waiting = sql<number>`(select count(*)::int from peer_messages where peer_id = peer.id and delivered_at is null)`
const waitingSince = sql<
  string | null
>`(select min(queued_at) from peer_messages where peer_id = peer.id and delivered_at is null)`
/** By kind, and whether the other side has said that it understands it: what it does not waits until it does. */
const waitingKinds = sql<readonly { kind: PeerMessageKind; waiting: number; is_understood: boolean }[]>`(
  select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'waiting', waiting, 'is_understood', kind = any (peer.other_kinds))
    order by kind), '[]')
  from (select kind, count(*) as waiting from peer_messages where peer_id = peer.id and delivered_at is null group by kind) by_kind)`
/** Of what waits; what was said before that was about something else. */
const waitingReason = sql<string | null>`(case when ${waiting} > 0 then peer.waiting_reason end)`
/** All that was ever queued has a number, without a gap. */
const delivered = sql<number>`(peer.last_sequence::int - ${waiting})`
const received = sql<number>`(select count(*)::int from supplier_invoices where peer_id = peer.id)`

export type PeerRow = Awaited<ReturnType<typeof listPeers>>[number]

export async function listPeers(db: Db, page: PageRequest) {
  return await onPage(peers(db), page, 'peer.id').execute()
}

/** With how many documents wait for it, since when, and how many went each way. */
export async function getPeer(db: Db, id: string): Promise<PeerRow> {
  return await peers(db).where('peer.id', '=', id).executeTakeFirstOrThrow()
}
