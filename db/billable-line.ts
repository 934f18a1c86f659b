import { sql } from 'kysely'
import type { BillReason } from '#domain/invoice/document.ts'
import type { BillableLine, CyclesInForce } from '#domain/invoice/lines.ts'
import { defaultTerms } from '#domain/terms.ts'
import { readBilledParts } from './billed-part.ts'
import type { Db } from './database.ts'

/** Which lines a bill is of: those of a document, of a subscription, or of both. */
export interface LinesOfBill {
  readonly reason: BillReason
  readonly document: { readonly id: string } | null
  readonly subscriptionIds: readonly string[] | null
}

/** A line with what its bill needs to know of it beside what it is priced from. */
export interface LineContext {
  readonly line: BillableLine
  readonly documentId: string | null
  readonly instanceId: string | null
  /** By which version of its product it was sold. */
  readonly productVersion: number
  readonly timeZone: string
  readonly customer: BilledCustomer
  readonly subscription: BilledSubscription
}

/** Who is served; who pays decides the tax, and the language. */
export interface BilledCustomer {
  readonly id: string
  readonly payerId: string
  readonly priceListId: string | null
  readonly country: string | null
  readonly region: string | null
  readonly isBusiness: boolean
  readonly taxId: string | null
  readonly isTaxIdVerified: boolean
  readonly exemption: string | null
  readonly language: string
}

export interface BilledSubscription {
  readonly id: string
  readonly currency: string
  readonly testClockId: string | null
  readonly purchaseOrderReference: string | null
  readonly leastAmount: string | null
  readonly greatestAmount: string | null
  /** The first day on which nothing runs any more; null while it goes on. */
  readonly endsOn: string | null
}

/**
 * The lines of bills, each bill's in the order in which a document shows them.
 * @param isLocked against changes and other bills until the transaction ends, always in id order
 * @returns in the order of the bills
 */
export async function readBillableLines(
  db: Db,
  bills: readonly LinesOfBill[],
  { isLocked }: { isLocked: boolean },
): Promise<LineContext[][]> {
  const rows = await readLineRows(db, bills, isLocked)
  const billed = await readBilledParts(
    db,
    rows.map((row) => ({
      id: row.id,
      endsOn: row.ends_on,
      isBounded: row.least_amount !== null || row.greatest_amount !== null,
    })),
  )
  const contexts = rows.toSorted(byPlace).map((row) => toContext(row, billed.get(row.id) ?? []))
  const byDocument = Map.groupBy(contexts, (context) => context.documentId)
  const bySubscription = Map.groupBy(contexts, (context) => context.subscription.id)
  return bills.map(({ reason, document, subscriptionIds }) => {
    if (reason !== 'period') return (subscriptionIds ?? []).flatMap((id) => bySubscription.get(id) ?? [])
    const ofDocument = byDocument.get(document?.id ?? '') ?? []
    return subscriptionIds === null
      ? ofDocument
      : ofDocument.filter((context) => subscriptionIds.includes(context.subscription.id))
  })
}

type LineRow = Awaited<ReturnType<typeof readLineRows>>[number]

async function readLineRows(db: Db, bills: readonly LinesOfBill[], isLocked: boolean) {
  const ofPeriods = bills.filter((bill) => bill.reason === 'period')
  const documentIds = ofPeriods.flatMap((bill) => (bill.document === null ? [] : [bill.document.id]))
  const subscriptionIds = bills.flatMap((bill) =>
    bill.reason === 'period' ? [] : (bill.subscriptionIds ?? []),
  )
  const query = db
    .selectFrom('subscription_lines as line')
    .innerJoin('subscriptions', 'subscriptions.id', 'line.subscription_id')
    .innerJoin('customers', 'customers.id', 'subscriptions.customer_id')
    .innerJoin('customers as payer', (join) =>
      join.on('payer.id', '=', sql`coalesce(customers.payer_id, customers.id)`),
    )
    .leftJoin('subscription_documents as document', 'document.id', 'line.document_id')
    .select(['line.id', 'line.document_id', 'line.subscription_id', 'line.product_id', 'line.instance_id'])
    .select('line.product_version')
    .select(['line.position', 'line.description', 'line.billing_type', 'line.billing_timing', 'line.metric'])
    .select(['line.interval_count', 'line.interval_unit', 'line.quantity', 'line.unit', 'line.price'])
    .select([
      'line.terms',
      'line.tax_category',
      'line.price_list_item_id',
      'line.conversion',
      'line.starts_on',
      'line.ends_on',
    ])
    .select(['subscriptions.customer_id', 'subscriptions.currency', 'subscriptions.test_clock_id'])
    .select(['subscriptions.least_amount', 'subscriptions.greatest_amount'])
    .select(['subscriptions.purchase_order_reference', 'subscriptions.ends_on as subscription_ends_on'])
    .select(['payer.country', 'payer.region', 'payer.is_business', 'payer.tax_id'])
    .select(['payer.tax_id_verified_at', 'payer.tax_exemption', 'payer.language', 'payer.id as payer_id'])
    .select(['customers.time_zone', 'customers.price_list_id'])
    .select(['document.billing_cycle_anchor', 'document.time_zone as document_time_zone'])
    .select(['document.former_anchor', 'document.anchor_moved_on', 'document.advance_days'])
    .select(firstStartsOn)
    .select(formerCycles)
    .where('line.starts_on', 'is not', null)
    // The one place: every bill, draft and preview is of these lines. The database refuses what came by another way.
    .where('subscriptions.is_billed_elsewhere', '=', false)
    .where(ofBills(documentIds, subscriptionIds))
    .orderBy('line.id')
  return await (isLocked ? query.forNoKeyUpdate('line') : query).execute()
}

