import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { keepPlans } from './kept-plan.ts'
import type {
  ApiKeysTable,
  IdempotencyKeysTable,
  LoginLinksTable,
  OperatorsTable,
  PortalLinksTable,
  PortalSessionsTable,
  SessionsTable,
} from './tables/access.ts'
import type * as backup from './tables/backup.ts'
import type * as build from './tables/build.ts'
import type * as catalog from './tables/catalog.ts'
import type {
  CustomerBalancesTable,
  CustomersTable,
  EnvironmentsTable,
  ReservedNamesTable,
  TestClocksTable,
  TaxAnswersTable,
  TaxIdChecksTable,
  TaxQuestionsTable,
} from './tables/customer.ts'
import type {
  DataSourcesTable,
  InstallationTable,
  RegistriesTable,
  ServiceTermsTable,
} from './tables/installation.ts'
import type {
  InstanceCommandsTable,
  InstanceLoginsTable,
  LogExcerptsTable,
} from './tables/instance-command.ts'
import type * as invoice from './tables/invoice.ts'
import type { EventsTable, OutboxTable, TasksTable } from './tables/operation.ts'
import type { LinksTable, PreferredOffersTable } from './tables/link.ts'
import type * as payable from './tables/payable.ts'
import type * as peer from './tables/peer.ts'
import type * as deployer from './tables/deployer.ts'
import type * as hold from './tables/order-hold.ts'
import type * as server from './tables/server.ts'
import type * as subscription from './tables/subscription.ts'
import type {
  MetricFailuresTable,
  MetricLooksTable,
  ReadingHoursTable,
  ReadingSeriesTable,
  ReadingStoreTable,
  ReadingsView,
  ReadingValuesTable,
  SpendCapsTable,
  LateUsageEventsTable,
  RefusedUsageEventsTable,
  UsageEventsTable,
  UnsettledWindowsTable,
  UsageWarningsTable,
  UsageWindowsTable,
} from './tables/usage.ts'
import type * as webhook from './tables/webhook.ts'

