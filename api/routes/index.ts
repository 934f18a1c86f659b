import type { Frame } from '../frame.ts'
import { registerAnnouncements } from './announcements.ts'
import { registerApplications } from './applications.ts'
import { registerBillingRuns } from './billing-runs.ts'
import { registerBackupDownload } from './backup-download.ts'
import { registerBackups } from './backups.ts'
import { registerBuildCommands } from './build-commands.ts'
import { registerBuilds } from './builds.ts'
import { registerCatalog } from './catalog.ts'
import { registerChangeRequests } from './change-requests.ts'
import { registerComposeExport } from './compose-export.ts'
import { registerCustomers } from './customers.ts'
import { registerDataSources } from './data-sources.ts'
import { registerDiscounts } from './discounts.ts'
import { registerDocumentation } from './documentation.ts'
import { registerDisputes } from './disputes.ts'
import { registerDocuments } from './documents.ts'
import { registerEnvironments } from './environments.ts'
import { registerEvents } from './events.ts'
import { registerExchangeRates } from './exchange-rates.ts'
import { registerHealth } from './health.ts'
import { registerFeatures } from './features.ts'
import { registerFindings } from './findings.ts'
import { registerInstanceLogins } from './instance-logins.tsx'
import { registerInstanceCommands } from './instance-commands.ts'
import { registerInstanceValues } from './instance-values.ts'
import { registerInstanceConfiguration } from './instance-configuration.ts'
import { registerInstances } from './instances.ts'
import { registerInvoiceActions } from './invoice-actions.ts'
import { registerInvoiceFiles } from './invoice-files.ts'
import { registerInvoices } from './invoices.ts'
import { registerKits } from './kits.ts'
import { registerPeerKeys } from './peer-keys.ts'
import { registerPeerMessages } from './peer-messages.ts'
import { registerExpenses } from './expenses.ts'
import { registerMargins } from './margins.ts'
import { registerPayables } from './payables.ts'
import { registerPeerPairing } from './peer-pairing.ts'
import { registerPeerProofs } from './peer-proofs.ts'
import { registerPeerQuestions } from './peer-questions.ts'
import { registerPeers } from './peers.ts'
import { registerSuppliedUsage } from './supplied-usage.ts'
import { registerSupplierInvoiceFiles } from './supplier-invoice-files.ts'
import { registerSupplierInvoices } from './supplier-invoices.ts'
import { registerLinks } from './links.ts'
import { registerLostDocuments } from './lost-documents.ts'
import { registerLogin } from './login.tsx'
import { registerMe } from './me.ts'
import { registerMetrics } from './metrics.ts'
import { registerOneOffCharges } from './one-off-charges.ts'
import { registerMailVerifications } from './mail-verifications.ts'
import { registerOrderHolds } from './order-holds.ts'
import { registerOrders } from './orders.ts'
import { registerPortalSessions } from './portal-sessions.ts'
import { registerPreviews } from './previews.ts'
import { registerDrafts } from './drafts.ts'
import { registerReinstatement } from './reinstatement.ts'
import { registerPriceGrids } from './price-grids.ts'
import { registerPriceLists } from './price-lists.ts'
import { registerPriceRevisions } from './price-revisions.ts'
import { registerRegistries } from './registries.ts'
import { registerRemoval } from './removal.ts'
import { registerProducts } from './products.ts'
import { registerProductVersions } from './product-versions.ts'
import { registerKitVersions } from './kit-versions.ts'
import { registerSelfCheck } from './self-check.ts'
import { registerSeller } from './seller.ts'
import { registerServiceTerms } from './service-terms.ts'
import { registerServerCapacity } from './server-capacity.ts'
import { registerServers } from './servers.ts'
import { registerServerJoin } from './server-join.ts'
import { registerServerTest } from './server-test.ts'
import { registerSpendCaps } from './spend-caps.ts'
import { registerStatedInvoices } from './stated-invoices.ts'
import { registerSupplierSubscriptions } from './supplier-subscriptions.ts'
import { registerSubnets } from './subnets.ts'
import { registerSubscriptionActions } from './subscription-actions.ts'
import { registerSubscriptionTemplates } from './subscription-templates.ts'
import { registerSubscriptions } from './subscriptions.ts'
import { registerTasks } from './tasks.ts'
import { registerTaxRates } from './tax-rates.ts'
import { registerTestClocks } from './test-clocks.ts'
import { registerUnitReservations } from './unit-reservations.ts'
import { registerRefusedUsageEvents } from './refused-usage-events.ts'
import { registerUsageEvents } from './usage-events.ts'
import { registerUsageExport } from './usage-export.ts'
import { registerDeployers } from './deployers.ts'
import { registerUsageFeed } from './usage-feed.ts'
import { registerUsageWindows } from './usage-windows.ts'
import { registerUsage } from './usage.ts'
import { registerWebhookDeliveries } from './webhook-deliveries.ts'
import { registerWebhooks } from './webhooks.ts'