/** Two conditions on two columns would be one plan for neither, and of a list nobody knows beforehand how long it is. */
function ofBills(documentIds: readonly string[], subscriptionIds: readonly string[]) {
  const [only, ...others] = documentIds
  if (only !== undefined && others.length + subscriptionIds.length === 0)
    return sql<boolean>`line.document_id = ${only}`
  if (subscriptionIds.length === 0) return sql<boolean>`line.document_id = any(${documentIds}::uuid[])`
  if (documentIds.length === 0) return sql<boolean>`line.subscription_id = any(${subscriptionIds}::uuid[])`
  return sql<boolean>`(line.document_id = any(${documentIds}::uuid[]) or line.subscription_id = any(${subscriptionIds}::uuid[]))`
}

const firstStartsOn = sql<string>`case when line.id = line.first_line_id then line.starts_on
  else (select min(first.starts_on) from subscription_lines first where first.first_line_id = line.first_line_id) end`.as(
  'first_starts_on',
)

const formerCycles = sql<CyclesInForce[] | null>`case when line.id <> line.first_line_id then
  (select json_agg(json_build_object('from', former.starts_on, 'anchor', lain.billing_cycle_anchor,
      'interval', json_build_object('count', lain.interval_count, 'unit', lain.interval_unit)) order by former.starts_on)
    from subscription_lines former join subscription_documents lain on lain.id = former.document_id
    where former.first_line_id = line.first_line_id and former.starts_on < line.starts_on
      and former.starts_on < coalesce(former.ends_on, 'infinity')) end`.as('former_cycles')

function byPlace(first: LineRow, second: LineRow): number {
  return (
    compareText(first.subscription_id, second.subscription_id) ||
    first.position - second.position ||
    compareText(first.starts_on ?? '', second.starts_on ?? '') ||
    compareText(first.id, second.id)
  )
}

function compareText(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0
}

function toContext(row: LineRow, billed: BillableLine['billed']): LineContext {
  return {
    line: toBillableLine(row, billed),
    documentId: row.document_id,
    instanceId: row.instance_id,
    productVersion: row.product_version,
    // The document's zone holds for its life: windows tile, wherever the customer moves.
    timeZone: row.document_time_zone ?? row.time_zone,
    customer: {
      id: row.customer_id,
      payerId: row.payer_id,
      priceListId: row.price_list_id,
      country: row.country,
      region: row.region,
      isBusiness: row.is_business,
      taxId: row.tax_id,
      isTaxIdVerified: row.tax_id_verified_at !== null,
      exemption: row.tax_exemption,
      language: row.language,
    },
    subscription: {
      id: row.subscription_id,
      currency: row.currency,
      testClockId: row.test_clock_id,
      purchaseOrderReference: row.purchase_order_reference,
      leastAmount: row.least_amount,
      greatestAmount: row.greatest_amount,
      endsOn: row.subscription_ends_on,
    },
  }
}

function toBillableLine(row: LineRow, billed: BillableLine['billed']): BillableLine {
  const startsOn = row.starts_on ?? ''
  return {
    id: row.id,
    subscriptionId: row.subscription_id,
    productId: row.product_id,
    description: row.description,
    billingType: row.billing_type,
    billingTiming: row.billing_timing,
    advanceDays: row.advance_days ?? 0,
    interval:
      row.interval_count && row.interval_unit ? { count: row.interval_count, unit: row.interval_unit } : null,
    billingCycleAnchor: row.billing_cycle_anchor ?? startsOn,
    ...(row.former_anchor !== null && row.anchor_moved_on !== null
      ? { formerAnchor: { anchor: row.former_anchor, until: row.anchor_moved_on } }
      : {}),
    quantity: row.quantity,
    unit: row.unit,
    metric: row.metric,
    price: row.price,
    priceListItemId: row.price_list_item_id,
    conversion: row.conversion,
    terms: { ...defaultTerms, ...row.terms },
    taxCategory: row.tax_category,
    startsOn,
    endsOn: row.ends_on,
    firstStartsOn: row.first_starts_on,
    ...(row.former_cycles === null ? {} : { formerCycles: row.former_cycles }),
    billed,
  }
}
