import type { Child } from 'hono/jsx'
import { Places } from './parts.tsx'

const places = [
  { href: '/settings', title: 'Seller and documents' },
  { href: '/settings/tax-rates', title: 'Tax rates' },
  { href: '/settings/exchange-rates', title: 'Exchange rates' },
  { href: '/settings/servers', title: 'Servers' },
  { href: '/settings/metrics', title: 'Metrics' },
  { href: '/settings/data-sources', title: 'Data sources' },
  { href: '/settings/deployers', title: 'Deployers' },
  { href: '/settings/registries', title: 'Registries' },
  { href: '/settings/peers', title: 'Peers' },
  { href: '/settings/webhooks', title: 'Webhooks' },
  { href: '/settings/discounts', title: 'Discounts' },
] as const

/** The head of every page of the settings: what is seldom changed has one way to it. */
export function SettingsFrame(props: { current: (typeof places)[number]['href']; children?: Child }) {
  return (
    <>
      <h1>Settings</h1>
      <Places label="Settings" places={places} current={props.current} />
      {props.children}
    </>
  )
}

/** Said where the form stands that was sent. */
export function Saved(props: { isSaved: boolean; children?: Child }) {
  if (!props.isSaved) return null
  return (
    <p class="saved" role="status">
      <span aria-hidden="true">✓</span> {props.children}
    </p>
  )
}
