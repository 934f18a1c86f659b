import type { Frame } from '../frame.ts'
import { registerAssets } from './assets.ts'
import { registerCancellation } from './cancellation.tsx'
import { registerTheme } from './console-page.tsx'
import { registerHome } from './home.tsx'
import { registerInvoice } from './invoice.tsx'
import { registerInvoices } from './invoices.tsx'
import { registerSubscriptionForms } from './subscription-forms.ts'
import { registerSubscription } from './subscription.tsx'
import { registerSubscriptions } from './subscriptions.tsx'

/** Every page. */
export function registerPages(frame: Frame): void {
  registerAssets(frame)
  registerTheme(frame)
  registerHome(frame)
  registerSubscriptions(frame)
  registerSubscription(frame)
  registerCancellation(frame)
  registerSubscriptionForms(frame)
  registerInvoices(frame)
  registerInvoice(frame)
}
