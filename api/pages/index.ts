import type { Frame } from '../frame.ts'
import { registerApplicationIcon } from './application-icon.tsx'
import { registerAssets } from './assets.ts'
import { registerBillingRunPages } from './billing-runs.tsx'
import { registerBuildForms } from './build-actions.tsx'
import { registerCancellation } from './cancellation.tsx'
import { registerCatalogPage } from './catalog.tsx'
import { registerCatalogVersionPages } from './catalog-versions.tsx'
import { registerChangeRequestPages } from './change-requests.tsx'
import { registerTheme } from './console-page.tsx'
import { registerCustomerForms } from './customer-forms.ts'
import { registerCustomerPortal } from './customer-portal.tsx'
import { registerCustomer } from './customer.tsx'
import { registerCustomers } from './customers.tsx'
import { registerDiscountPages } from './discounts.tsx'
import { registerExchangeRatePages } from './exchange-rates.tsx'
import { registerHome } from './home.tsx'
import { registerInvoiceForms } from './invoice-forms.ts'
import { registerInstanceActions } from './instance-actions.tsx'
import { registerInstanceBackups } from './instance-backups.tsx'
import { registerInstanceConfiguration } from './instance-configuration.tsx'
import { registerInstanceLogs } from './instance-logs.tsx'
import { registerInstanceSecrets } from './instance-secrets.tsx'
import { registerInstanceValueForm } from './instance-values.tsx'
import { registerInstance } from './instance.tsx'
import { registerInstancesPage } from './instances.tsx'
import { registerInvoice } from './invoice.tsx'
import { registerInvoices } from './invoices.tsx'
import { registerOrder } from './order.tsx'
import { registerPeerAgreedPage } from './peer-agreed.tsx'
import { registerPeerKeyPages } from './peer-keys.tsx'
import { registerExpensePages } from './expenses.tsx'
import { registerMarginPages } from './margins.tsx'
import { registerPayablesPage } from './payables.tsx'
import { registerPeerPages } from './peers.tsx'
import { registerPeerProofPages } from './peer-proofs.tsx'
import { registerSuppliedUsagePages } from './supplied-usage.tsx'
import { registerRefusedUsagePages } from './refused-usage-events.tsx'
import { registerDataSourcePages } from './data-sources.tsx'
import { registerDeployerPages } from './deployers.tsx'
import { registerMetricPages } from './metrics.tsx'
import { registerRegistryPages } from './registries.tsx'
import { registerServerPages } from './servers.tsx'
import { registerSettingsForms } from './settings-forms.ts'
import { registerServerForms } from './server-forms.ts'
import { registerServersPage } from './server-list.tsx'
import { registerSettings } from './settings.tsx'
import { registerSimulation } from './simulation.tsx'
import { registerSubscriptionChange } from './subscription-change.tsx'
import { registerReinstatementForm } from './reinstatement.ts'
import { registerSpendCapForms } from './spend-caps.tsx'
import { registerSubscriptionForms } from './subscription-forms.ts'
import { registerSubscription } from './subscription.tsx'
import { registerSubscriptions } from './subscriptions.tsx'
import { registerOrderPage } from './order-holds.tsx'
import { registerSupplierInvoiceForms } from './supplier-invoice-forms.ts'
import { registerSupplierInvoicePage } from './supplier-invoice.tsx'
import { registerSupplierSubscriptionPages } from './supplier-subscriptions.tsx'
import { registerTaxRatePages } from './tax-rates.tsx'
import { registerUsageWindowPages } from './usage-window.tsx'
import { registerWebhookPages } from './webhooks.tsx'

/** Every page. */
export function registerPages(frame: Frame): void {
  registerAssets(frame)
  registerApplicationIcon(frame)
  registerTheme(frame)
  registerHome(frame)
  registerOrderPage(frame)
  registerSubscriptions(frame)
  registerSubscription(frame)
  registerCancellation(frame)
  registerSimulation(frame)
  registerSubscriptionForms(frame)
  registerReinstatementForm(frame)
  registerBuildForms(frame)
  registerInstanceValueForm(frame)
  registerSpendCapForms(frame)
  registerInstancesPage(frame)
  registerInstance(frame)
  registerInstanceLogs(frame)
  registerInstanceActions(frame)
  registerInstanceSecrets(frame)
  registerInstanceConfiguration(frame)
  registerInstanceBackups(frame)
  registerSubscriptionChange(frame)
  registerChangeRequestPages(frame)
  registerBillingRunPages(frame)
  registerUsageWindowPages(frame)
  registerRefusedUsagePages(frame)
  registerInvoices(frame)
  registerInvoice(frame)
  registerInvoiceForms(frame)
  registerCustomers(frame)
  registerCustomer(frame)
  registerCustomerForms(frame)
  registerCustomerPortal(frame)
  registerCatalogPage(frame)
  registerCatalogVersionPages(frame)
  registerOrder(frame)
  registerServersPage(frame)
  registerServerForms(frame)
  registerSettings(frame)
  registerSettingsForms(frame)
  registerTaxRatePages(frame)
  registerExchangeRatePages(frame)
  registerServerPages(frame)
  registerPeerPages(frame)
  registerPeerAgreedPage(frame)
  registerPeerKeyPages(frame)
  registerMetricPages(frame)
  registerPeerProofPages(frame)
  registerSuppliedUsagePages(frame)
  registerPayablesPage(frame)
  registerExpensePages(frame)
  registerMarginPages(frame)
  registerSupplierInvoicePage(frame)
  registerSupplierSubscriptionPages(frame)
  registerSupplierInvoiceForms(frame)
  registerDataSourcePages(frame)
  registerWebhookPages(frame)
  registerDeployerPages(frame)
  registerRegistryPages(frame)
  registerDiscountPages(frame)
}
