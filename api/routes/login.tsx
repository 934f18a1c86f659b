import { isLoginLinkOpen } from '#db/session.ts'
import { linkExpired } from '#domain/errors.ts'
import { hashSecret } from '../api-key.ts'
import { beginSession, endOwnSession, refuseForeignOrigin } from '../authentication.ts'
import type { Frame } from '../frame.ts'
import { loginPage } from '../pages/login.tsx'

/** Programs that read mails open every link: opening shows a form, and only sending it uses the link up. */
export function registerLogin(frame: Frame): void {
  const { deps } = frame
  frame.page({ method: 'get', path: '/login/:token', permission: 'public' }, async (ctx) => {
    const token = ctx.req.param('token') ?? ''
    if (!(await isLoginLinkOpen(deps.db, hashSecret(token), deps.now()))) {
      throw linkExpired()
    }
    return ctx.html(
      loginPage({
        title: 'Sign in',
        heading: 'Sign in to Clouder',
        text: 'This link works once.',
        button: 'Sign in',
      }),
    )
  })
  frame.page({ method: 'post', path: '/login/:token', permission: 'public' }, async (ctx) => {
    refuseForeignOrigin(ctx, deps.publicUrl)
    await beginSession(ctx, ctx.req.param('token') ?? '', deps)
    return ctx.redirect('/', 303)
  })
  frame.page({ method: 'post', path: '/logout', permission: 'signed_in' }, async (ctx) => {
    await endOwnSession(ctx, deps)
    return ctx.redirect('/docs', 303)
  })
}
