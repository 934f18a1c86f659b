import { decodeId } from '#domain/identifier.ts'
import { disagreementOf, type SupplierDocument } from '#domain/supplier-invoice.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { setOffCorrections } from './payable.ts'
import { ensurePeerSupplier } from './supplier.ts'
import { openTask } from './task.ts'

/** What became of what was received. `conflict`: it came before, with another content. */
export type Reception = 'stored' | 'exists' | 'conflict'

export interface ReceivedDocument {
  readonly peerId: string
  /** In which the supplier bills, as agreed. */
  readonly currency: string
  readonly document: SupplierDocument
  /** As it came: all of it is hashed and kept, what this version does not know too. */
  readonly raw: unknown
  /** Of the one text of `raw`. */
  readonly sha256: Buffer
  readonly now: string
}

/** Stores a received document once, by the supplier's own id of it. Our sums are beside it where they come to something else. */
export async function receiveSupplierInvoice(
  tx: Tx,
  { peerId, currency, document, raw, sha256, now }: ReceivedDocument,
): Promise<Reception> {
  const id = newId()
  const documentId = decodeId('invoice', document.document)
  const disagreement = disagreementOf(document, currency)
  const made = await tx
    .insertInto('supplier_invoices')
    .values({
      id,
      supplier_id: await ensurePeerSupplier(tx, peerId),
      origin: 'peer',
      peer_id: peerId,
      document_id: documentId,
      sha256,
      kind: document.kind,
      number: document.number,
      currency: document.currency,
      issued_on: document.issued_on,
      due_on: document.due_on,
      net_minor: document.net_minor,
      tax_minor: document.tax_minor,
      total_minor: document.total_minor,
      corrects_document_id: document.corrects === null ? null : decodeId('invoice', document.corrects),
      content: JSON.stringify(raw),
      disagreement,
      received_at: now,
    })
    .onConflict((conflict) => conflict.columns(['peer_id', 'document_id']).doNothing())
    .executeTakeFirst()
  if ((made.numInsertedOrUpdatedRows ?? 0n) > 0n) {
    await insertEvent(tx, {
      kind: 'supplier_invoice.received',
      data: { number: document.number, supplierInvoice: id },
    })
    await setOffCorrections(tx, id, now)
    if (disagreement !== null) await tellOfDisagreement(tx, { id, number: document.number, disagreement })
    return 'stored'
  }
  const { sha256: known } = await tx
    .selectFrom('supplier_invoices')
    .select('sha256')
    .where('peer_id', '=', peerId)
    .where('document_id', '=', documentId)
    .executeTakeFirstOrThrow()
  return known.equals(sha256) ? 'exists' : 'conflict'
}

async function tellOfDisagreement(tx: Tx, of: { id: string; number: string; disagreement: string }) {
  await openTask(tx, {
    kind: 'supplier_invoice_disputed',
    subjectKind: 'supplier_invoice',
    subjectId: of.id,
    subject: `Supplier invoice ${of.number} does not add up`,
    detail: `${of.disagreement}. It is stored as it came. Ask the supplier for a credit note and a right one.`,
  })
}
