import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'
import { open, seal, type InstallationKey } from './sealing.ts'

const secretName = 'peer_key'
/** What stands before the 32 bytes of an ed25519 key in SubjectPublicKeyInfo and PKCS #8 (RFC 8410). */
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex')
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** By which a key is named: SHA-256 of the public key, base64url. People compare it. */
function fingerprintOf(publicKey: Buffer): string {
  return createHash('sha256').update(publicKey).digest('base64url')
}

/**
 * Makes our key for a peer; its private half is sealed, and bound to the peer.
 * @param of.isNext it signs nothing until the other side has taken it
 */
export async function makeOwnKey(
  tx: Tx,
  key: InstallationKey | null,
  { peerId, now, isNext = false }: { peerId: string; now: string; isNext?: boolean },
): Promise<{ id: string; publicKey: Buffer }> {
  if (key === null) throw new Error('a key is sealed with the key file, which was not given')
  const pair = generateKeyPairSync('ed25519')
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(publicPrefix.length)
  const secret = pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(privatePrefix.length)
  const id = fingerprintOf(publicKey)
  const { keyId, sealed } = seal(key, peerId, `${secretName}/${id}`, secret.toString('base64'))
  await tx
    .insertInto('peer_keys')
    .values({
      id,
      peer_id: peerId,
      is_own: true,
      public_key: publicKey,
      key_id: keyId,
      sealed,
      made_at: now,
      holds_from: isNext ? null : now,
    })
    .execute()
  return { id, publicKey }
}

/** Whether a key is of some peer already, or our own: one that is sent back to us is nobody's. */
export async function isKnownKey(db: Db, publicKey: Buffer): Promise<boolean> {
  const row = await db
    .selectFrom('peer_keys')
    .select('id')
    .where('id', '=', fingerprintOf(publicKey))
    .executeTakeFirst()
  return row !== undefined
}

/** Ours, as the other side is told of it. */
export async function readOwnPublicKey(db: Db, peerId: string): Promise<Buffer> {
  const { public_key: publicKey } = await ownKeys(db, peerId)
    .where('holds_from', 'is not', null)
    .executeTakeFirstOrThrow()
  return publicKey
}

/** Pins a key by which the other side's messages are known from now on. @returns its fingerprint */
export async function pinKey(
  tx: Tx,
  { peerId, publicKey, now }: { peerId: string; publicKey: Buffer; now: string },
): Promise<string> {
  const id = fingerprintOf(publicKey)
  await tx
    .insertInto('peer_keys')
    .values({
      id,
      peer_id: peerId,
      is_own: false,
      public_key: publicKey,
      key_id: null,
      sealed: null,
      made_at: now,
      holds_from: now,
    })
    .execute()
  return id
}

/** Whether a key is one of those by which this peer's messages are known, or were. */
export async function isPinned(tx: Tx, peerId: string, publicKey: Buffer): Promise<boolean> {
  const row = await tx
    .selectFrom('peer_keys')
    .select('id')
    .where('peer_id', '=', peerId)
    .where('is_own', '=', false)
    .where('public_key', '=', publicKey)
    .executeTakeFirst()
  return row !== undefined
}

export interface Signer {
  readonly keyId: string
  readonly sign: (data: Buffer) => Buffer
}

/** Signs with that of our keys for a peer which it has taken last. */
export async function openSigner(db: Db, key: InstallationKey, peerId: string): Promise<Signer> {
  const row = await ownKeys(db, peerId).where('holds_from', 'is not', null).executeTakeFirstOrThrow()
  return signerOf(key, peerId, row)
}

/** Signs with the key that was made to follow; undefined where none is to. It may be known over there, where the answer was lost. */
export async function openNextSigner(
  db: Db,
  key: InstallationKey,
  peerId: string,
): Promise<Signer | undefined> {
  const row = await ownKeys(db, peerId).where('holds_from', 'is', null).executeTakeFirst()
  return row && signerOf(key, peerId, row)
}

/** Those that are not revoked, the newest first. */
function ownKeys(db: Db, peerId: string) {
  return db
    .selectFrom('peer_keys')
    .select(['id', 'public_key', 'key_id', 'sealed'])
    .where('peer_id', '=', peerId)
    .where('is_own', '=', true)
    .where('revoked_at', 'is', null)
    .orderBy('holds_from', 'desc')
    .orderBy('made_at', 'desc')
}

function signerOf(
  key: InstallationKey,
  peerId: string,
  row: { id: string; key_id: string | null; sealed: Buffer | null },
): Signer {
  if (row.key_id === null || row.sealed === null) throw new Error(`key ${row.id} is not our own`)
  const text = open(key, peerId, { name: `${secretName}/${row.id}`, keyId: row.key_id, sealed: row.sealed })
  const secret = createPrivateKey({
    key: Buffer.concat([privatePrefix, Buffer.from(text, 'base64')]),
    format: 'der',
    type: 'pkcs8',
  })
  return { keyId: row.id, sign: (data) => sign(null, data, secret) }
}

/** A key of the other side, that was pinned once. */
export interface PeerKey {
  readonly id: string
  readonly peerId: string
  /** It is neither over nor revoked. */
  readonly holds: boolean
  readonly verify: (data: Buffer, signature: Buffer) => boolean
}

/** Read anew for each message: a key that is revoked is refused from then on. */
export async function findPeerKey(db: Db, keyId: string, now: string): Promise<PeerKey | undefined> {
  const row = await db
    .selectFrom('peer_keys')
    .select(['id', 'peer_id', 'public_key', 'expires_at', 'revoked_at'])
    .where('id', '=', keyId)
    .where('is_own', '=', false)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    id: row.id,
    peerId: row.peer_id,
    holds: row.revoked_at === null && (row.expires_at === null || row.expires_at > now),
    verify: verifierOf(row.public_key),
  }
}

/** @param publicKey the 32 bytes */
export function verifierOf(publicKey: Buffer): PeerKey['verify'] {
  const der = Buffer.concat([publicPrefix, publicKey])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return (data, signature) => verify(null, data, key, signature)
}

const nonceKeptMs = 20 * 60_000

/** Whether a message's nonce is new; it is known from now on. Older ones are forgotten: their messages are expired. */
export async function useNonce(
  tx: Tx,
  { peerId, nonce, now }: { peerId: string; nonce: string; now: string },
) {
  const before = new Date(Date.parse(now) - nonceKeptMs).toISOString()
  const { numAffectedRows: used } = await sql`
    with forgotten as (delete from peer_nonces where peer_id = ${peerId} and seen_at < ${before})
    insert into peer_nonces (peer_id, nonce, seen_at) values (${peerId}, ${nonce}, ${now}) on conflict do nothing`.execute(
    tx,
  )
  return (used ?? 0n) > 0n
}

/** From now on no message by them is taken, and none of ours is signed by them. */
export async function revokeKeys(tx: Tx, { peerId, now }: { peerId: string; now: string }): Promise<void> {
  await tx
    .updateTable('peer_keys')
    .set({ revoked_at: now })
    .where('peer_id', '=', peerId)
    .where('revoked_at', 'is', null)
    .execute()
}