/** Every route of the JSON API, in the order of its documentation. */
export function registerRoutes(frame: Frame): void {
  registerMe(frame)
  registerProducts(frame)
  registerProductVersions(frame)
  registerKits(frame)
  registerKitVersions(frame)
  registerPriceLists(frame)
  registerCatalog(frame)
  registerSubscriptionTemplates(frame)
  registerDiscounts(frame)
  registerTaxRates(frame)
  registerExchangeRates(frame)
  registerSeller(frame)
  registerServiceTerms(frame)
  registerMetrics(frame)
  registerApplications(frame)
  registerPriceGrids(frame)
  registerRemoval(frame)
  registerCustomers(frame)
  registerPortalSessions(frame)
  registerEnvironments(frame)
  registerOrders(frame)
  registerDrafts(frame)
  registerOrderHolds(frame)
  registerMailVerifications(frame)
  registerSubscriptions(frame)
  registerSubscriptionActions(frame)
  registerReinstatement(frame)
  registerPreviews(frame)
  registerChangeRequests(frame)
  registerPriceRevisions(frame)
  registerAnnouncements(frame)
  registerBackups(frame)
  registerBackupDownload(frame)
  registerBuilds(frame)
  registerBuildCommands(frame)
  registerInstances(frame)
  registerLinks(frame)
  registerInstanceCommands(frame)
  registerInstanceLogins(frame)
  registerInstanceConfiguration(frame)
  registerComposeExport(frame)
  registerFindings(frame)
  registerInstanceValues(frame)
  registerRegistries(frame)
  registerServers(frame)
  registerServerTest(frame)
  registerServerCapacity(frame)
  registerServerJoin(frame)
  registerSubnets(frame)
  registerPeers(frame)
  registerPeerProofs(frame)
  registerLostDocuments(frame)
  registerPeerQuestions(frame)
  registerPeerKeys(frame)
  registerPeerPairing(frame)
  registerPeerMessages(frame)
  registerSupplierInvoices(frame)
  registerStatedInvoices(frame)
  registerSupplierSubscriptions(frame)
  registerSupplierInvoiceFiles(frame)
  registerSuppliedUsage(frame)
  registerDisputes(frame)
  registerPayables(frame)
  registerExpenses(frame)
  registerMargins(frame)
  registerDocuments(frame)
  registerInvoices(frame)
  registerInvoiceFiles(frame)
  registerInvoiceActions(frame)
  registerOneOffCharges(frame)
  registerSelfCheck(frame)
  registerBillingRuns(frame)
  registerDataSources(frame)
  registerUsageEvents(frame)
  registerRefusedUsageEvents(frame)
  registerUsage(frame)
  registerUsageExport(frame)
  registerUsageFeed(frame)
  registerDeployers(frame)
  registerFeatures(frame)
  registerUsageWindows(frame)
  registerSpendCaps(frame)
  registerUnitReservations(frame)
  registerTestClocks(frame)
  registerTasks(frame)
  registerEvents(frame)
  registerHealth(frame)
  registerLogin(frame)
  registerDocumentation(frame)
  registerWebhooks(frame)
  registerWebhookDeliveries(frame)
}