export interface Database {
  peers: peer.PeersTable
  peer_keys: peer.PeerKeysTable
  peer_nonces: peer.PeerNoncesTable
  peer_messages: peer.PeerMessagesTable
  received_peer_messages: peer.ReceivedPeerMessagesTable
  peer_refusals: peer.PeerRefusalsTable
  supplier_invoices: peer.SupplierInvoicesTable
  supplier_files: peer.SupplierFilesTable
  supplier_standings: peer.SupplierStandingsTable
  told_expense_mappings: peer.ToldExpenseMappingsTable
  peer_questions: peer.PeerQuestionsTable
  suppliers: payable.SuppliersTable
  supplier_payments: payable.SupplierPaymentsTable
  supplier_payment_reversals: payable.SupplierPaymentReversalsTable
  supplier_allocations: payable.SupplierAllocationsTable
  supplier_uploads: payable.SupplierUploadsTable
  supplier_subscriptions: payable.SupplierSubscriptionsTable
  missing_supplier_invoices: payable.MissingSupplierInvoicesTable
  expense_categories: payable.ExpenseCategoriesTable
  expense_mappings: payable.ExpenseMappingsTable
  supplier_tax_codes: payable.SupplierTaxCodesTable
  lost_documents: peer.LostDocumentsTable
  disputes: peer.DisputesTable
  skipped_numbers: peer.SkippedNumbersTable
  refused_documents: peer.RefusedDocumentsTable
  cost_rules: payable.CostRulesTable
  installation: InstallationTable
  service_terms: ServiceTermsTable
  operators: OperatorsTable
  login_links: LoginLinksTable
  sessions: SessionsTable
  portal_links: PortalLinksTable
  portal_sessions: PortalSessionsTable
  api_keys: ApiKeysTable
  idempotency_keys: IdempotencyKeysTable
  applications: catalog.ApplicationsTable
  application_versions: catalog.ApplicationVersionsTable
  application_permissions: catalog.ApplicationPermissionsTable
  metrics: catalog.MetricsTable
  products: catalog.ProductsTable
  product_versions: catalog.ProductVersionsTable
  product_applications: catalog.ProductApplicationsTable
  add_ons: catalog.AddOnsTable
  stocks: catalog.StocksTable
  stock_takings: catalog.StockTakingsTable
  kits: catalog.KitsTable
  kit_versions: catalog.KitVersionsTable
  bill_of_materials: catalog.BillOfMaterialsTable
  price_lists: catalog.PriceListsTable
  price_list_items: catalog.PriceListItemsTable
  price_grids: catalog.PriceGridsTable
  tax_rates: catalog.TaxRatesTable
  exchange_rates: catalog.ExchangeRatesTable
  discounts: catalog.DiscountsTable
  applied_discounts: catalog.AppliedDiscountsTable
  test_clocks: TestClocksTable
  customers: CustomersTable
  customer_balances: CustomerBalancesTable
  tax_id_checks: TaxIdChecksTable
  tax_answers: TaxAnswersTable
  tax_questions: TaxQuestionsTable
  mail_verifications: hold.MailVerificationsTable
  environments: EnvironmentsTable
  reserved_names: ReservedNamesTable
  servers: server.ServersTable
  server_secrets: server.ServerSecretsTable
  server_join_tokens: server.ServerJoinTokensTable
  subnets: build.SubnetsTable
  foreign_subnets: build.ForeignSubnetsTable
  foreign_ports: build.ForeignPortsTable
  orders: subscription.OrdersTable
  order_lines: subscription.OrderLinesTable
  subscription_templates: subscription.SubscriptionTemplatesTable
  order_holds: hold.OrderHoldsTable
  payment_requests: hold.PaymentRequestsTable
  balance_movements: hold.BalanceMovementsTable
  order_secrets: subscription.OrderSecretsTable
  subscriptions: subscription.SubscriptionsTable
  subscription_documents: subscription.SubscriptionDocumentsTable
  subscription_lines: subscription.SubscriptionLinesTable
  change_requests: subscription.ChangeRequestsTable
  waiting_changes: subscription.WaitingChangesTable
  subscription_pauses: subscription.SubscriptionPausesTable
  suspensions: subscription.SuspensionsTable
  command_notes: subscription.CommandNotesTable
  subscription_commands: subscription.SubscriptionCommandsTable
  announcements: subscription.AnnouncementsTable
  used_trials: subscription.UsedTrialsTable
  billing_periods: subscription.BillingPeriodsTable
  instances: build.InstancesTable
  reservations: build.ReservationsTable
  build_commands: build.BuildCommandsTable
  build_orders: build.BuildOrdersTable
  build_steps: build.BuildStepsTable
  registries: RegistriesTable
  data_sources: DataSourcesTable
  webhooks: webhook.WebhooksTable
  webhook_secrets: webhook.WebhookSecretsTable
  webhook_deliveries: webhook.WebhookDeliveriesTable
  webhook_attempts: webhook.WebhookAttemptsTable
  deployers: deployer.DeployersTable
  product_deployers: deployer.ProductDeployersTable
  deployments: deployer.DeploymentsTable
  instance_images: build.InstanceImagesTable
  resources: build.ResourcesTable
  backups: backup.BackupsTable
  backup_volumes: backup.BackupVolumesTable
  restores: backup.RestoresTable
  findings: build.FindingsTable
  secrets: build.SecretsTable
  limits: build.LimitsTable
  unit_reservations: build.UnitReservationsTable
  limit_commands: build.LimitCommandsTable
  instance_commands: InstanceCommandsTable
  instance_logins: InstanceLoginsTable
  log_excerpts: LogExcerptsTable
  instance_values: build.InstanceValuesTable
  links: LinksTable
  preferred_offers: PreferredOffersTable
  readings: ReadingsView
  reading_series: ReadingSeriesTable
  reading_values: ReadingValuesTable
  reading_hours: ReadingHoursTable
  reading_store: ReadingStoreTable
  metric_failures: MetricFailuresTable
  metric_looks: MetricLooksTable
  usage_events: UsageEventsTable
  late_usage_events: LateUsageEventsTable
  usage_warnings: UsageWarningsTable
  spend_caps: SpendCapsTable
  refused_usage_events: RefusedUsageEventsTable
  usage_windows: UsageWindowsTable
  unsettled_windows: UnsettledWindowsTable
  number_series: invoice.NumberSeriesTable
  invoices: invoice.InvoicesTable
  invoice_lines: invoice.InvoiceLinesTable
  invoice_taxes: invoice.InvoiceTaxesTable
  one_off_charges: invoice.OneOffChargesTable
  allocations: invoice.AllocationsTable
  invoice_marks: invoice.InvoiceMarksTable
  invoice_files: invoice.InvoiceFilesTable
  billing_runs: invoice.BillingRunsTable
  billing_run_exceptions: invoice.BillingRunExceptionsTable
  taken_over_objects: build.TakenOverObjectsTable
  tasks: TasksTable
  outbox: OutboxTable
  events: EventsTable
}

