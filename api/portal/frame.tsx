import type { Child } from 'hono/jsx'
import type { PortalBody, PortalView } from './portal-page.tsx'

/** Header and footer around every page of the portal: the seller's name, whose it is, and the way out. */
export function PortalFrame(props: { view: PortalView; current: PortalBody['current']; children?: Child }) {
  const { view, current } = props
  const { words } = view.speech
  const places = [
    { key: 'overview', title: words.overview, href: '/portal' },
    { key: 'invoices', title: words.invoices, href: '/portal/invoices' },
  ]
  return (
    <>
      <a class="skip" href="#main">
        {words.skip}
      </a>
      <header class="top">
        <a class="brand" href="/portal">
          {view.sellerName}
        </a>
        <nav aria-label={words.menu}>
          {places.map(({ key, title, href }) => (
            <a href={href} aria-current={key === current ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <form method="post" action="/portal/logout" class="account">
          <input type="hidden" name="form_token" value={view.formToken} />
          <span>{view.customerName}</span>
          <button type="submit" class="quiet">
            {words.signOut}
          </button>
        </form>
      </header>
      <main id="main" class="portal" tabindex={-1}>
        {props.children}
      </main>
      <footer class="bottom">
        <p>
          {words.portal} · {view.sellerName}
        </p>
        {view.sellerEmail !== null && (
          <p>
            {words.questions} <a href={`mailto:${view.sellerEmail}`}>{view.sellerEmail}</a>
          </p>
        )}
      </footer>
    </>
  )
}
