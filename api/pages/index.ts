import type { Frame } from '../frame.ts'
import { registerAssets } from './assets.ts'
import { registerBillingRunPages } from './billing-runs.tsx'
import { registerCancellation } from './cancellation.tsx'
import { registerTheme } from './console-page.tsx'
import { registerHome } from './home.tsx'
import { registerInvoiceForms } from './invoice-forms.ts'
import { registerInvoice } from './invoice.tsx'
import { registerInvoices } from './invoices.tsx'
import { registerSimulation } from './simulation.tsx'
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
  registerSimulation(frame)
  registerSubscriptionForms(frame)
  registerBillingRunPages(frame)
  registerInvoices(frame)
  registerInvoice(frame)
  registerInvoiceForms(frame)
}
