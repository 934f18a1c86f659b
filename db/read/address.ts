import { sql } from 'kysely'
import type { Db } from '../database.ts'
import type { ExternalKind } from '../external-id.ts'

const coded = {
  application: 'applications',
  customer: 'customers',
  dataSource: 'data_sources',
  deployer: 'deployers',
  expenseCategory: 'expense_categories',
  kit: 'kits',
  metric: 'metrics',
  priceList: 'price_lists',
  product: 'products',
  server: 'servers',
  subscriptionTemplate: 'subscription_templates',
  supplier: 'suppliers',
} as const
const uncoded = {
  backup: 'backups',
  billingRun: 'billing_runs',
  buildOrder: 'build_orders',
  changeRequest: 'change_requests',
  discount: 'discounts',
  dispute: 'disputes',
  document: 'subscription_documents',
  environment: 'environments',
  exchangeRate: 'exchange_rates',
  instance: 'instances',
  invoice: 'invoices',
  oneOffCharge: 'one_off_charges',
  order: 'orders',
  paymentRequest: 'payment_requests',
  peer: 'peers',
  portalSession: 'portal_sessions',
  proof: 'peer_questions',
  priceListItem: 'price_list_items',
  refusedUsageEvent: 'refused_usage_events',
  registry: 'registries',
  restore: 'restores',
  subscription: 'subscriptions',
  subscriptionLine: 'subscription_lines',
  supplierInvoice: 'supplier_invoices',
  supplierPayment: 'supplier_payments',
  supplierSubscription: 'supplier_subscriptions',
  taxRate: 'tax_rates',
  testClock: 'test_clocks',
  usageWindow: 'usage_windows',
  unitReservation: 'unit_reservations',
  waitingChange: 'waiting_changes',
  webhook: 'webhooks',
} as const

/** Kinds that a person may also address by their code. */
export type CodedKind = keyof typeof coded
export type AddressedKind = CodedKind | keyof typeof uncoded

export function isCodedKind(kind: AddressedKind): kind is CodedKind {
  return Object.hasOwn(coded, kind)
}

export async function findIdByCode(db: Db, kind: CodedKind, code: string): Promise<string | undefined> {
  const row = await db.selectFrom(coded[kind]).select('id').where('code', '=', code).executeTakeFirst()
  return row?.id
}

export async function isKnownId(db: Db, kind: AddressedKind, id: string): Promise<boolean> {
  if (kind === 'invoice') return await isKnownInvoice(db, id)
  if (kind === 'webhook') return await isKnownWebhook(db, id)
  const table = isCodedKind(kind) ? coded[kind] : uncoded[kind]
  const row = await db.selectFrom(table).select('id').where('id', '=', id).executeTakeFirst()
  return row !== undefined
}

/** Those of the ids that stand for something. */
export async function findKnownIds(
  db: Db,
  kind: ExternalKind,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const table = isCodedKind(kind) ? coded[kind] : uncoded[kind]
  const rows = await db
    .selectFrom(table)
    .select('id')
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
  return new Set(rows.map(({ id }) => id))
}

/** What was skipped was never sent. */
async function isKnownInvoice(db: Db, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('invoices')
    .select('id')
    .where('id', '=', id)
    .where('skipped_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

/** Of a deleted one nothing but its row is left. */
async function isKnownWebhook(db: Db, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('webhooks')
    .select('id')
    .where('id', '=', id)
    .where('state', '<>', 'deleted')
    .executeTakeFirst()
  return row !== undefined
}
