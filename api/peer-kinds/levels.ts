import { z } from '@hono/zod-openapi'
import { takeAbove } from '#db/peer-level.ts'
import { aboveField } from '../schemas/peer.ts'
import { takenBy } from './kind.ts'

/** Who is above a supplier now. That we are one of them is a circle, which nobody goes on with until people have opened it. */
export const levelsKind = takenBy(z.looseObject({ above: aboveField }), async (tx, { above }, { peerId }) => {
  const outcome = await takeAbove(tx, { peerId, above })
  return outcome === 'circle'
    ? {
        outcome: 'conflict',
        reason: 'peer_cycle: we bill this supplier ourselves, directly or through others',
      }
    : { outcome }
})
