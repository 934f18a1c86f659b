import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { pinKey } from '#db/peer-key.ts'
import { signMessage } from '#db/peer-signature.ts'
import { encodeId } from '#domain/identifier.ts'
import { peerPaths, peerVersion, type PeerMessageKind } from '#domain/peer-message.ts'
import type { TestApi } from './api.ts'

export interface SentMessage {
  readonly sequence: number
  readonly kind: PeerMessageKind
  readonly content: object
}

/** The other side of a peer, without an installation behind it: it signs what it is told to, by a key that is pinned here. */
export async function createPeerSender(api: Pick<TestApi, 'db' | 'publicUrl' | 'request'>, peerId: string) {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const now = new Date().toISOString()
  await api.db.transaction().execute(async (tx) => await pinKey(tx, { peerId, publicKey, now }))
  const signer = {
    keyId: createHash('sha256').update(publicKey).digest('base64url'),
    sign: (data: Buffer) => sign(null, data, pair.privateKey),
  }
  const { id } = await api.db.selectFrom('installation').select('id').executeTakeFirstOrThrow()
  const head = { peer: encodeId('peer', peerId), audience: encodeId('installation', id) }

  /** Posts what is given beside whose it is and for whom. */
  async function post(body: object, path: string = peerPaths.messages) {
    const text = JSON.stringify({ ...head, ...body })
    const url = `${api.publicUrl}${path}`
    const headers = await signMessage(signer, { url, body: text, key: 'sender/1' })
    const response = await api.request(path, { method: 'POST', headers, body: text })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  return {
    post,
    send: async (after: number, messages: readonly SentMessage[]) =>
      await post({ version: peerVersion, after, messages }),
  }
}
