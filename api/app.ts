import { randomUUID } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { BusinessError } from '#domain/errors.ts'
import type { ApiDependencies } from './dependencies.ts'
import { toProblem } from './errors.ts'
import { assertEveryRouteIsGuarded, createFrame, type ApiContext, type ApiEnv, type Frame } from './frame.ts'
import { problemPage } from './pages/problem.tsx'
import { registerPages } from './pages/index.ts'
import { registerRoutes } from './routes/index.ts'
import { setSecurityHeaders } from './security-headers.ts'

/** The whole API as a value; it does not listen. */
export function createApp(deps: ApiDependencies): OpenAPIHono<ApiEnv> {
  return createGuardedFrame(deps).app
}

/** The API with its table of rights, for the test that reads it. */
export function createGuardedFrame(deps: ApiDependencies): Frame {
  const frame = createFrame(deps)
  frame.app.use('*', async (ctx, next) => {
    ctx.set('requestId', `req_${randomUUID().replaceAll('-', '')}`)
    await next()
    finish(ctx, deps)
  })
  frame.app.onError((error, ctx) => answerProblem(ctx, deps, error))
  frame.app.notFound((ctx) =>
    answerProblem(ctx, deps, new BusinessError('not_found', `There is nothing at ${ctx.req.path}.`)),
  )
  registerRoutes(frame)
  registerPages(frame)
  assertEveryRouteIsGuarded(frame)
  return frame
}

function finish(ctx: ApiContext, deps: ApiDependencies): void {
  ctx.res.headers.set('Request-Id', ctx.get('requestId'))
  setSecurityHeaders(ctx, { isSecure: deps.publicUrl.startsWith('https:') })
}

async function answerProblem(ctx: ApiContext, deps: ApiDependencies, error: Error): Promise<Response> {
  const problem = toProblem(error, { path: ctx.req.path, requestId: ctx.get('requestId') })
  if (problem.status >= 500) {
    deps.log.error({ err: error, request_id: problem.request_id, path: ctx.req.path }, problem.title)
  }
  if (problem.status === 401) ctx.header('WWW-Authenticate', 'Bearer')
  if (wantsPage(ctx)) return await ctx.html(problemPage(problem), problem.status)
  return ctx.newResponse(JSON.stringify(problem), problem.status, {
    'Content-Type': 'application/problem+json',
  })
}

/** A browser that opens an address gets a page; programs, and everything below /v1, get JSON. */
function wantsPage(ctx: ApiContext): boolean {
  return !ctx.req.path.startsWith('/v1/') && (ctx.req.header('accept') ?? '').includes('text/html')
}
