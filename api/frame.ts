import { OpenAPIHono, type z } from '@hono/zod-openapi'
import type { Context, Handler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Db, Tx } from '#db/database.ts'
import { assert } from '#domain/assert.ts'
import type { ErrorCode } from '#domain/errors.ts'
import { createAfterwards, type Afterwards } from './afterwards.ts'
import type { PortalSession } from '#db/portal-session.ts'
import {
  authenticate,
  authorize,
  refuseForeignForm,
  refuseForeignWrite,
  type Principal,
} from './authentication.ts'
import { authenticateCustomer } from './portal-authentication.ts'
import { readBody, refuseForm } from './body.ts'
import type { ApiDependencies } from './dependencies.ts'
import { answerOnce, commandOnce, keyedRequest, readIdempotencyKey, type Answer } from './idempotency.ts'
import { createKeyLookup, type KeyLookup } from './key-lookup.ts'
import { describeRoute } from './openapi.ts'
import { createPaces, type KeepPace, type NamedPace } from './pace.ts'
import type { Permission } from './permission.ts'
import { parse, parseAddress } from './validation.ts'
import { commandIdOf } from './subscription-commands.ts'

export interface ApiEnv {
  Variables: {
    requestId: string
    principal: Principal | undefined
    /** Never beside a principal: a customer's session opens the portal, and nothing else. */
    portalSession: PortalSession | undefined
    retryAfterSeconds: number | undefined
  }
}
export type ApiContext = Context<ApiEnv>

/** A route of the JSON API: one value for its documentation, its validation and its rights. */
export interface RouteDefinition<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post' | 'patch' | 'put' | 'delete'
  /** As OpenAPI writes it: `/v1/orders/{id}`. */
  readonly path: string
  readonly permission: Permission
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  readonly result: Result
  /** 204: it answers with nothing. */
  readonly status?: 200 | 201 | 202 | 204
  /** Of all who ask, together; before anything else is looked at. */
  readonly pace?: NamedPace
  /** Refusals of its own, besides those that every route has. */
  readonly refusals?: readonly ErrorCode[]
  /**
   * What a POST or PATCH leaves. `rows`: all it does is in the transaction that it is given, with its key and answer. `command`: it
   * speaks to a workflow, or does what changes nothing when done again. `nothing`: it only computes, and needs no key. `unkept`: its answer must be kept nowhere, so it needs no key
   * either, and does what it does each time it is sent.
   */
  readonly effect?: 'rows' | 'command' | 'nothing' | 'unkept'
  /** The address of what was made. */
  readonly location?: (result: z.input<Result>) => string
}

export interface Call<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** The request's transaction in a route whose effect is rows; else the pool. */
  readonly db: Db
  /** The transaction itself, in a route whose effect is rows. */
  readonly transaction: () => Tx
  readonly principal: Principal
  /** The present, read once for the whole request. */
  readonly now: string
  /** The Idempotency-Key with its owner: the id of a command, steady over every repetition. */
  readonly commandId: string
  /** The same command may have been sent before, with an outcome that nobody knows. */
  readonly isRepeat: boolean
  /** Begun when the effect is committed; the answer does not wait for it. A replayed answer does not begin it. */
  readonly afterCommit: (work: () => Promise<void>) => void
}

export interface Frame {
  readonly app: OpenAPIHono<ApiEnv>
  readonly deps: ApiDependencies
  readonly afterwards: Afterwards
  readonly keepPace: KeepPace
  /** A route of the JSON API. */
  route<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    definition: RouteDefinition<P, Q, B, R>,
    handler: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<z.input<R>>,
  ): void
  /** A page, a stream or a file: it answers by itself, and its right is checked all the same. Path as Hono writes it. */
  page(definition: PageDefinition, handler: (ctx: ApiContext) => Response | Promise<Response>): void
  /** Every route and what it asks for. */
  readonly permissions: ReadonlyMap<string, Permission>
}

export interface PageDefinition {
  readonly method: 'get' | 'post'
  /** As Hono writes it: `/subscriptions/:id`. */
  readonly path: string
  readonly permission: Permission
  /** What a POST brings: the form of a page, or what the route reads by itself. */
  readonly body?: 'form' | 'own'
}

export function createFrame(deps: ApiDependencies): Frame {
  const app = new OpenAPIHono<ApiEnv>()
  const permissions = new Map<string, Permission>()
  const afterwards = createAfterwards(deps.log)
  const findKey = createKeyLookup(deps)
  const keepPace = createPaces()
  const register = (method: string, path: string, permission: Permission, handler: Handler<ApiEnv>) => {
    permissions.set(`${method.toUpperCase()} ${path}`, permission)
    app.on(method.toUpperCase(), path, handler)
  }
  return {
    app,
    deps,
    afterwards,
    keepPace,
    permissions,
    route(definition, handler) {
      app.openAPIRegistry.registerPath(describeRoute(definition))
      const path = definition.path.replaceAll(/\{(\w+)\}/g, ':$1')
      register(definition.method, path, definition.permission, async (ctx) => {
        if (definition.pace) keepPace(ctx, definition.pace, { who: 'anybody' })
        return await answerRoute(ctx, { deps, afterwards, findKey }, definition, handler)
      })
    },
    page(definition, handler) {
      register(definition.method, definition.path, definition.permission, async (ctx) => {
        if (definition.method === 'post' && definition.body !== 'own') refuseForm(ctx)
        await admit(ctx, { ...deps, findKey }, definition)
        return await handler(ctx)
      })
    },
  }
}

