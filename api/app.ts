import { randomUUID } from 'node:crypto'
import { noteTaxQuestion } from '#db/tax-answer.ts'
import { BusinessError } from '#domain/errors.ts'
import type { ApiDependencies } from './dependencies.ts'
import { toProblem } from './errors.ts'
import { assertEveryRouteIsGuarded, createFrame, type ApiContext, type Frame } from './frame.ts'
import { problemPage } from './pages/problem.tsx'
import { registerPages } from './pages/index.ts'
import { portalProblemPage } from './portal/door.tsx'
import { registerPortal } from './portal/index.ts'
import { registerRoutes } from './routes/index.ts'
import { usageEventsPath } from './routes/usage-events.ts'
import { setSecurityHeaders } from './security-headers.ts'

/** The whole API as a value, with its table of rights; it does not listen. `app` is its Hono application. */
export function createGuardedFrame(deps: ApiDependencies): Frame {
  const frame = createFrame(deps)
  frame.app.use('*', async (ctx, next) => {
    const startedMs = performance.now()
    ctx.set('requestId', `req_${randomUUID().replaceAll('-', '')}`)
    await next()
    finish(ctx, deps)
    logWrite(ctx, deps, performance.now() - startedMs)
  })
  frame.app.onError(async (error, ctx) => {
    await noteTaxQuestion(deps.db, error)
    return await answerProblem(ctx, deps, error)
  })
  frame.app.notFound((ctx) =>
    answerProblem(ctx, deps, new BusinessError('not_found', `There is nothing at ${ctx.req.path}.`)),
  )
  registerRoutes(frame)
  registerPages(frame)
  registerPortal(frame)
  assertEveryRouteIsGuarded(frame)
  return frame
}

function finish(ctx: ApiContext, deps: ApiDependencies): void {
  ctx.res.headers.set('Request-Id', ctx.get('requestId'))
  setSecurityHeaders(ctx, { isSecure: deps.publicUrl.startsWith('https:') })
}

/** Who changed what. Reads are not logged: there are many, and they leave nothing. Addresses only, never bodies or keys. */
function logWrite(ctx: ApiContext, deps: ApiDependencies, durationMs: number): void {
  if (ctx.req.method === 'GET' || ctx.req.method === 'HEAD') return
  // Thousands a second, each a row with its source: among them nobody would find who changed what.
  if (ctx.req.path === usageEventsPath && ctx.res.status < 400) return
  const fields = {
    request_id: ctx.get('requestId'),
    principal: ctx.get('principal')?.name,
    method: ctx.req.method,
    // The token of a link that lets somebody in is a secret, and a part of its address.
    path: ctx.req.path.replace(/^((?:\/portal)?\/(?:login|open)\/).*/, '$1…'),
    status: ctx.res.status,
    duration_ms: Math.round(durationMs),
  }
  deps.log.info(fields, 'write')
}

async function answerProblem(ctx: ApiContext, deps: ApiDependencies, error: Error): Promise<Response> {
  const problem = toProblem(error, { path: ctx.req.path, requestId: ctx.get('requestId') })
  if (problem.status >= 500) {
    deps.log.error({ err: error, request_id: problem.request_id, path: ctx.req.path }, problem.title)
  }
  if (problem.status === 503 || problem.status === 429)
    ctx.header('Retry-After', String(ctx.get('retryAfterSeconds') ?? 1))
  if (problem.status === 401) ctx.header('WWW-Authenticate', 'Bearer')
  if (isPortal(ctx)) return await ctx.html(portalProblemPage({ deps }, ctx, problem), problem.status)
  if (wantsPage(ctx)) return await ctx.html(problemPage(problem), problem.status)
  return ctx.newResponse(JSON.stringify(problem), problem.status, {
    'Content-Type': 'application/problem+json',
  })
}

/** Whatever it accepts: nobody but people is there. */
function isPortal(ctx: ApiContext): boolean {
  return ctx.req.path === '/portal' || ctx.req.path.startsWith('/portal/')
}

/** A browser that opens an address gets a page; programs, and everything below /v1, get JSON. */
function wantsPage(ctx: ApiContext): boolean {
  return !ctx.req.path.startsWith('/v1/') && (ctx.req.header('accept') ?? '').includes('text/html')
}
