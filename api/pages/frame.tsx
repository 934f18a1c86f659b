import type { Child } from 'hono/jsx'
import type { ConsoleBody, ConsoleView } from './console-page.tsx'
import { themes } from './document.tsx'

const places = [
  { key: 'home', title: 'Home', href: '/' },
  { key: 'subscriptions', title: 'Subscriptions', href: '/subscriptions' },
  { key: 'instances', title: 'Instances', href: '/instances' },
  { key: 'customers', title: 'Customers', href: '/customers' },
  { key: 'invoices', title: 'Invoices', href: '/invoices' },
  { key: 'suppliers', title: 'Suppliers', href: '/payables' },
  { key: 'catalog', title: 'Catalog', href: '/catalog' },
  { key: 'servers', title: 'Servers', href: '/servers' },
  { key: 'settings', title: 'Settings', href: '/settings' },
] as const

/** Header, banners and footer around every page of the console. */
export function ConsoleFrame(props: {
  view: ConsoleView
  current: ConsoleBody['current']
  isLive: boolean
  children?: Child
}) {
  const { view } = props
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href="/">
          Clouder
        </a>
        <nav aria-label="Console">
          {places.map((place) => (
            <a href={place.href} aria-current={place.key === props.current ? 'page' : undefined}>
              {place.title}
            </a>
          ))}
        </nav>
        <ThemeSwitch view={view} />
        <form method="post" action="/logout" class="account">
          <input type="hidden" name="form_token" value={view.operator.formToken} />
          <span>{view.operator.operatorName}</span>
          <button type="submit" class="quiet">
            Sign out
          </button>
        </form>
      </header>
      <DryRunBanner servers={view.dryRunServers} />
      <main id="main" tabindex={-1}>
        {props.children}
      </main>
      <footer class="bottom">
        <p>
          {view.sellerName} · times in {view.timeZone}
        </p>
        <p class="links">
          <a href="/docs">API</a>{' '}
          <a href={view.temporalUrl} rel="noreferrer">
            Temporal
          </a>
        </p>
        {props.isLive && (
          <p class="live-state" id="live-state">
            Reload to see changes.
          </p>
        )}
      </footer>
      {props.isLive && <p class="visually-hidden" id="live-news" role="status" aria-live="polite"></p>}
    </>
  )
}

function ThemeSwitch({ view }: { view: ConsoleView }) {
  return (
    <form method="post" action="/theme" class="theme" aria-label="Colours">
      <input type="hidden" name="form_token" value={view.operator.formToken} />
      <input type="hidden" name="back" value={view.path} />
      {themes.map((theme) => (
        <button
          type="submit"
          name="theme"
          value={theme}
          aria-pressed={theme === view.theme ? 'true' : 'false'}
        >
          {theme}
        </button>
      ))}
    </form>
  )
}

function DryRunBanner({ servers }: { servers: readonly string[] }) {
  if (servers.length === 0) return null
  return (
    <div class="banner alarm" role="alert">
      <strong>Dry run: nothing really runs.</strong>{' '}
      {servers.length === 1 ? `Server ${servers[0]} has` : `Servers ${servers.join(', ')} have`} no Docker
      engine. Orders, builds and invoices are tried out, no container is made. Start Clouder with a Docker
      engine to deploy for real.
    </div>
  )
}