/**
 * Deny by default: a route that does not name what it asks for stops the process before it listens.
 * Middleware is not a route: it is registered for all methods.
 */
export function assertEveryRouteIsGuarded(frame: Frame): void {
  const open = frame.app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path}`)
    .filter((route) => !frame.permissions.has(route))
  if (open.length > 0) {
    throw new Error(
      `Routes without a permission: ${open.join(', ')}. Register them with frame.route or frame.page.`,
    )
  }
}

async function admit(
  ctx: ApiContext,
  deps: ApiDependencies & { readonly findKey: KeyLookup },
  definition: { method: string; permission: Permission },
): Promise<void> {
  if (definition.permission === 'portal') return await admitCustomer(ctx, deps, definition)
  const principal = await authenticate(ctx, deps)
  ctx.set('principal', principal)
  authorize(principal, definition.permission)
  if (definition.method === 'get' || definition.permission === 'public') return
  if (principal?.kind !== 'operator') return
  const formToken = ctx.req.header('x-form-token') ?? (await readFormToken(ctx))
  refuseForeignWrite(ctx, { publicUrl: deps.publicUrl, principal, formToken })
}

/** A page of the portal knows no keys and no operators. */
async function admitCustomer(
  ctx: ApiContext,
  deps: ApiDependencies,
  definition: { method: string },
): Promise<void> {
  const session = await authenticateCustomer(ctx, deps)
  ctx.set('portalSession', session)
  if (definition.method === 'get') return
  refuseForeignForm(ctx, { publicUrl: deps.publicUrl, session, formToken: await readFormToken(ctx) })
}

/** Hono keeps the parsed form, so that the page reads it again. */
async function readFormToken(ctx: ApiContext): Promise<string | undefined> {
  const type = ctx.req.header('content-type') ?? ''
  if (!type.startsWith('application/x-www-form-urlencoded')) return undefined
  const { form_token: token } = await ctx.req.parseBody()
  return typeof token === 'string' ? token : undefined
}

type AnyHandler = (call: Call<never, never, never>) => Promise<unknown>

async function answerRoute(
  ctx: ApiContext,
  { deps, afterwards, findKey }: Pick<Frame, 'deps' | 'afterwards'> & { readonly findKey: KeyLookup },
  definition: RouteDefinition,
  handler: AnyHandler,
): Promise<Response> {
  await admit(ctx, { ...deps, findKey }, definition)
  const body = definition.method === 'get' ? { text: '', value: undefined } : await readBody(ctx)
  const later: (() => Promise<void>)[] = []
  const call = {
    params: definition.params && parseAddress(definition.params, ctx.req.param()),
    query: definition.query && parse(definition.query, ctx.req.query(), 'query'),
    body: definition.body && parse(definition.body, body.value, 'body'),
    principal: ctx.get('principal'),
    now: deps.now(),
    afterCommit: (work: () => Promise<void>) => void later.push(work),
  }
  const answer = await carryOut(ctx, deps, definition, body.text, async (db, { commandId, isRepeat }) => {
    const transaction = () => assertTransaction(db)
    const result = await handler({ ...call, db, transaction, commandId, isRepeat } as unknown as Call<
      never,
      never,
      never
    >)
    return { status: definition.status ?? 200, body: result }
  })
  for (const work of later) afterwards.begin(work)
  return toResponse(ctx, definition, answer)
}

function assertTransaction(db: Db): Tx {
  assert(db.isTransaction, 'only a route whose effect is rows has a transaction')
  return db as Tx
}

type Command = Pick<Call<never, never, never>, 'commandId' | 'isRepeat'>

async function carryOut(
  ctx: ApiContext,
  deps: ApiDependencies,
  definition: RouteDefinition,
  bodyText: string,
  work: (db: Db, command: Command) => Promise<{ status: number; body: unknown }>,
): Promise<Answer> {
  const effect = definition.effect ?? (definition.method === 'get' ? 'nothing' : 'rows')
  const principal = ctx.get('principal')
  if (effect === 'nothing' || effect === 'unkept' || !principal)
    return { ...(await work(deps.db, { commandId: '', isRepeat: false })), isReplayed: false }
  const request = keyedRequest({
    principal: principal.name,
    key: readIdempotencyKey(ctx.req.header('idempotency-key')),
    method: ctx.req.method,
    path: ctx.req.path,
    body: bodyText,
  })
  const commandId = commandIdOf(request)
  return effect === 'rows'
    ? await answerOnce(deps.db, request, async (tx) => work(tx, { commandId, isRepeat: false }))
    : await commandOnce(deps.db, request, async (isRepeat) => work(deps.db, { commandId, isRepeat }))
}

function toResponse(ctx: ApiContext, definition: RouteDefinition, answer: Answer): Response {
  if (answer.isReplayed) ctx.header('Idempotency-Replayed', 'true')
  if (definition.location) ctx.header('Location', definition.location(answer.body))
  if (answer.status === 204) return ctx.body(null, 204)
  ctx.header('Content-Type', 'application/json')
  return ctx.body(JSON.stringify(answer.body), answer.status as ContentfulStatusCode)
}
