import { encodeId } from '#domain/identifier.ts'
import type { Tx } from './database.ts'
import { newId } from './identifier.ts'
import { insertWorkflowStart } from './outbox.ts'
import { reserveChanged } from './placement.ts'
import { getInstallation } from './read/installation.ts'

/**
 * Has the containers of services made anew: from now on the ones that are there are of an older generation. Nothing is done until
 * `requestReplacement`, in the same transaction or later.
 */
export async function raiseGenerations(
  tx: Tx,
  instanceId: string,
  services: readonly string[],
): Promise<void> {
  if (services.length === 0) return
  const { generation, service_generations: known } = await tx
    .selectFrom('instances')
    .select(['generation', 'service_generations'])
    .where('id', '=', instanceId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const raised = services.map((service) => [service, (known[service] ?? generation) + 1] as const)
  await tx
    .updateTable('instances')
    .set({ service_generations: JSON.stringify({ ...known, ...Object.fromEntries(raised) }) })
    .where('id', '=', instanceId)
    .execute()
}

/**
 * Has what changed of an instance carried out: containers that are not as planned are given their limits while they run, or are
 * replaced one by one. Once it is committed it happens, whatever dies; the start lies in the outbox.
 * @param by who asked: the name of a key or an operator
 * @throws `no_server_for_application` where its containers may use more now than its server has left
 */
export async function requestReplacement(tx: Tx, request: { instanceId: string; by: string }): Promise<void> {
  const { server_id: serverId } = await tx
    .selectFrom('instances')
    .select('server_id')
    .where('id', '=', request.instanceId)
    .executeTakeFirstOrThrow()
  await reserveChanged(tx, request.instanceId)
  const installation = await getInstallation(tx)
  const instance = encodeId('instance', request.instanceId)
  const server = encodeId('server', serverId)
  await insertWorkflowStart(tx, {
    workflow: 'replacement',
    workflowId: `replacement/${instance}/${newId()}`,
    taskQueue: `installation/${encodeId('installation', installation.id)}`,
    args: [{ instanceId: instance, serverId: server, by: request.by }],
    keywords: { Server: server },
    summary: `what changed of ${instance}`,
    details: `Asked for by ${request.by}.`,
  })
}
