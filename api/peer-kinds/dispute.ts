import type { Tx } from '#db/database.ts'
import { receiveDispute, receiveDisputeAnswer } from '#db/received-dispute.ts'
import { isAccepted } from '#db/refused-document.ts'
import { decodeId } from '#domain/identifier.ts'
import { saidAnswerSchema, saidDisputeSchema } from '../schemas/dispute.ts'
import { takenBy, type Taken, type Taking } from './kind.ts'

/** What a customer says against a document of ours, or that it says so no more. */
export const disputeKind = takenBy(saidDisputeSchema, async (tx, said, taking) =>
  toTaken(tx, { taking, said, outcome: await receiveDispute(tx, { peerId: taking.peerId, said }) }),
)

/** What a supplier says to a dispute of ours. */
export const disputeAnswerKind = takenBy(saidAnswerSchema, async (tx, said, taking) =>
  toTaken(tx, { taking, said, outcome: await receiveDisputeAnswer(tx, { peerId: taking.peerId, said }) }),
)

/** Who was restored from an older backup answers once more. What was said first stays; once people have seen it, that halts nothing. */
async function toTaken(
  tx: Tx,
  of: {
    readonly taking: Taking
    readonly said: { readonly document: string; readonly number: string }
    readonly outcome: 'stored' | 'conflict'
  },
): Promise<Taken> {
  const { outcome, taking, said } = of
  if (outcome !== 'conflict') return { outcome }
  const { document, number } = said
  if (await isAccepted(tx, { ...taking, id: decodeId('invoice', document), number }))
    return { outcome: 'exists' }
  const reason = `a dispute of ${number} is known here as another one; who resumes the peer leaves it at what is known here`
  return { outcome, reason }
}