/** A connection pool, or the transaction its caller owns: queries take either. */
export type Db = Kysely<Database>
export type Tx = Transaction<Database>

/** In the transaction of the caller where there is one, else in one of its own. */
export async function within<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.isTransaction ? await work(db as Tx) : await db.transaction().execute(work)
}

/**
 * Reads that need not come one after the other: side by side where each has a connection of its own, in turn in a
 * transaction, which has one.
 * @returns in the order given
 */
export async function readTogether<Reads extends readonly (() => Promise<unknown>)[]>(
  db: Db,
  ...reads: Reads
): Promise<{ -readonly [Index in keyof Reads]: Awaited<ReturnType<Reads[Index]>> }>
export async function readTogether(
  db: Db,
  ...reads: readonly (() => Promise<unknown>)[]
): Promise<unknown[]> {
  if (!db.isTransaction) return await Promise.all(reads.map(async (read) => read()))
  const results: unknown[] = []
  for (const read of reads) results.push(await read())
  return results
}

const int8 = 20
const date = 1082
const timestamptz = 1184

/** Values as the domain speaks of them: safe integers, ISO dates, ISO instants. Numeric stays text, never a float. */
function parsers(): pg.CustomTypesConfig {
  const own = new Map<number, (text: string) => unknown>([
    [int8, toSafeInteger],
    [date, (text) => text],
    [timestamptz, (text) => new Date(text).toISOString()],
  ])
  return { getTypeParser: (oid, format) => own.get(oid) ?? pg.types.getTypeParser(oid, format) }
}

function toSafeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Error(`integer beyond the safe range: ${text}`)
  return value
}

/**
 * Opens a pool. Deadlines are set on each connection, so that no query and no lock waits for ever.
 * @param arePlansKept see `keepPlans`
 */
export function openDatabase(
  url: string,
  options: { maxConnections?: number; applicationName?: string; arePlansKept?: boolean } = {},
): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections ?? 10,
    application_name: options.applicationName ?? 'clouder',
    types: parsers(),
    lock_timeout: 5_000,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 10_000,
    // A page out of order costs little more than the next one, in memory and on flash: rows are found by their indexes, and
    // the bills of a chunk cost the same however many there are beside it.
    options: '-c random_page_cost=1.1',
  })
  // A connection lost while idle is replaced at its next use, one lost between two statements of a transaction fails the next
  // of them; without a listener either would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const dialect = new PostgresDialect({ pool: options.arePlansKept === true ? keepPlans(pool) : pool })
  return new Kysely<Database>({ dialect })
}
