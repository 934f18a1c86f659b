import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { httpbis } from 'http-message-signatures'
import type { Db } from '#db/database.ts'
import { pinKey } from '#db/peer-key.ts'

export interface TestPeerKey {
  readonly id: string
  readonly publicKey: Buffer
  readonly sign: (data: Buffer) => Buffer
}

/** A key as another installation makes it. */
export function makePeerKey(): TestPeerKey {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  return {
    id: createHash('sha256').update(publicKey).digest('base64url'),
    publicKey,
    sign: (data) => sign(null, data, pair.privateKey),
  }
}

/** A key by which the messages of a peer are known. */
export async function pinPeerKey(db: Db, peerId: string, key = makePeerKey()): Promise<TestPeerKey> {
  const pinned = { peerId, publicKey: key.publicKey, now: new Date().toISOString() }
  await db.transaction().execute(async (tx) => await pinKey(tx, pinned))
  return key
}

export interface TestSigning {
  readonly url: string
  readonly body: string
  readonly method?: string
  /** When it was signed, and how long it says that it is good for. */
  readonly agoS?: number
  readonly lifetimeS?: number
  readonly fields?: readonly string[]
  readonly params?: readonly string[]
  readonly nonce?: string
}

export const signedFields = ['@method', '@target-uri', 'content-digest', 'content-type', 'idempotency-key']
export const signedParams = ['created', 'expires', 'nonce', 'keyid', 'alg']

/** The headers of a message, written by itself and not by what is tested, with what is to be different. */
export async function signAs(
  key: TestPeerKey,
  { url, body, agoS = 0, lifetimeS = 300, ...of }: TestSigning,
): Promise<Record<string, string>> {
  const created = new Date(Date.now() - agoS * 1_000)
  const { headers } = await httpbis.signMessage(
    {
      key: { id: key.id, alg: 'ed25519', sign: async (data) => key.sign(data) },
      fields: [...(of.fields ?? signedFields)],
      params: [...(of.params ?? signedParams)],
      paramValues: {
        created,
        expires: new Date(created.getTime() + lifetimeS * 1_000),
        nonce: of.nonce ?? randomBytes(18).toString('base64url'),
      },
    },
    {
      method: of.method ?? 'POST',
      url,
      headers: {
        'content-type': 'application/json',
        'content-digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:`,
        'idempotency-key': 'one',
      },
    },
  )
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
