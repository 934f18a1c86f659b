import { sql } from 'kysely'
import type { InvoiceMediaType } from '#domain/invoice-file.ts'
import type { Db } from '../database.ts'
import { uploadName } from '../supplier-file.ts'
import {
  suppliedCreditedMinor,
  suppliedHasOpenDispute,
  suppliedInstalments,
  suppliedOpenMinor,
  suppliedPaidMinor,
  suppliedToday,
  suppliedUsedMinor,
} from './payable.ts'
import { onPage, type PageRequest } from './page.ts'

/** Without their bytes, which are asked for one by one. */
const files = sql<
  readonly {
    media_type: InvoiceMediaType
    name: string
    bytes: number
    sha256: string | null
    missing: string | null
  }[]
>`(select coalesce(jsonb_agg(jsonb_build_object('media_type', file.media_type, 'name', file.name,
    'bytes', coalesce(length(file.content), 0), 'sha256', encode(file.sha256, 'hex'), 'missing', file.missing_reason)
    order by file.media_type), '[]')
  from (select media_type, name, content, sha256, missing_reason from supplier_files sent
      where sent.peer_id = supplied.peer_id and sent.document_id = supplied.document_id
    union all select media_type, ${uploadName}, content, sha256, null from supplier_uploads upload
      where upload.supplier_invoice_id = supplied.id) file)`

function supplierInvoices(db: Db) {
  return db
    .selectFrom('supplier_invoices as supplied')
    .innerJoin('suppliers as supplier', 'supplier.id', 'supplied.supplier_id')
    .leftJoin('supplier_invoices as corrected', (join) =>
      join
        .onRef('corrected.supplier_id', '=', 'supplied.supplier_id')
        .onRef('corrected.document_id', '=', 'supplied.corrects_document_id'),
    )
    .leftJoin('supplier_standings as standing', (join) =>
      join
        .onRef('standing.peer_id', '=', 'supplied.peer_id')
        .onRef('standing.document_id', '=', 'supplied.document_id'),
    )
    .selectAll('supplied')
    .select([
      'standing.state as said_state',
      'standing.paid_minor as said_paid_minor',
      'standing.credited_minor as said_credited_minor',
      'standing.open_minor as said_open_minor',
      'standing.stands_since as said_since',
    ])
    .select(files.as('files'))
    .select(['supplier.name as supplier_name', 'corrected.id as corrects_id'])
    .select([
      suppliedPaidMinor.as('paid_minor'),
      suppliedCreditedMinor.as('credited_minor'),
      suppliedUsedMinor.as('used_minor'),
      suppliedHasOpenDispute.as('has_open_dispute'),
      suppliedOpenMinor.as('open_minor'),
      suppliedInstalments.as('instalments'),
      suppliedToday.as('today'),
    ])
    .select(sql<boolean>`supplied.corrects_document_id is not null and corrected.id is null`.as('is_waiting'))
}

export type SupplierInvoiceRow = Awaited<ReturnType<typeof listSupplierInvoices>>[number]

export interface SupplierInvoiceFilter {
  readonly peerId?: string | null
  readonly supplierId?: string | null
  /** Of which something is left to pay, or to set off. */
  readonly isOpen?: boolean
}

export async function listSupplierInvoices(db: Db, page: PageRequest & SupplierInvoiceFilter) {
  let query = onPage(supplierInvoices(db), page, 'supplied.id')
  if (page.peerId) query = query.where('supplied.peer_id', '=', page.peerId)
  if (page.supplierId) query = query.where('supplied.supplier_id', '=', page.supplierId)
  if (page.isOpen) query = query.where(suppliedOpenMinor, '<>', 0)
  return await query.execute()
}

/** A credit note that came before what it corrects waits for that. */
export async function getSupplierInvoice(db: Db, id: string): Promise<SupplierInvoiceRow> {
  return await supplierInvoices(db).where('supplied.id', '=', id).executeTakeFirstOrThrow()
}
