import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from '@hono/zod-openapi'
import { pingDatabase } from '#db/read/health.ts'
import { messageOf } from '#domain/errors.ts'
import type { ApiDependencies } from '../dependencies.ts'
import type { Frame } from '../frame.ts'

/** So that a command line of another version can tell. */
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')))
const checkTimeoutMs = 2_000

export interface Check {
  readonly name: string
  readonly isReady: boolean
  readonly detail: string
}

/** `/livez`: the process answers. `/readyz`: what it needs answers too; `?verbose` says what is missing. */
export function registerHealth(frame: Frame): void {
  frame.page({ method: 'get', path: '/livez', permission: 'public' }, (ctx) =>
    ctx.json({ status: 'live', version }),
  )
  frame.page({ method: 'get', path: '/readyz', permission: 'public' }, async (ctx) => {
    const checks = await Promise.all(checksOf(frame.deps))
    const isReady = checks.every((check) => check.isReady)
    const status = isReady ? 'ready' : 'not_ready'
    const body =
      ctx.req.query('verbose') === undefined
        ? { status }
        : { status, checks: checks.map(({ name, isReady, detail }) => ({ name, is_ready: isReady, detail })) }
    return ctx.json(body, isReady ? 200 : 503)
  })
}

export function checksOf(deps: ApiDependencies): Promise<Check>[] {
  return [
    check('database', async () => {
      await pingDatabase(deps.db)
      return 'answers'
    }),
    check('migrations', async () => {
      const pending = await deps.pendingMigrations()
      if (pending.length > 0) throw new Error(`pending: ${pending.join(', ')}`)
      return 'none pending'
    }),
    check('temporal', async () => {
      await deps.client.withDeadline(Date.now() + checkTimeoutMs, async () =>
        deps.client.workflowService.getSystemInfo({}),
      )
      return 'answers'
    }),
  ]
}

async function check(name: string, look: () => Promise<string>): Promise<Check> {
  const { promise: timeout, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('does not answer in time')), checkTimeoutMs)
  try {
    return { name, isReady: true, detail: await Promise.race([look(), timeout]) }
  } catch (error) {
    return { name, isReady: false, detail: messageOf(error) }
  } finally {
    clearTimeout(timer)
  }
}
