import type { Child } from 'hono/jsx'
import { SettingsFrame } from './settings-frame.tsx'

export const peersPath = '/settings/peers'

/** The head of every page of one peer, with the way back to all of them. */
export function PeerFrame({ children }: { children?: Child }) {
  return (
    <SettingsFrame current={peersPath}>
      <p class="trail">
        <a href={peersPath}>← Peers</a>
      </p>
      {children}
    </SettingsFrame>
  )
}
