import { sql } from 'kysely'
import {
  issuedWithin,
  meetExpectations,
  type ArrivedInvoice,
  type AskedDays,
  type Expectation,
} from '#domain/supplier-subscription.ts'
import type { SupplierDocumentLine } from '#domain/supplier-invoice.ts'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export type SupplierSubscriptionRow = Awaited<ReturnType<typeof listSupplierSubscriptions>>[number]

function subscriptions(db: Db) {
  return db
    .selectFrom('supplier_subscriptions')
    .innerJoin('suppliers', 'suppliers.id', 'supplier_subscriptions.supplier_id')
    .selectAll('supplier_subscriptions')
    .select(['suppliers.name as supplier_name', 'suppliers.code as supplier_code', 'suppliers.currency'])
}

export async function listSupplierSubscriptions(
  db: Db,
  page: PageRequest & { readonly supplierId?: string | null },
) {
  const query = onPage(subscriptions(db), page, 'supplier_subscriptions.id')
  return page.supplierId
    ? await query.where('supplier_subscriptions.supplier_id', '=', page.supplierId).execute()
    : await query.execute()
}

export async function getSupplierSubscription(db: Db, id: string): Promise<SupplierSubscriptionRow> {
  return await subscriptions(db).where('supplier_subscriptions.id', '=', id).executeTakeFirstOrThrow()
}

/** A month of a supplier subscription, with whose it is and the invoice that met it. */
export interface MetExpectation extends Expectation {
  readonly subscription: SupplierSubscriptionRow
  readonly number: string | null
}

/**
 * What is expected of suppliers from one day up to another, and what has come of it: no invoice is read that is for none of these
 * months.
 * @param supplierId null: of all
 */
export async function readExpectations(
  db: Db,
  { supplierId, ...days }: AskedDays & { readonly supplierId: string | null },
): Promise<MetExpectation[]> {
  let query = subscriptions(db).orderBy('suppliers.name').orderBy('supplier_subscriptions.id')
  if (supplierId !== null) query = query.where('supplier_subscriptions.supplier_id', '=', supplierId)
  const rows = await query.execute()
  const groups = Map.groupBy(rows, (row) => row.supplier_id)
  const invoices = await listArrived(db, [...groups.keys()], issuedWithin(days))
  const numbers = new Map(invoices.map((invoice) => [invoice.id, invoice.number]))
  return [...groups].flatMap(([supplier, group]) => {
    const byId = new Map(group.map((row) => [row.id, row]))
    const arrived = invoices.filter((invoice) => invoice.supplierId === supplier)
    return meetExpectations(group.map(toSubscription), arrived, days).flatMap((expectation) => {
      const subscription = byId.get(expectation.subscriptionId)
      if (subscription === undefined) return []
      return [{ ...expectation, subscription, number: numbers.get(expectation.invoiceId ?? '') ?? null }]
    })
  })
}

function toSubscription(row: SupplierSubscriptionRow) {
  return {
    id: row.id,
    amountMinor: row.amount_minor,
    lineText: row.line_text,
    beginsOn: row.begins_on,
    endsOn: row.ends_on,
    graceDays: row.grace_days,
  }
}

/** Invoices in the order in which they came, with their lines only where something is told by these. */
async function listArrived(
  db: Db,
  supplierIds: readonly string[],
  issued: ReturnType<typeof issuedWithin>,
): Promise<(ArrivedInvoice & { readonly supplierId: string; readonly number: string })[]> {
  if (supplierIds.length === 0) return []
  const rows = await db
    .selectFrom('supplier_invoices as invoice')
    .select(['id', 'supplier_id', 'number', 'issued_on', 'net_minor'])
    .select(
      sql<
        readonly SupplierDocumentLine[] | null
      >`case when exists (select from supplier_subscriptions expecting
        where expecting.supplier_id = invoice.supplier_id and expecting.line_text is not null)
        then invoice.content -> 'lines' end`.as('lines'),
    )
    .where('kind', '=', 'invoice')
    .where('voided_at', 'is', null)
    .where('supplier_id', 'in', supplierIds)
    .where('issued_on', '>=', issued.first ?? '-infinity')
    .where('issued_on', '<=', issued.last)
    .orderBy('id')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    supplierId: row.supplier_id,
    number: row.number,
    issuedOn: row.issued_on,
    netMinor: row.net_minor,
    lines: (row.lines ?? []).map((line) => ({
      names: [line.subscription ?? null, line.product_code ?? null, line.description],
      amountMinor: line.amount_minor,
    })),
  }))
}
