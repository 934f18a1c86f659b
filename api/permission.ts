const resources = [
  'applications',
  'billing_runs',
  'builds',
  'catalog',
  'change_requests',
  'clocks',
  'customers',
  'data_sources',
  'deployers',
  'discounts',
  'disputes',
  'documents',
  'environments',
  'events',
  'exchange_rates',
  'instances',
  'invoices',
  'kits',
  'metrics',
  'orders',
  'peers',
  'price_lists',
  'products',
  'registries',
  'seller',
  'servers',
  'spend_caps',
  'subscriptions',
  'supplier_invoices',
  'tasks',
  'tax_rates',
  'usage',
  'webhooks',
] as const

/** Ends a subscription before the end of what is paid, which gives money back and may remove what was deployed. */
export const cancelNow = 'subscriptions:cancel_now'

/** Lets an application do on a server what no application may by itself. */
export const grantToApplications = 'applications:grant'

/** Has an instance restarted, and runs those of its actions that are meant for customers. */
export const actOnInstances = 'instances:act'

/** Reads the logs of instances: what applications write there, nobody knows. */
export const readLogs = 'instances:logs'

/** Has a secret of an instance shown, once, and rotates it. */
export const holdSecrets = 'instances:secrets'

/** Downloads what instances hold, as far as it was saved. */
export const takeData = 'instances:take_data'

/** Lets somebody into the portal as a customer, and ends what was let in. */
export const openPortal = 'customers:portal'
/** Orders what another system bills: it is deployed here, and nothing of it is charged. */
export const billElsewhere = 'orders:bill_elsewhere'

/** What a route asks for: a scope that a key must hold, or nothing but being signed in, or nothing at all. */
export type Permission =
  | `${(typeof resources)[number]}:${'read' | 'write'}`
  | typeof cancelNow
  | typeof grantToApplications
  | typeof actOnInstances
  | typeof readLogs
  | typeof holdSecrets
  | typeof takeData
  | typeof openPortal
  | typeof billElsewhere
  | 'signed_in'
  // A session of a customer: no key has it, and no operator.
  | 'portal'
  | 'public'

/** Every scope that a key can hold. */
export const scopes: readonly string[] = [
  ...resources.flatMap((resource) => [`${resource}:read`, `${resource}:write`]),
  cancelNow,
  grantToApplications,
  actOnInstances,
  readLogs,
  holdSecrets,
  takeData,
  openPortal,
  billElsewhere,
]
