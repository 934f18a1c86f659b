import { encodeId } from '#domain/identifier.ts'
import type { Tx } from './database.ts'
import { insertWorkflowStart } from './outbox.ts'
import { getInstallation } from './read/installation.ts'

/** Has the workflow of a peer started, in the transaction that makes it one; its names are those of `workflows/contract.ts`. */
export async function startPeer(tx: Tx, id: string, more: { isAccepting?: true }): Promise<void> {
  const peerId = encodeId('peer', id)
  const { id: installationId } = await getInstallation(tx)
  await insertWorkflowStart(tx, {
    workflow: 'peer',
    workflowId: `peer/${peerId}`,
    taskQueue: `installation/${encodeId('installation', installationId)}`,
    args: [{ peerId, ...more }],
    keywords: {},
    summary: 'Messages to another installation',
    details: 'Sends what waits in order, once each, for as long as it takes.',
  })
}
