import { getCookie, setCookie } from 'hono/cookie'
import type { Child } from 'hono/jsx'
import { encodePosition } from '#db/read/event-content.ts'
import { newestPosition } from '#db/read/event.ts'
import { getInstallation } from '#db/read/installation.ts'
import { listServers } from '#db/read/server.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Principal } from '../authentication.ts'
import type { ApiContext, Frame, PageDefinition } from '../frame.ts'
import { renderDocument, themes, type Theme } from './document.tsx'
import { eventKinds } from './event-text.ts'
import { ConsoleFrame } from './frame.tsx'

type Operator = Principal & { kind: 'operator' }

/** What every console page knows besides its own rows. */
export interface ConsoleView {
  readonly operator: Operator
  readonly theme: Theme
  /** Path and query of this page. */
  readonly path: string
  /** Of the seller; instants are shown in it. */
  readonly timeZone: string
  readonly sellerName: string
  readonly now: string
  /** Servers on which nothing really runs. */
  readonly dryRunServers: readonly string[]
  readonly temporalUrl: string
  /** The end of the events when the page was read: what comes after it is not on the page yet. */
  readonly position: string
}

export interface ConsoleBody {
  readonly title: string
  readonly current:
    | 'home'
    | 'subscriptions'
    | 'instances'
    | 'customers'
    | 'invoices'
    | 'suppliers'
    | 'catalog'
    | 'servers'
    | 'settings'
  readonly children: Child
  /** Which events change this page: `subscription=sub_…`, or empty for all. Undefined for a page that never changes. */
  readonly liveFilter?: string
  readonly status?: 200 | 422 | 503
}

/** Registers a page of the console. Pages are for people: a key is refused, and no cookie means the way to a login link. */
export function consolePage(
  frame: Frame,
  definition: PageDefinition,
  handler: (view: ConsoleView, ctx: ApiContext) => Promise<ConsoleBody | Response>,
): void {
  frame.page(definition, async (ctx) => {
    const view = await readView(frame, ctx)
    const body = await handler(view, ctx)
    if (body instanceof Response) return body
    return ctx.html(renderConsole(view, body), body.status ?? 200)
  })
}

function renderConsole(view: ConsoleView, body: ConsoleBody) {
  const filter = body.liveFilter
  return renderDocument({
    title: body.title,
    theme: view.theme,
    live:
      filter === undefined
        ? undefined
        : {
            stream: `/v1/events/stream?${filter === '' ? '' : `${filter}&`}after=${view.position}`,
            kinds: eventKinds.join(' '),
          },
    children: (
      <ConsoleFrame view={view} current={body.current} isLive={filter !== undefined}>
        {body.children}
      </ConsoleFrame>
    ),
  })
}

const allServers = { limit: 100, cursor: null, direction: 'after' } as const

async function readView(frame: Frame, ctx: ApiContext): Promise<ConsoleView> {
  const { db, temporalUiUrl, temporalNamespace, now } = frame.deps
  const operator = requireOperator(ctx)
  // Read before the page's rows: an event in between is told again, never missed.
  const position = await newestPosition(db)
  const [installation, servers] = await Promise.all([getInstallation(db), listServers(db, allServers)])
  return {
    operator,
    theme: readTheme(ctx),
    path: pathOf(ctx),
    timeZone: installation.timeZone,
    sellerName: installation.sellerName,
    now: now(),
    dryRunServers: servers.filter((server) => server.runner === 'dry-run').map((server) => server.code),
    temporalUrl: `${temporalUiUrl}/namespaces/${temporalNamespace}/workflows`,
    position: encodePosition(position),
  }
}

export function requireOperator(ctx: ApiContext): Operator {
  const principal = ctx.get('principal')
  if (principal?.kind !== 'operator') {
    throw new BusinessError('login_required', 'Pages are for people: open a login link. Programs use /v1.')
  }
  return principal
}

function pathOf(ctx: ApiContext): string {
  const { pathname, search } = new URL(ctx.req.url)
  return `${pathname}${search}`
}

const themeCookie = 'clouder_theme'

function readTheme(ctx: ApiContext): Theme {
  return themes.find((theme) => theme === getCookie(ctx, themeCookie)) ?? 'system'
}

/** Light, dark or as the system has it. A form, so that it works without a script. */
export function registerTheme(frame: Frame): void {
  frame.page({ method: 'post', path: '/theme', permission: 'signed_in' }, async (ctx) => {
    const { theme, back } = await ctx.req.parseBody()
    const chosen = themes.find((name) => name === theme) ?? 'system'
    setCookie(ctx, themeCookie, chosen, { path: '/', sameSite: 'Lax', httpOnly: true, maxAge: 31_536_000 })
    // Only a path of our own: `//elsewhere` would be another host.
    const isOwnPath = typeof back === 'string' && /^\/(?![/\\])/.test(back)
    return ctx.redirect(isOwnPath ? back : '/', 303)
  })
}
