import { randomBytes } from 'node:crypto'
import { getInstallation } from '#db/read/installation.ts'
import type { Tx } from '#db/database.ts'
import { keepJoinToken, redeemJoinToken } from '#db/server-join.ts'
import { makeServerLogin } from '#db/server-login.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import { hashSecret } from '../api-key.ts'
import type { ApiDependencies } from '../dependencies.ts'
import type { Frame } from '../frame.ts'
import { addressParams } from '../schemas/common.ts'
import { joinedServerSchema, joinTokenSchema, redemptionSchema } from '../schemas/server.ts'

const tokenBytes = 32
const tokenLifetimeMs = 60 * 60_000

/** How the worker of a server joins: a token that is shown once, redeemed once. */
export function registerServerJoin(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/servers/{id}/join-token',
      permission: 'servers:write',
      tag: 'Servers',
      summary: 'Issue a token with which the worker of a server joins, once, within an hour',
      description:
        'The token is in this answer only; its hash is kept. Asking again makes the one before worthless, thus needs no key.',
      params: addressParams,
      result: joinTokenSchema,
      status: 201,
      effect: 'nothing',
      refusals: ['action_not_allowed'],
    },
    async ({ db, params, now }) => {
      const id = await resolveAddress(db, 'server', params.id)
      return await issueJoinToken(frame.deps, id, now)
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/servers/join',
      permission: 'public',
      tag: 'Servers',
      summary: 'Join with a token: where the worker of a server finds its work, and what it needs for it',
      description:
        'The token is the right to ask. The answer holds a database login of this server’s own and the installation’s key; the login of a worker that joined before ends.',
      body: redemptionSchema,
      result: joinedServerSchema,
      refusals: ['token_unknown', 'token_used', 'token_expired', 'action_not_allowed'],
    },
    async ({ body, now }) =>
      await frame.deps.db
        .transaction()
        .execute(async (tx) => join(frame.deps, tx, { token: body.token, now })),
  )
}

/** @throws `action_not_allowed` */
export async function issueJoinToken({ db, publicUrl }: ApiDependencies, serverId: string, now: string) {
  const token = `join_${randomBytes(tokenBytes).toString('base64url')}`
  const expiresAt = new Date(Date.parse(now) + tokenLifetimeMs).toISOString()
  await db
    .transaction()
    .execute(async (tx) => keepJoinToken(tx, { serverId, secretSha256: hashSecret(token), now, expiresAt }))
  const command = `npx clouder servers join ${token} --url ${publicUrl}`
  return { server: encodeId('server', serverId), token, expires_at: expiresAt, command }
}

async function join(deps: ApiDependencies, tx: Tx, { token, now }: { token: string; now: string }) {
  const { installationKey, joining, temporalNamespace } = deps
  const server = await redeemJoinToken(tx, hashSecret(token), now)
  if (installationKey === null)
    throw new BusinessError(
      'action_not_allowed',
      'This API has no installation key to hand over: CLOUDER_KEY_FILE.',
    )
  const installation = await getInstallation(tx)
  return {
    server: encodeId('server', server.id),
    code: server.code,
    installation: encodeId('installation', installation.id),
    installation_key: installationKey.bytes.toString('base64'),
    database_url: await databaseUrlFor(tx, joining.databaseUrl, {
      installationId: installation.id,
      serverId: server.id,
    }),
    temporal_address: joining.temporalAddress,
    temporal_namespace: temporalNamespace,
  }
}

/** A login that an operator names is handed out as it is; else the server gets one of its own. */
async function databaseUrlFor(
  tx: Tx,
  { url, hasLogin }: ApiDependencies['joining']['databaseUrl'],
  of: { installationId: string; serverId: string },
): Promise<string> {
  if (hasLogin) return url
  const { user, password } = await makeServerLogin(tx, { ...of, password: randomBytes(24).toString('hex') })
  const own = new URL(url)
  own.username = user
  own.password = password
  return own.href
}
