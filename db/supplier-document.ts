import { sql, type Selectable } from 'kysely'
import { assert } from '#domain/assert.ts'
import { encodeId } from '#domain/identifier.ts'
import type { SupplierDocument, SupplierDocumentLine, SupplierDocumentTax } from '#domain/supplier-invoice.ts'
import type { Db } from './database.ts'
import type { InvoicesTable, InvoiceTaxesTable } from './tables/invoice.ts'

/** Finalized documents as the one who is billed receives them, by the ids of their invoices. They never change, so neither do these. */
export async function readSupplierDocuments(
  db: Db,
  ids: readonly string[],
): Promise<Map<string, SupplierDocument>> {
  if (ids.length === 0) return new Map()
  const [invoices, lines, taxes] = await Promise.all([
    db
      .selectFrom('invoices')
      .selectAll()
      .where(sql<boolean>`id = any(${ids})`)
      .execute(),
    readLines(db, ids),
    db
      .selectFrom('invoice_taxes')
      .selectAll()
      .where(sql<boolean>`invoice_id = any(${ids})`)
      .orderBy('position')
      .execute(),
  ])
  const linesOf = Map.groupBy(lines, (line) => line.invoice_id)
  const taxesOf = Map.groupBy(taxes, (tax) => tax.invoice_id)
  return new Map(
    invoices.map((invoice) => [
      invoice.id,
      {
        ...headOf(invoice),
        lines: (linesOf.get(invoice.id) ?? []).map(lineOf),
        taxes: (taxesOf.get(invoice.id) ?? []).map(taxOf),
      },
    ]),
  )
}

type LineRow = Awaited<ReturnType<typeof readLines>>[number]

async function readLines(db: Db, ids: readonly string[]) {
  return await db
    .selectFrom('invoice_lines')
    .leftJoin('products', 'products.id', 'invoice_lines.product_id')
    .select(['invoice_id', 'description', 'quantity', 'invoice_lines.unit', 'unit_price', 'amount_minor'])
    .select(['invoice_lines.tax_category', 'tax_rate_percent', 'tax_minor'])
    .select(['products.code as product_code', 'subscription_id'])
    .select(sql<string | null>`lower(service_period)`.as('starts_on'))
    .select(sql<string | null>`upper(service_period)`.as('ends_on'))
    .where(sql<boolean>`invoice_id = any(${ids})`)
    .orderBy('position')
    .execute()
}

function headOf(invoice: Selectable<InvoicesTable>): Omit<SupplierDocument, 'lines' | 'taxes'> {
  assert(invoice.number !== null, 'only finalized documents are sent')
  return {
    document: encodeId('invoice', invoice.id),
    kind: invoice.kind,
    number: invoice.number,
    corrects: invoice.corrects_id === null ? null : encodeId('invoice', invoice.corrects_id),
    currency: invoice.currency,
    issued_on: invoice.issued_on,
    due_on: invoice.due_on,
    instalments:
      invoice.instalments?.map(({ dueOn, amountMinor }) => ({ due_on: dueOn, amount_minor: amountMinor })) ??
      null,
    net_minor: invoice.net_minor,
    tax_minor: invoice.tax_minor,
    total_minor: invoice.total_minor,
    are_prices_inclusive: invoice.are_prices_inclusive,
    tax_rounding: invoice.tax_rounding,
    purchase_order_reference: invoice.purchase_order_reference,
    seller: { ...invoice.seller },
    buyer: { ...invoice.buyer },
  }
}

function lineOf(line: LineRow): SupplierDocumentLine {
  const { starts_on: startsOn, ends_on: endsOn } = line
  return {
    description: line.description,
    quantity: line.quantity,
    unit: line.unit,
    unit_price: line.unit_price,
    service_period: startsOn === null || endsOn === null ? null : { starts_on: startsOn, ends_on: endsOn },
    amount_minor: line.amount_minor,
    tax_category: line.tax_category,
    tax_rate_percent: line.tax_rate_percent,
    tax_minor: line.tax_minor,
    product_code: line.product_code,
    subscription: line.subscription_id === null ? null : encodeId('subscription', line.subscription_id),
  }
}

function taxOf(tax: Selectable<InvoiceTaxesTable>): SupplierDocumentTax {
  return {
    category: tax.category,
    name: tax.name,
    rate_percent: tax.rate_percent,
    base_minor: tax.base_minor,
    tax_minor: tax.tax_minor,
    note: tax.note,
  }
}
