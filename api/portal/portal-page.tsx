import type { Child } from 'hono/jsx'
import { getInstallation } from '#db/read/installation.ts'
import { readSeller } from '#db/seller.ts'
import { BusinessError } from '#domain/errors.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { renderDocument } from '../pages/document.tsx'
import { PortalFrame } from './frame.tsx'
import { speechOf, type Speech } from './language.ts'
import { ownOf, type Own } from './own.ts'

/** What every page of the portal knows besides its own rows. */
export interface PortalView {
  readonly speech: Speech
  readonly sellerName: string
  /** Where questions are asked; null where the seller has said none. */
  readonly sellerEmail: string | null
  readonly customerName: string
  readonly formToken: string
  readonly timeZone: string
}

export interface PortalBody {
  readonly title: string
  readonly current: 'overview' | 'invoices'
  readonly children: Child
}

interface PortalRoute {
  readonly method: 'get' | 'post'
  /** As Hono writes it: `/portal/subscriptions/:id`. */
  readonly path: string
}

/**
 * Registers a page of the portal. It is given what its session's customer has, and no database: whatever address is asked for, there
 * is no row of somebody else to be shown.
 */
export function portalPage(
  frame: Frame,
  route: PortalRoute,
  handler: (own: Own, view: PortalView, ctx: ApiContext) => Promise<PortalBody | Response>,
): void {
  frame.page({ ...route, permission: 'portal' }, async (ctx) => {
    const { db, now } = frame.deps
    const session = requireSession(ctx)
    const own = ownOf({ db, customerId: session.customerId, now: now() })
    const [customer, seller] = await Promise.all([own.customer(), readSeller(db)])
    const view = {
      speech: speechOf(customer.language),
      sellerName: seller.profile.name,
      sellerEmail: seller.profile.email ?? null,
      customerName: customer.name,
      formToken: session.formToken,
      timeZone: customer.time_zone,
    }
    const body = await handler(own, view, ctx)
    return body instanceof Response ? body : ctx.html(renderPortal(view, body))
  })
}

export function requireSession(ctx: ApiContext) {
  const session = ctx.get('portalSession')
  if (session === undefined) throw new BusinessError('login_required', 'No session was let in.')
  return session
}

function renderPortal(view: PortalView, body: PortalBody) {
  const { language, direction } = view.speech
  return renderDocument({
    title: body.title,
    site: view.sellerName,
    language,
    direction,
    styles: ['portal.css'],
    children: (
      <PortalFrame view={view} current={body.current}>
        {body.children}
      </PortalFrame>
    ),
  })
}

/** For somebody who is not signed in: in the language that the browser asks for. */
export async function renderPlainPortal(
  frame: Pick<Frame, 'deps'>,
  ctx: ApiContext,
  page: (speech: Speech, sellerName: string) => { title: string; children: Child },
) {
  const speech = speechOf(ctx.req.header('accept-language')?.split(/[,;]/)[0])
  // That the database is not reached is told by such a page, too.
  const sellerName = await getInstallation(frame.deps.db).then(
    (installation) => installation.sellerName,
    () => speech.words.portal,
  )
  const { title, children } = page(speech, sellerName)
  return renderDocument({
    title,
    site: sellerName,
    language: speech.language,
    direction: speech.direction,
    styles: ['portal.css'],
    children: (
      <main class="plain portal-door" id="main">
        <p class="brand">
          <a href="/portal">{sellerName}</a>
        </p>
        {children}
      </main>
    ),
  })
}
