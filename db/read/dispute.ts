import type { DisputeState } from '#domain/dispute.ts'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function disputes(db: Db) {
  return db
    .selectFrom('disputes as dispute')
    .innerJoin('peers as peer', 'peer.id', 'dispute.peer_id')
    .selectAll('dispute')
    .select('peer.name as peer_name')
}

export type ListedDispute = Awaited<ReturnType<typeof listDisputes>>[number]

interface DisputeFilter {
  readonly state?: DisputeState | null
  readonly isRaisedHere?: boolean | null
  readonly invoiceId?: string
  readonly supplierInvoiceId?: string
}

/** What we say against documents of suppliers, and what customers say against ours. */
export async function listDisputes(db: Db, page: PageRequest & DisputeFilter) {
  const { state, isRaisedHere, invoiceId, supplierInvoiceId } = page
  let query = onPage(disputes(db), page, 'dispute.id')
  if (state) query = query.where('dispute.state', '=', state)
  if (typeof isRaisedHere === 'boolean')
    query = query.where('dispute.supplier_invoice_id', isRaisedHere ? 'is not' : 'is', null)
  if (invoiceId !== undefined) query = query.where('dispute.invoice_id', '=', invoiceId)
  if (supplierInvoiceId !== undefined)
    query = query.where('dispute.supplier_invoice_id', '=', supplierInvoiceId)
  return await query.execute()
}

/** All of one document, newest first; a document has a few. */
export async function listDisputesOf(
  db: Db,
  of: { readonly invoiceId: string } | { readonly supplierInvoiceId: string },
) {
  return await listDisputes(db, { limit: 100, cursor: null, direction: 'after', ...of })
}

export async function getDispute(db: Db, id: string): Promise<ListedDispute> {
  return await disputes(db).where('dispute.id', '=', id).executeTakeFirstOrThrow()
}
