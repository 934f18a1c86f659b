import type { PeerMessageKind } from '#domain/peer-message.ts'
import { disputeAnswerKind, disputeKind } from './dispute.ts'
import { documentKind } from './document.ts'
import { expenseMappingsKind } from './expense-mappings.ts'
import { keyKind } from './key.ts'
import { levelsKind } from './levels.ts'
import { standingKind } from './standing.ts'
import { fileKind } from './file.ts'
import type { PeerKind } from './kind.ts'

/** How each kind of message is taken when it comes. */
export const peerKinds: Readonly<Record<PeerMessageKind, PeerKind>> = {
  dispute: disputeKind,
  dispute_answer: disputeAnswerKind,
  document: documentKind,
  expense_mappings: expenseMappingsKind,
  file: fileKind,
  key: keyKind,
  levels: levelsKind,
  standing: standingKind,
}
