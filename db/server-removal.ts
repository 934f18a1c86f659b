import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { endServerLogin } from './server-login.ts'
import { closeTasks } from './task.ts'

const mostListed = 20

/**
 * Removes a server on which nothing is. Its row stays, for what was on it refers to it, and gives its code back; nobody
 * joins as it any more, and what its engine was reached with is forgotten.
 * @throws `server_in_use` with the instances and kept backups that are there
 */
export async function removeServer(
  tx: Tx,
  serverId: string,
  by: { actor: string; now: string },
): Promise<void> {
  const { code } = await tx
    .selectFrom('servers')
    .select('code')
    .where('id', '=', serverId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  const instances = await tx
    .selectFrom('instances')
    .select(['id', 'name', 'state'])
    .where('server_id', '=', serverId)
    .where('destroyed_at', 'is', null)
    .orderBy('id')
    .execute()
  const backups = await tx
    .selectFrom('backups')
    .select('id')
    .where('server_id', '=', serverId)
    .where('state', 'in', ['taking', 'kept'])
    .orderBy('id')
    .execute()
  refuseUsed(code, [
    ...instances.map(({ id, name, state }) => `instance ${encodeId('instance', id)} (${name}, ${state})`),
    ...backups.map(({ id }) => `backup ${encodeId('backup', id)}`),
  ])
  await tx
    .updateTable('servers')
    .set({ removed_at: by.now, code: `${code.slice(0, 31)}-${encodeId('server', serverId).slice(-8)}` })
    .where('id', '=', serverId)
    .where('removed_at', 'is', null)
    .execute()
  await endServerAccess(tx, serverId)
  const subject = { kind: 'server', id: serverId, reason: 'the server was removed' } as const
  await closeTasks(tx, subject, ['server_unreachable'])
  await insertEvent(tx, { kind: 'server.removed', data: { server: code, actor: by.actor } })
}

/** Nobody joins as it any more, its worker is cut off, and what its engine was reached with is forgotten. */
async function endServerAccess(tx: Tx, serverId: string): Promise<void> {
  await tx.deleteFrom('server_join_tokens').where('server_id', '=', serverId).execute()
  await tx.deleteFrom('server_secrets').where('server_id', '=', serverId).execute()
  await endServerLogin(tx, serverId)
}

function refuseUsed(code: string, used: readonly string[]): void {
  if (used.length === 0) return
  const more = used.length > mostListed ? ` and ${used.length - mostListed} more` : ''
  const detail = `On ${code} there still are: ${used.slice(0, mostListed).join(', ')}${more}.`
  throw new BusinessError('server_in_use', detail)
}
