import { isPortalLinkOpen } from '#db/portal-session.ts'
import { linkExpired } from '#domain/errors.ts'
import { hashSecret } from '../api-key.ts'
import { refuseForeignOrigin } from '../authentication.ts'
import type { ApiContext, Frame } from '../frame.ts'
import type { Problem } from '../errors.ts'
import { enterPortal, leavePortal } from '../portal-authentication.ts'
import type { Messages } from './messages/en.ts'
import { renderPlainPortal, requireSession } from './portal-page.tsx'

/** The way in and the way out. Programs that read mails open every link: only sending its form uses a link up. */
export function registerPortalDoor(frame: Frame): void {
  const { deps } = frame
  frame.page({ method: 'get', path: '/portal/login/:token', permission: 'public' }, async (ctx) => {
    const token = ctx.req.param('token') ?? ''
    if (!(await isPortalLinkOpen(deps.db, hashSecret(token), deps.now()))) throw linkExpired()
    const page = await renderPlainPortal(frame, ctx, ({ words }, sellerName) => ({
      title: words.signIn,
      children: (
        <>
          <h1>{words.signInTo(sellerName)}</h1>
          <p>{words.linkWorksOnce}</p>
          <form method="post">
            <button type="submit" class="primary">
              {words.signIn}
            </button>
          </form>
        </>
      ),
    }))
    return ctx.html(page)
  })
  frame.page({ method: 'post', path: '/portal/login/:token', permission: 'public' }, async (ctx) => {
    refuseForeignOrigin(ctx, deps.publicUrl)
    await enterPortal(ctx, ctx.req.param('token') ?? '', deps)
    return ctx.redirect('/portal', 303)
  })
  frame.page({ method: 'post', path: '/portal/logout', permission: 'portal' }, async (ctx) => {
    await leavePortal(ctx, requireSession(ctx), deps)
    return ctx.redirect('/portal', 303)
  })
}

/** What somebody in the portal is told of a refusal or a fault: in words, with nothing of how Clouder is made. */
export async function portalProblemPage(frame: Pick<Frame, 'deps'>, ctx: ApiContext, problem: Problem) {
  return await renderPlainPortal(frame, ctx, ({ words }, sellerName) => {
    const { title, text } = explain(problem, words, sellerName)
    const isSignedIn = ctx.get('portalSession') !== undefined
    return {
      title,
      children: (
        <>
          <h1>{title}</h1>
          <p>{text}</p>
          {isSignedIn && (
            <p>
              <a class="button primary" href="/portal">
                {words.toOverview}
              </a>
            </p>
          )}
          <p class="hint">{words.requestId(problem.request_id)}</p>
        </>
      ),
    }
  })
}

function explain({ code }: Problem, words: Messages, sellerName: string): { title: string; text: string } {
  if (code === 'login_required') return { title: words.signedOutTitle, text: words.signedOutText(sellerName) }
  if (code === 'link_expired') return { title: words.linkUsedTitle, text: words.linkUsedText(sellerName) }
  if (code === 'not_found') return { title: words.notFoundTitle, text: words.notFoundText }
  return { title: words.failedTitle, text: words.failedText }
}
