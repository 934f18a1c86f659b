import type { Tx } from './database.ts'
import { startLastingWorkflow } from './lasting-workflow.ts'

/** Has the workflow of a peer started, in the transaction that makes it one. */
export async function startPeer(tx: Tx, id: string, more: { isAccepting?: true }): Promise<void> {
  await startLastingWorkflow(
    tx,
    { kind: 'peer', id },
    {
      summary: 'Messages to another installation',
      details: 'Sends what waits in order, once each, for as long as it takes.',
      input: more,
    },
  )
}
