import { sql } from 'kysely'
import type { PeerMessageKind } from '#domain/peer-message.ts'
import type { Db } from '../database.ts'
import { untakenDocuments } from '../untaken-document.ts'
import { onPage, type PageRequest } from './page.ts'

function peers(db: Db) {
  return db
    .selectFrom('peers as peer')
    .leftJoin('customers as customer', 'customer.id', 'peer.customer_id')
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
    .select((eb) => eb.fn.coalesce('customer.code', 'peer.billed_as').as('customer'))
    .select('peer.other_version')
    .select([
      holding(true).as('own_key'),
      holding(false).as('other_key'),
      keys.as('keys'),
      refusals.as('refusals'),
    ])
    .select([
      waiting.as('waiting'),
      waitingSince.as('waiting_since'),
      waitingReason.as('waiting_reason'),
      waitingKinds.as('waiting_kinds'),
      delivered.as('delivered'),
      received.as('received'),
      untaken.as('untaken'),
    ])
}

/** The newest key of a side that holds: ours signs, theirs is what their messages are signed by. Of a closed peer the last that did. */
const holding = (isOwn: boolean) => sql<string | null>`(select id from peer_keys
  where peer_id = peer.id and is_own = ${isOwn} and holds_from is not null
  order by revoked_at is not null, holds_from desc, made_at desc limit 1)`

/** An instant inside JSON, as instants are written elsewhere. */
const utc = (column: string) =>
  sql`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

export interface PeerKeyFacts {
  readonly fingerprint: string
  /** Base64. */
  readonly key: string
  readonly side: 'ours' | 'theirs'
  readonly since: string | null
  readonly until: string | null
  readonly revoked_at: string | null
}

const keys = sql<readonly PeerKeyFacts[]>`(select coalesce(json_agg(json_build_object('fingerprint', id,
    'key', encode(public_key, 'base64'), 'side', case when is_own then 'ours' else 'theirs' end, 'since', ${utc('holds_from')},
    'until', ${utc('expires_at')}, 'revoked_at', ${utc('revoked_at')}) order by made_at desc), '[]')
  from peer_keys where peer_id = peer.id)`

export interface PeerRefusalFacts {
  readonly code: string
  readonly day: string
  readonly count: number
  readonly first_at: string
  readonly last_at: string
  readonly detail: string
}

const refusals = sql<PeerRefusalFacts[]>`(select coalesce(json_agg(json_build_object('code', code, 'day', day,
    'count', count, 'first_at', ${utc('first_at')}, 'last_at', ${utc('last_at')}, 'detail', detail) order by last_at desc), '[]')
  from (select * from peer_refusals where peer_id = peer.id order by last_at desc limit 10) as newest)`

/** Of a closed peer no more what its installation is sent as another one since. */
const isWaiting = sql`delivered_at is null and (peer.state <> 'closed' or not exists (
  select from peer_messages anew join peers present on present.id = anew.peer_id
  where anew.subject_id = message.subject_id and anew.kind = message.kind and anew.peer_id <> peer.id
    and present.installation_id = peer.installation_id and present.created_at > peer.created_at))`
const waiting = sql<number>`(select count(*)::int from peer_messages message where peer_id = peer.id and ${isWaiting})`
const waitingSince = sql<
  string | null
>`(select min(queued_at) from peer_messages message where peer_id = peer.id and ${isWaiting})`
/** By kind, and whether the other side has said that it understands it: what it does not waits until it does. */
const waitingKinds = sql<readonly { kind: PeerMessageKind; waiting: number; is_understood: boolean }[]>`(
  select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'waiting', waiting, 'is_understood', kind = any (peer.other_kinds))
    order by kind), '[]')
  from (select kind, count(*) as waiting from peer_messages message where peer_id = peer.id and ${isWaiting} group by kind) by_kind)`
/** Of what waits, or of an invitation that was accepted here; what was said before that was about something else. */
const waitingReason = sql<
  string | null
>`(case when ${waiting} > 0 or peer.state = 'accepting' then peer.waiting_reason end)`
/** Documents alone, as what is received. Without a look at each that was delivered: all there are are counted by an index, few wait. */
const delivered = sql<number>`((select count(*)::int from peer_messages where peer_id = peer.id and kind = 'document')
  - (select count(*)::int from peer_messages where peer_id = peer.id and kind = 'document' and delivered_at is null))`
const received = sql<number>`(select count(*)::int from supplier_invoices where peer_id = peer.id)`

/** Of a closed peer that we billed: what it never took, and nobody else of that installation is sent. */
const untaken = sql<number>`(case when peer.state = 'closed' and peer.customer_id is not null and peer.installation_id is not null
  then (select count(*)::int from ${untakenDocuments({ customerId: sql`peer.customer_id`, installationId: sql`peer.installation_id` })})
  else 0 end)`

export type PeerRow = Awaited<ReturnType<typeof listPeers>>[number]

export async function listPeers(db: Db, page: PageRequest) {
  return await onPage(peers(db), page, 'peer.id').execute()
}

/** With how many documents wait for it, since when, and how many went each way. */
export async function getPeer(db: Db, id: string): Promise<PeerRow> {
  return await peers(db).where('peer.id', '=', id).executeTakeFirstOrThrow()
}

/** The installation that a customer has of its own, as far as it is paired with or invited. */
export async function findCustomerPeer(db: Db, customerId: string) {
  return await db
    .selectFrom('peers')
    .select(['name', 'state'])
    .where('customer_id', '=', customerId)
    .where('state', '<>', 'closed')
    .executeTakeFirst()
}
