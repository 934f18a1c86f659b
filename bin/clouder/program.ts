import { Command } from 'commander'
import { registerApplications } from './applications.ts'
import { registerBilling } from './billing.ts'
import { registerBackups } from './backups.ts'
import { registerBuilds } from './builds.ts'
import { addCancel } from './cancel.ts'
import { registerCatalog } from './catalog.ts'
import { registerCharges } from './charges.ts'
import { registerChangeRequests } from './change-requests.ts'
import { registerClock } from './clock.ts'
import { registerCustomers } from './customers.ts'
import { registerDataSources } from './data-sources.ts'
import { registerDeployers } from './deployers.ts'
import { registerDisputes } from './disputes.ts'
import { registerDoctor } from './doctor.ts'
import { registerTemplates } from './templates.ts'
import { registerExchangeRates } from './exchange-rates.ts'
import { registerExternalId } from './external-id.ts'
import { registerInstances } from './instances.ts'
import { registerInstanceValues } from './instance-values.ts'
import { registerInvoices } from './invoices.ts'
import { registerLinks } from './links.ts'
import { registerMetrics } from './metrics.ts'
import { registerOrder } from './order.ts'
import { registerOrders } from './orders.ts'
import { registerExpenses } from './expenses.ts'
import { registerMargins } from './margins.ts'
import { registerPayables } from './payables.ts'
import { registerPeers } from './peers.ts'
import { registerPriceGrids } from './price-grids.ts'
import { registerPriceRevisions } from './price-revisions.ts'
import { registerRegistries } from './registries.ts'
import { registerSeller } from './seller.ts'
import { registerServers } from './servers.ts'
import { registerServiceTerms } from './service-terms.ts'
import { addSimulate } from './simulate.ts'
import { registerStatus } from './status.ts'
import { registerSubnets } from './subnets.ts'
import { registerSubscriptions } from './subscriptions.ts'
import { runIn, type Shell } from './shell.ts'
import { registerSupplierInvoices } from './supplier-invoices.ts'
import { registerSupplierSubscriptions } from './supplier-subscriptions.ts'
import { registerTasks } from './tasks.ts'
import { registerTaxRates } from './tax-rates.ts'
import { registerSpend } from './spend.ts'
import { registerUsage } from './usage.ts'
import { readVersion } from './version.ts'
import { registerWebhooks } from './webhooks.ts'

const examples = `Examples
  npx clouder order static-site --customer harbour-bakery --watch
  npx clouder subscriptions
  npx clouder clock advance 1mo
  npx clouder invoices --json
  npx clouder doctor
`

const conventions = `
Address and key come from CLOUDER_API_URL and CLOUDER_API_KEY, else from what npm start left in the data folder
(CLOUDER_DATA, ./data). Data goes to stdout, everything else to stderr.

Exit codes
  0 ok   1 failed   2 usage   3 not found   4 not allowed   5 conflict   6 cannot reach the server
  7 finished, and something needs you   130 interrupted
`

/** What the name of a group alone does. */
const usualCommands: Readonly<Record<string, string>> = {
  subscriptions: 'ls',
  subscription: 'ls',
  'change-requests': 'ls',
  'change-request': 'ls',
  orders: 'ls',
  invoices: 'ls',
  invoice: 'ls',
  charges: 'ls',
  charge: 'ls',
  billing: 'ls',
  applications: 'ls',
  application: 'ls',
  builds: 'ls',
  build: 'ls',
  instances: 'ls',
  instance: 'ls',
  links: 'ls',
  link: 'ls',
  servers: 'ls',
  server: 'ls',
  peers: 'ls',
  peer: 'ls',
  'supplier-invoices': 'ls',
  'supplier-invoice': 'ls',
  disputes: 'ls',
  dispute: 'ls',
  'expense-categories': 'ls',
  'expense-category': 'ls',
  suppliers: 'ls',
  supplier: 'ls',
  'supplier-payments': 'ls',
  'supplier-payment': 'ls',
  registries: 'ls',
  registry: 'ls',
  'data-sources': 'ls',
  'data-source': 'ls',
  webhooks: 'ls',
  webhook: 'ls',
  metrics: 'ls',
  metric: 'ls',
  customers: 'ls',
  customer: 'ls',
  products: 'ls',
  product: 'ls',
  kits: 'ls',
  kit: 'ls',
  seller: 'show',
  'service-terms': 'ls',
  'tax-rates': 'ls',
  'tax-rate': 'ls',
  'exchange-rates': 'ls',
  templates: 'ls',
  template: 'ls',
  'exchange-rate': 'ls',
  clock: 'show',
  clocks: 'show',
}

export function createProgram(shell: Shell): Command {
  const program = new Command('clouder')
    .description('Orders, follows, bills and ends subscriptions of a running Clouder.')
    .version(readVersion(), '-V, --version', 'the version of this command line')
    .option('--json', 'data as JSON, for programs')
    .option('--no-input', 'never ask; what would be asked is an error that names its flag')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showSuggestionAfterError(true)
    .showHelpAfterError(false)
    .exitOverride()
    .addHelpText('before', examples)
    .addHelpText('after', conventions)
  runIn(shell, program)
  registerOrder(program)
  registerOrders(program)
  registerSubscriptions(program)
  addCancel(program)
  registerChangeRequests(program)
  registerInvoices(program)
  registerCharges(program)
  registerBilling(program)
  addSimulate(program)
  registerBackups(program)
  registerBuilds(program)
  registerInstances(program)
  registerLinks(program)
  registerPeers(program)
  registerSupplierInvoices(program)
  registerSupplierSubscriptions(program)
  registerDisputes(program)
  registerPayables(program)
  registerExpenses(program)
  registerMargins(program)
  registerServers(program)
  registerMetrics(program)
  registerDataSources(program)
  registerDeployers(program)
  registerRegistries(program)
  registerWebhooks(program)
  registerApplications(program)
  registerCatalog(program)
  registerCustomers(program)
  registerExternalId(program)
  registerPriceRevisions(program)
  registerPriceGrids(program)
  registerInstanceValues(program)
  registerSeller(program)
  registerServiceTerms(program)
  registerTaxRates(program)
  registerTemplates(program)
  registerExchangeRates(program)
  registerSubnets(program)
  registerTasks(program)
  registerClock(program)
  registerUsage(program)
  registerSpend(program)
  registerStatus(program)
  registerDoctor(program)
  return program
}

/** `clouder invoices --json` is `clouder invoices ls --json`: written out, so that a typo gets its suggestion. */
export function writeOutUsual(args: readonly string[]): string[] {
  const at = args.findIndex((arg) => !arg.startsWith('-'))
  const usual = usualCommands[args[at] ?? '']
  const rest = args.slice(at + 1)
  const isAlone = rest[0] === undefined || rest[0].startsWith('-')
  if (usual === undefined || !isAlone || rest.includes('--help') || rest.includes('-h')) return [...args]
  return [...args.slice(0, at + 1), usual, ...rest]
}
