import type { Frame } from '../frame.ts'
import { registerPortalDoor } from './door.tsx'
import { registerPortalHome } from './home.tsx'
import { registerPortalInvoices } from './invoices.tsx'
import { registerPortalSpend } from './spend.tsx'
import { registerPortalSubscription } from './subscription.tsx'

/** Every page that customers see. */
export function registerPortal(frame: Frame): void {
  registerPortalDoor(frame)
  registerPortalHome(frame)
  registerPortalSubscription(frame)
  registerPortalSpend(frame)
  registerPortalInvoices(frame)
}
