import { encodeId } from '#domain/identifier.ts'
import type { peerSignals } from '#domain/peer-message.ts'
import type { Tx } from './database.ts'
import { insertWorkflowSignal } from './outbox.ts'

type PeerSignal = (typeof peerSignals)[keyof typeof peerSignals]

/**
 * Has the workflow of a peer told, in the transaction of what it is told; its name is that of `workflows/contract.ts`.
 * @param occasion tells facts apart that are told by one signal
 */
export async function signalPeer(
  tx: Tx,
  peerId: string,
  signal: PeerSignal,
  occasion: string,
): Promise<void> {
  await insertWorkflowSignal(tx, { workflowId: `peer/${encodeId('peer', peerId)}`, signal }, occasion)
}
