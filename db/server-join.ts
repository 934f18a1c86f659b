import { BusinessError } from '#domain/errors.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'

/** Keeps the hash of a server's token; a further one takes the place of the one before. @throws `action_not_allowed` */
export async function keepJoinToken(
  tx: Tx,
  token: { serverId: string; secretSha256: Buffer; now: string; expiresAt: string },
): Promise<void> {
  const { code, connection } = await tx
    .selectFrom('servers')
    .select(['code', 'connection'])
    .where('id', '=', token.serverId)
    .executeTakeFirstOrThrow()
  if (connection !== 'own_worker')
    throw new BusinessError('action_not_allowed', `Server ${code} has no worker of its own that could join.`)
  const values = {
    secret_sha256: token.secretSha256,
    created_at: token.now,
    expires_at: token.expiresAt,
    used_at: null,
  }
  await tx
    .insertInto('server_join_tokens')
    .values({ server_id: token.serverId, ...values })
    .onConflict((conflict) => conflict.column('server_id').doUpdateSet(values))
    .execute()
}

export interface JoiningServer {
  readonly id: string
  readonly code: string
}

/**
 * Redeems a token, once: of two workers that try, one gets the server.
 * @throws `token_unknown`, `token_used`, `token_expired`
 */
export async function redeemJoinToken(tx: Tx, secretSha256: Buffer, now: string): Promise<JoiningServer> {
  const token = await tx
    .selectFrom('server_join_tokens')
    .innerJoin('servers', 'servers.id', 'server_join_tokens.server_id')
    .select(['servers.id', 'servers.code', 'used_at', 'expires_at'])
    .where('secret_sha256', '=', secretSha256)
    .forUpdate()
    .executeTakeFirst()
  if (token === undefined) throw new BusinessError('token_unknown', 'This join token is not known here.')
  if (token.used_at !== null)
    throw new BusinessError(
      'token_used',
      `This join token of server ${token.code} was used at ${token.used_at}.`,
    )
  if (token.expires_at <= now)
    throw new BusinessError(
      'token_expired',
      `This join token of server ${token.code} expired at ${token.expires_at}.`,
    )
  const { id, code } = token
  await tx.updateTable('server_join_tokens').set({ used_at: now }).where('server_id', '=', id).execute()
  await tx.updateTable('servers').set({ joined_at: now }).where('id', '=', id).execute()
  await insertEvent(tx, { kind: 'server.joined', data: { server: code } })
  return { id, code }
}
