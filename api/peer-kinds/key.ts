import { z } from '@hono/zod-openapi'
import { takeNextKey } from '#db/peer-next-key.ts'
import { publicKeyField } from '../schemas/peer.ts'
import { takenBy } from './kind.ts'

/** The next key of a peer, told by the one before: both are understood for a day. */
export const keyKind = takenBy(
  z.looseObject({ public_key: publicKeyField }),
  async (tx, { public_key: text }, { peerId, now }) => {
    const publicKey = Buffer.from(text, 'base64url')
    const outcome = await takeNextKey(tx, { peerId, publicKey, now, actor: null })
    return outcome === 'foreign'
      ? { outcome: 'conflict', reason: 'the next key that it tells is known as one of somebody else' }
      : { outcome }
  },
)
