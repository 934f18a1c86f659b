import type { peerSignals } from '#domain/peer-message.ts'
import type { Tx } from './database.ts'
import { lastingWorkflowId } from './lasting-workflow.ts'
import { insertWorkflowSignal } from './outbox.ts'

type PeerSignal = (typeof peerSignals)[keyof typeof peerSignals]

/**
 * Has the workflow of a peer told, in the transaction of what it is told.
 * @param occasion tells facts apart that are told by one signal
 */
export async function signalPeer(
  tx: Tx,
  peerId: string,
  signal: PeerSignal,
  occasion: string,
): Promise<void> {
  await insertWorkflowSignal(
    tx,
    { workflowId: lastingWorkflowId({ kind: 'peer', id: peerId }), signal },
    occasion,
  )
}
