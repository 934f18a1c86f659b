import { encodeId } from '#domain/identifier.ts'
import type { Tx } from './database.ts'
import { startLastingWorkflow } from './lasting-workflow.ts'

/** Has the workflow of a peer started, in the transaction that makes it one. */
export async function startPeer(tx: Tx, id: string, more: { isAccepting?: true }): Promise<void> {
  const { role, customer_id: customerId } = await tx
    .selectFrom('peers')
    .select(['role', 'customer_id'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const whom = customerId === null ? 'supplier' : `customer ${encodeId('customer', customerId)}`
  await startLastingWorkflow(
    tx,
    { kind: 'peer', id },
    {
      summary: `Messages to the installation of ${role === 'supplier' ? 'a ' : ''}${whom}`,
      details: 'Sends what waits in order, once each, for as long as it takes.',
      input: more,
    },
  )
}
