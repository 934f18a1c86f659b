import { receiveDispute, receiveDisputeAnswer } from '#db/received-dispute.ts'
import { saidAnswerSchema, saidDisputeSchema } from '../schemas/dispute.ts'
import { takenBy, type Taken } from './kind.ts'

/** What a customer says against a document of ours, or that it says so no more. */
export const disputeKind = takenBy(saidDisputeSchema, async (tx, said, { peerId }) =>
  toTaken(await receiveDispute(tx, { peerId, said }), said.number),
)

/** What a supplier says to a dispute of ours. */
export const disputeAnswerKind = takenBy(saidAnswerSchema, async (tx, said, { peerId }) =>
  toTaken(await receiveDisputeAnswer(tx, { peerId, said }), said.number),
)

function toTaken(outcome: 'stored' | 'conflict', number: string): Taken {
  return outcome === 'conflict'
    ? { outcome, reason: `a dispute of ${number} is known here as another one` }
    : { outcome }
}
