import { randomBytes } from 'node:crypto'
import type { Db } from '#db/database.ts'
import {
  insertInstanceLogin,
  isInstanceLoginOpen,
  openInstanceLogin,
  takeLoginPath,
} from '#db/instance-login.ts'
import { getDeployedInstance } from '#db/instance.ts'
import { getInstance } from '#db/read/instance.ts'
import { requireLogin } from '#domain/action.ts'
import { BusinessError, linkExpired } from '#domain/errors.ts'
import { resolveAddress } from '../addressing.ts'
import { hashSecret } from '../api-key.ts'
import { authorize, refuseForeignOrigin, type Principal } from '../authentication.ts'
import type { Frame } from '../frame.ts'
import { askInstance } from '../instance-commands.ts'
import { loginPage } from '../pages/login.tsx'
import { actOnInstances } from '../permission.ts'
import { idParams } from '../schemas/common.ts'
import { toInstanceJson } from '../schemas/instance.ts'
import { instanceLoginLinkSchema } from '../schemas/instance-login.ts'
import { nothingSchema } from '../schemas/subscription.ts'
import { nothingSaid } from './instance-commands.ts'

const lifetimeMs = 60_000

/** A link that lets its holder into an application, once. Programs that read mails open every link: only sending its form uses it up. */
export function registerInstanceLogins(frame: Frame): void {
  const { deps } = frame
  frame.route(
    {
      method: 'post',
      path: '/v1/instances/{id}/login-links',
      permission: actOnInstances,
      tag: 'Servers',
      summary: 'Make a link that logs into the application, once',
      description:
        'It works for 60 seconds. The answer is kept nowhere. Who made it is recorded, and when it was used.',
      params: idParams,
      body: nothingSchema,
      result: instanceLoginLinkSchema,
      effect: 'unkept',
      status: 201,
      refusals: ['login_not_offered', 'scope_missing'],
    },
    async ({ db, params, principal, now }) => {
      const instanceId = await resolveAddress(db, 'instance', params.id)
      const { path, expiresAt } = await makeLoginLink(db, { instanceId, principal, now })
      return { url: `${deps.publicUrl}${path}`, expires_at: expiresAt }
    },
  )
  frame.page({ method: 'get', path: '/open/:token', permission: 'public' }, async (ctx) => {
    const token = hashSecret(ctx.req.param('token') ?? '')
    if (!(await isInstanceLoginOpen(deps.db, token, deps.now()))) throw linkExpired()
    return ctx.html(
      loginPage({
        title: 'Open the application',
        text: 'This link works once, and logs you in.',
        button: 'Open',
      }),
    )
  })
  frame.page({ method: 'post', path: '/open/:token', permission: 'public' }, async (ctx) => {
    refuseForeignOrigin(ctx, deps.publicUrl)
    return ctx.redirect(await enter(frame, hashSecret(ctx.req.param('token') ?? '')), 303)
  })
}

/**
 * A path of ours that logs into the application, once, within a minute.
 * @throws `login_not_offered`, `scope_missing` for one that is meant for staff
 */
export async function makeLoginLink(
  db: Db,
  { instanceId, principal, now }: { instanceId: string; principal: Principal; now: string },
): Promise<{ path: string; expiresAt: string }> {
  const { definition } = await getDeployedInstance(db, instanceId)
  if (requireLogin(definition).right === 'staff') authorize(principal, 'instances:write')
  const token = randomBytes(32).toString('base64url')
  const expiresAt = new Date(Date.parse(now) + lifetimeMs).toISOString()
  const link = { instanceId, tokenSha256: hashSecret(token), actor: principal.name, now, expiresAt }
  await insertInstanceLogin(db, link)
  return { path: `/open/${token}`, expiresAt }
}

/** @returns the address by which the application lets in */
async function enter({ deps }: Frame, tokenSha256: Buffer): Promise<string> {
  const { db, installationKey } = deps
  if (installationKey === null) throw new Error('this API has no installation key')
  const { id, instance_id: instanceId, actor } = await openInstanceLogin(db, tokenSha256, deps.now())
  const asked = { instanceId, requestId: id, actor, kind: 'login', subject: 'login', ...nothingSaid } as const
  await askInstance(deps, asked)
  const path = await takeLoginPath(db, installationKey, id)
  const { address } = toInstanceJson(await getInstance(db, instanceId))
  if (address === null) throw new BusinessError('command_failed', 'The instance has no address.')
  return new URL(path, address).href
}
