import { assert } from '#domain/assert.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { invitationLifetimeMs, type PeerRole, type PeerState } from '#domain/peer.ts'
import type { Understanding } from '#domain/peer-message.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { isKnownKey, isPinned, makeOwnKey, pinKey } from './peer-key.ts'
import { aboveOf, refuseCycle, tellAbove } from './peer-level.ts'
import { queueFormerStandings } from './peer-standing.ts'
import { open, seal, type InstallationKey } from './sealing.ts'
import { closePeer, type By } from './peer.ts'
import { ensurePeerSupplier } from './supplier.ts'
import { queueUntakenDocuments } from './untaken-document.ts'

const codeName = 'peer_invitation'

export interface NewPeer {
  readonly id: string
  readonly role: PeerRole
  readonly customerId: string | null
}

/** Makes an invitation for another installation; only the hash of its code is kept. @throws `peer_taken` */
export async function invitePeer(
  tx: Tx,
  peer: NewPeer & { codeSha256: Buffer },
  key: InstallationKey | null,
  by: By,
): Promise<void> {
  await insertPeer(tx, peer, by, {
    state: 'invited',
    invitation_sha256: peer.codeSha256,
    invitation_expires_at: new Date(Date.parse(by.now) + invitationLifetimeMs).toISOString(),
  })
  await makeOwnKey(tx, key, { peerId: peer.id, now: by.now })
}

/** Accepts the invitation of another installation; whether it stands is asked over there. @throws `peer_taken` */
export async function acceptPeer(
  tx: Tx,
  peer: NewPeer & { otherPeerId: string; url: string; code: string },
  key: InstallationKey | null,
  by: By,
): Promise<void> {
  if (key === null) throw new Error('a code is sealed with the key file, which was not given')
  const { keyId, sealed } = seal(key, peer.id, codeName, peer.code)
  await insertPeer(tx, peer, by, {
    state: 'accepting',
    other_peer_id: peer.otherPeerId,
    url: peer.url,
    code_key_id: keyId,
    code_sealed: sealed,
  })
  await makeOwnKey(tx, key, { peerId: peer.id, now: by.now })
}

