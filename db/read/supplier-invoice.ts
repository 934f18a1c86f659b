import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function supplierInvoices(db: Db) {
  return db
    .selectFrom('supplier_invoices as supplied')
    .innerJoin('peers as peer', 'peer.id', 'supplied.peer_id')
    .leftJoin('supplier_invoices as corrected', (join) =>
      join
        .onRef('corrected.peer_id', '=', 'supplied.peer_id')
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
    .select(['peer.name as supplier_name', 'corrected.id as corrects_id'])
    .select(sql<boolean>`supplied.corrects_document_id is not null and corrected.id is null`.as('is_waiting'))
}

export type SupplierInvoiceRow = Awaited<ReturnType<typeof listSupplierInvoices>>[number]

export async function listSupplierInvoices(db: Db, page: PageRequest & { peerId: string | null }) {
  const query = onPage(supplierInvoices(db), page, 'supplied.id')
  return await (page.peerId === null ? query : query.where('supplied.peer_id', '=', page.peerId)).execute()
}

/** A credit note that came before what it corrects waits for that. */
export async function getSupplierInvoice(db: Db, id: string): Promise<SupplierInvoiceRow> {
  return await supplierInvoices(db).where('supplied.id', '=', id).executeTakeFirstOrThrow()
}
