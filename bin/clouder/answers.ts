import type { z } from '@hono/zod-openapi'
import type { applicationSchema } from '#api/schemas/application.ts'
import type { backupSchema } from '#api/schemas/backup.ts'
import type { billingRunDetailSchema, billingRunSchema, dryRunSchema } from '#api/schemas/billing-run.ts'
import type { buildDetailSchema, buildSchema } from '#api/schemas/build.ts'
import type { changeRequestSchema } from '#api/schemas/change-request.ts'
import type { eventSchema } from '#api/schemas/event.ts'
import type { composeExportSchema } from '#api/schemas/compose-export.ts'
import type { expectedInvoicesSchema } from '#api/schemas/expected-invoice.ts'
import type { findingSchema, repairSchema } from '#api/schemas/finding.ts'
import type { comparisonSchema, configurationPreviewSchema } from '#api/schemas/instance-configuration.ts'
import type { instanceLoginLinkSchema } from '#api/schemas/instance-login.ts'
import type { instanceSchema } from '#api/schemas/instance.ts'
import type { instanceCommandSchema, logSchema, shownSecretSchema } from '#api/schemas/instance-command.ts'
import type { instanceValuesSchema } from '#api/schemas/instance-value.ts'
import type { invoiceDetailSchema, invoiceSchema } from '#api/schemas/invoice.ts'
import type { linkSchema } from '#api/schemas/link.ts'
import type {
  expenseCategorySchema,
  expensesSchema,
  supplierDetailSchema,
  supplierSchema,
} from '#api/schemas/expense.ts'
import type { marginsSchema } from '#api/schemas/margin.ts'
import type { kitSchema } from '#api/schemas/kit.ts'
import type { oneOffChargeSchema } from '#api/schemas/one-off-charge.ts'
import type { orderDetailSchema, placedAgainSchema } from '#api/schemas/order-detail.ts'
import type { orderPreviewSchema, orderSchema } from '#api/schemas/order.ts'
import type { priceGridsSchema } from '#api/schemas/price-grid.ts'
import type { priceRevisionSchema } from '#api/schemas/price-revision.ts'
import type { productSchema } from '#api/schemas/product.ts'
import type { peerDetailSchema, peerInvitationSchema, peerSchema } from '#api/schemas/peer.ts'
import type { disputeSchema } from '#api/schemas/dispute.ts'
import type { lostDocumentSchema } from '#api/schemas/lost-document.ts'
import type { proofSchema, suppliedUsageSchema } from '#api/schemas/peer-question.ts'
import type { deliverySchema, webhookSchema, webhookWithSecretSchema } from '#api/schemas/webhook.ts'
import type { dataSourceSchema } from '#api/schemas/data-source.ts'
import type { deployerSchema } from '#api/schemas/deployer.ts'
import type { metricSchema } from '#api/schemas/metric.ts'
import type {
  payablesSchema,
  supplierPaymentDetailSchema,
  supplierPaymentSchema,
} from '#api/schemas/payable.ts'
import type { supplierInvoiceDetailSchema, supplierInvoiceSchema } from '#api/schemas/supplier-invoice.ts'
import type { recordedFromCsvSchema } from '#api/schemas/stated-invoice.ts'
import type {
  expectedOfSuppliersSchema,
  supplierSubscriptionSchema,
} from '#api/schemas/supplier-subscription.ts'
import type { registrySchema } from '#api/schemas/registry.ts'
import type { selfCheckSchema } from '#api/schemas/self-check.ts'
import type { sellerSchema } from '#api/schemas/seller.ts'
import type { placementSchema } from '#api/schemas/placement.ts'
import type { joinTokenSchema, serverSchema, serverTestSchema } from '#api/schemas/server.ts'
import type { refusedUsageEventSchema, sentAgainSchema } from '#api/schemas/refused-usage-event.ts'
import type { serviceTermsSchema } from '#api/schemas/service-terms.ts'
import type { simulationSchema } from '#api/schemas/simulation.ts'
import type { subscriptionDetailSchema, subscriptionSchema } from '#api/schemas/subscription.ts'
import type { templateSchema } from '#api/schemas/subscription-template.ts'
import type { taskSchema } from '#api/schemas/task.ts'
import type { exchangeRateSchema } from '#api/schemas/exchange-rate.ts'
import type { taxRateSchema } from '#api/schemas/tax-rate.ts'
import type { testClockSchema } from '#api/schemas/test-clock.ts'
import type { usageEventResultSchema, UsageStreamLine as StreamLine } from '#api/schemas/usage-event.ts'
import type { usageWarningSchema } from '#api/schemas/usage-warning.ts'
import type { usageWindowSchema, windowReadingsSchema } from '#api/schemas/usage-window.ts'
import type { spendSchema } from '#api/schemas/spend-cap.ts'
import type { usageSchema } from '#api/schemas/usage.ts'

/**
 * What the API answers, as its own schemas say. Types only: a command must start quickly, and the API has checked its
 * answer already. `doctor` tells when the two are not of one version.
 */