async function insertPeer(
  tx: Tx,
  { id, role, customerId }: NewPeer,
  by: By,
  more: { state: PeerState; other_peer_id?: string; [column: string]: unknown },
): Promise<void> {
  if (customerId !== null) await closeExpiredInvitation(tx, customerId, by)
  const currency = customerId === null ? null : await currencyOf(tx, customerId)
  const made = await tx
    .insertInto('peers')
    .values({
      id,
      role,
      customer_id: customerId,
      currency,
      created_at: by.now,
      created_by: by.actor,
      ...more,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if ((made.numInsertedOrUpdatedRows ?? 0n) === 0n)
    throw await whyTaken(tx, { customerId, otherPeerId: more.other_peer_id })
}

/** Nobody can accept it any more, so that it stands in nobody's way. Locked: one that is redeemed meanwhile is a peer. */
async function closeExpiredInvitation(tx: Tx, customerId: string, by: By): Promise<void> {
  const expired = await tx
    .selectFrom('peers')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('state', '=', 'invited')
    .where('invitation_expires_at', '<=', by.now)
    .forUpdate()
    .executeTakeFirst()
  if (expired !== undefined)
    await closePeer(tx, expired.id, { ...by, reason: 'Its invitation expired, and another one followed.' })
}

async function whyTaken(
  tx: Tx,
  of: { customerId: string | null; otherPeerId: string | undefined },
): Promise<BusinessError> {
  const accepted =
    of.otherPeerId === undefined
      ? undefined
      : await tx
          .selectFrom('peers')
          .select(['id', 'state'])
          .where('other_peer_id', '=', of.otherPeerId)
          .executeTakeFirst()
  if (accepted !== undefined) {
    const { id, state } = accepted
    const advice = state === 'closed' ? 'Accept another invitation' : 'Use that one, or close it'
    return taken(
      `This invitation was accepted here already, as ${encodeId('peer', id)}: ${state}. ${advice}.`,
    )
  }
  const other = await tx
    .selectFrom('peers')
    .select(['id', 'state', 'invitation_expires_at'])
    .where('customer_id', '=', of.customerId)
    .where('state', '<>', 'closed')
    .executeTakeFirst()
  // Closed since.
  if (other === undefined) return taken('There was such a peer until now. Try again.')
  const peer = encodeId('peer', other.id)
  return taken(
    other.state === 'invited'
      ? `An installation of this customer is invited already, as ${peer}, until ${other.invitation_expires_at}. Withdraw that invitation first.`
      : `This customer has a peer already, ${peer}: ${other.state}. Close that one first.`,
  )
}

function taken(detail: string): BusinessError {
  return new BusinessError('peer_taken', detail)
}

async function currencyOf(tx: Tx, customerId: string): Promise<string> {
  const { currency } = await tx
    .selectFrom('customers')
    .select('currency')
    .where('id', '=', customerId)
    .executeTakeFirstOrThrow()
  return currency
}

/** What one side tells the other of itself when they are paired. */
export interface Pairing {
  /** By which it knows us. */
  readonly otherPeerId: string
  readonly installationId: string
  readonly name: string
  readonly url: string
  readonly publicKey: Buffer
  /** Of the customer; null from who is billed, who takes it from the other. */
  readonly currency: string | null
  /** The code of the customer that the other one is; null from who is billed, and from versions that did not say. */
  readonly customer: string | null
  readonly understands: Understanding
  /** Of a supplier: who is above it, itself too, by hashed ids. */
  readonly above: readonly string[]
}

/**
 * Redeems an invitation, once. The same one who asks again, because the answer was lost, gets the same answer.
 * @throws `invitation_unknown`, `invitation_used`, `invitation_expired`, `peer_is_own`, `peer_taken`, `peer_cycle`, `currency_unknown`
 */
export async function redeemInvitation(
  tx: Tx,
  asked: Pairing & { peerId: string; codeSha256: Buffer },
  { ownInstallationId, now }: { ownInstallationId: string; now: string },
): Promise<Pairing['currency']> {
  const peer = await tx
    .selectFrom('peers')
    .selectAll()
    .where('id', '=', asked.peerId)
    .where('invitation_sha256', '=', asked.codeSha256)
    .forUpdate()
    .executeTakeFirst()
  if (peer === undefined) throw new BusinessError('invitation_unknown', 'This invitation is not known here.')
  if (asked.installationId === ownInstallationId)
    throw new BusinessError('peer_is_own', 'An installation is no peer of itself.')
  if (peer.invitation_used_at !== null) {
    if (peer.state === 'active' && (await isPinned(tx, peer.id, asked.publicKey))) return peer.currency
    throw new BusinessError('invitation_used', `This invitation was used at ${peer.invitation_used_at}.`)
  }
  if ((peer.invitation_expires_at ?? '') <= now)
    throw new BusinessError('invitation_expired', `This invitation expired at ${peer.invitation_expires_at}.`)
  // Withdrawn by who made it.
  if (peer.state !== 'invited')
    throw new BusinessError('invitation_unknown', 'This invitation is not known here.')
  const currency = peer.currency ?? asked.currency
  await tx.updateTable('peers').set({ invitation_used_at: now }).where('id', '=', peer.id).execute()
  await pairPeer(tx, peer.id, { ...asked, currency }, now)
  return currency
}

/**
 * From here on documents go over.
 * @throws `currency_unknown` where neither side has said one, `peer_taken`, `peer_cycle`, `action_not_allowed` for what waits for no answer
 */
export async function pairPeer(tx: Tx, peerId: string, other: Pairing, now: string): Promise<void> {
  if (other.currency === null)
    throw new BusinessError('currency_unknown', 'Neither side has said in which currency it bills.')
  await refuseTakenPeer(tx, peerId, other)
  const { role, customer_id: customerId } = await tx
    .selectFrom('peers')
    .select(['role', 'customer_id'])
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
  await refuseCycle(tx, { ...other, role })
  const paired = await tx
    .updateTable('peers')
    .set({
      installation_id: other.installationId,
      other_peer_id: other.otherPeerId,
      name: other.name,
      url: other.url,
      currency: other.currency,
      billed_as: role === 'supplier' ? other.customer : null,
      other_version: other.understands.version,
      other_kinds: [...other.understands.kinds],
      above: role === 'supplier' ? aboveOf(other) : [],
      state: 'active',
      paired_at: now,
      waiting_reason: null,
      code_key_id: null,
      code_sealed: null,
    })
    .where('id', '=', peerId)
    .where('state', 'in', ['invited', 'accepting'])
    .executeTakeFirst()
  if (paired.numUpdatedRows === 0n)
    throw new BusinessError('action_not_allowed', 'This peer waits for no answer any more.')
  await pinKey(tx, { peerId, publicKey: other.publicKey, now })
  // What its documents mean here can be agreed before the first one comes.
  if (role === 'supplier') await ensurePeerSupplier(tx, peerId)
  await insertEvent(tx, {
    kind: 'peer.paired',
    data: { peer: other.name, installation: other.installationId },
  })
  if (role === 'supplier') await tellAbove(tx)
  if (customerId !== null) {
    await queueFormerStandings(tx, other.installationId)
    await queueUntakenDocuments(tx, { id: peerId, customerId, installationId: other.installationId })
  }
}

/** One trust in each direction with one installation; a key, and an id over there, are of one peer. */
async function refuseTakenPeer(tx: Tx, peerId: string, other: Pairing): Promise<void> {
  const same = await tx
    .selectFrom('peers as peer')
    .innerJoin('peers as other', (join) => join.on('other.id', '<>', peerId))
    .select('other.other_peer_id')
    .where('peer.id', '=', peerId)
    .where((eb) =>
      eb.or([
        eb('other.other_peer_id', '=', other.otherPeerId),
        eb.and([
          eb('other.installation_id', '=', other.installationId),
          eb('other.role', '=', eb.ref('peer.role')),
          eb('other.state', '<>', 'closed'),
        ]),
      ]),
    )
    .executeTakeFirst()
  if (same?.other_peer_id === other.otherPeerId)
    throw taken('That installation has sent an id by which another peer here is known. It has to pair anew.')
  if (same !== undefined)
    throw taken('That installation is such a peer here already. Close that one first, or use it.')
  if (await isKnownKey(tx, other.publicKey))
    throw taken(
      'That key is of a peer here already. The other installation has to pair with a key of its own.',
    )
}

export interface AcceptedPeer {
  /** By which the other side knows us. */
  readonly otherPeerId: string
  readonly url: string
  readonly currency: string | null
  /** The code of the customer that it is here; null where it bills us. */
  readonly customer: string | null
  readonly publicKey: Buffer
  /** Null where no answer is waited for: once it is paired, or closed. */
  readonly code: string | null
}

/** What the other side is told by who accepted its invitation. */
export async function readAcceptedPeer(db: Db, key: InstallationKey, peerId: string): Promise<AcceptedPeer> {
  const row = await db
    .selectFrom('peers')
    .innerJoin('peer_keys', (join) =>
      join.onRef('peer_keys.peer_id', '=', 'peers.id').on('is_own', '=', true),
    )
    .leftJoin('customers', 'customers.id', 'peers.customer_id')
    .select(['state', 'other_peer_id', 'url', 'peers.currency', 'code_key_id', 'code_sealed', 'public_key'])
    .select('customers.code as customer')
    .where('peers.id', '=', peerId)
    .orderBy('peer_keys.made_at', 'desc')
    .executeTakeFirstOrThrow()
  assert(row.url !== null && row.other_peer_id !== null, 'who accepts an invitation knows whose it is')
  const { code_key_id: keyId, code_sealed: sealed } = row
  const isWaiting = row.state === 'accepting' && keyId !== null && sealed !== null
  const code = isWaiting ? open(key, peerId, { name: codeName, keyId, sealed }) : null
  return {
    otherPeerId: row.other_peer_id,
    url: row.url,
    currency: row.currency,
    customer: row.customer,
    publicKey: row.public_key,
    code,
  }
}