export type Application = z.output<typeof applicationSchema>
export type Backup = z.output<typeof backupSchema>
export type BillingRun = z.output<typeof billingRunSchema>
export type BillingRunDetail = z.output<typeof billingRunDetailSchema>
export type BillingRunPreview = z.output<typeof dryRunSchema>
export type Build = z.output<typeof buildSchema>
export type BuildDetail = z.output<typeof buildDetailSchema>
export type BuildStep = BuildDetail['steps'][number]
export type ChangeRequest = z.output<typeof changeRequestSchema>
export type ComposeExport = z.output<typeof composeExportSchema>
export type Event = z.output<typeof eventSchema>
export type ExpectedInvoices = z.output<typeof expectedInvoicesSchema>
export type Finding = z.output<typeof findingSchema>
export type InstanceLoginLink = z.output<typeof instanceLoginLinkSchema>
export type Instance = z.output<typeof instanceSchema>
export type ConfigurationPreview = z.output<typeof configurationPreviewSchema>
export type Comparison = z.output<typeof comparisonSchema>
export type InstanceCommand = z.output<typeof instanceCommandSchema>
export type Log = z.output<typeof logSchema>
export type ShownSecret = z.output<typeof shownSecretSchema>
export type InstanceValues = z.output<typeof instanceValuesSchema>
export type Invoice = z.output<typeof invoiceSchema>
export type InvoiceDetail = z.output<typeof invoiceDetailSchema>
export type Link = z.output<typeof linkSchema>
export type JoinToken = z.output<typeof joinTokenSchema>
export type Kit = z.output<typeof kitSchema>
export type OneOffCharge = z.output<typeof oneOffChargeSchema>
export type Order = z.output<typeof orderSchema>
export type OrderDetail = z.output<typeof orderDetailSchema>
export type PlacedAgain = z.output<typeof placedAgainSchema>
export type OrderPreview = z.output<typeof orderPreviewSchema>
export type RefusedUsageEvent = z.output<typeof refusedUsageEventSchema>
export type SentAgain = z.output<typeof sentAgainSchema>
export type Repair = z.output<typeof repairSchema>
export type Peer = z.output<typeof peerSchema>
export type PeerDetail = z.output<typeof peerDetailSchema>
export type PeerInvitation = z.output<typeof peerInvitationSchema>
export type Dispute = z.output<typeof disputeSchema>
export type LostDocument = z.output<typeof lostDocumentSchema>
export type PeerProof = z.output<typeof proofSchema>
export type SuppliedUsage = z.output<typeof suppliedUsageSchema>
export type ExpenseCategory = z.output<typeof expenseCategorySchema>
export type Expenses = z.output<typeof expensesSchema>
export type Supplier = z.output<typeof supplierSchema>
export type SupplierDetail = z.output<typeof supplierDetailSchema>
export type Margins = z.output<typeof marginsSchema>
export type Payables = z.output<typeof payablesSchema>
export type SupplierInvoice = z.output<typeof supplierInvoiceSchema>
export type Webhook = z.output<typeof webhookSchema>
export type WebhookWithSecret = z.output<typeof webhookWithSecretSchema>
export type WebhookDelivery = z.output<typeof deliverySchema>
export type DataSource = z.output<typeof dataSourceSchema>
export type Deployer = z.output<typeof deployerSchema>
export type SharedMetric = z.output<typeof metricSchema>
export type RecordedFromCsv = z.output<typeof recordedFromCsvSchema>
export type SupplierInvoiceDetail = z.output<typeof supplierInvoiceDetailSchema>
export type SupplierSubscription = z.output<typeof supplierSubscriptionSchema>
export type ExpectedOfSuppliers = z.output<typeof expectedOfSuppliersSchema>
export type SupplierPayment = z.output<typeof supplierPaymentSchema>
export type SupplierPaymentDetail = z.output<typeof supplierPaymentDetailSchema>
export type Registry = z.output<typeof registrySchema>
export type PriceGrids = z.output<typeof priceGridsSchema>
export type PriceRevision = z.output<typeof priceRevisionSchema>
export type Product = z.output<typeof productSchema>
export type SelfCheck = z.output<typeof selfCheckSchema>
export type Seller = z.output<typeof sellerSchema>
export type Placement = z.output<typeof placementSchema>
export type Server = z.output<typeof serverSchema>
export type ServerTest = z.output<typeof serverTestSchema>
export type ServiceTerms = z.output<typeof serviceTermsSchema>
export type Simulation = z.output<typeof simulationSchema>
export type Subscription = z.output<typeof subscriptionSchema>
export type SubscriptionDetail = z.output<typeof subscriptionDetailSchema>
export type SubscriptionTemplate = z.output<typeof templateSchema>
export type Task = z.output<typeof taskSchema>
export type ExchangeRate = z.output<typeof exchangeRateSchema>
export type TaxRate = z.output<typeof taxRateSchema>
export type TestClock = z.output<typeof testClockSchema>
export type UsageEventResult = z.output<typeof usageEventResultSchema>
export type UsageStreamLine = StreamLine
export type Spend = z.output<typeof spendSchema>
export type Usage = z.output<typeof usageSchema>
export type UsageWarning = z.output<typeof usageWarningSchema>
export type UsageWindow = z.output<typeof usageWindowSchema>
export type UsageWindowReadings = z.output<typeof windowReadingsSchema>
