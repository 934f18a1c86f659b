import { createHash } from 'node:crypto'
import { encodeId } from '#domain/identifier.ts'
import { fieldError } from '#domain/errors.ts'
import { toSupplierDocument, type StatedDocument } from '#domain/stated-invoice.ts'
import { writeOnce } from './content-hash.ts'
import type { Tx } from './database.ts'
import { insertEvents } from './event.ts'
import { newId } from './identifier.ts'
import { setOffCorrections } from './payable.ts'
import { getInstallation } from './read/installation.ts'
import { insertDocuments } from './supplier-invoice.ts'
import { watchArrived } from './supplier-subscription.ts'
import { refuseTakenNumber } from './unique.ts'

export interface RecordedInvoice {
  readonly supplierId: string
  /** Of a credit note, the supplier invoice that it corrects. */
  readonly correctsId: string | null
  readonly origin: 'hand' | 'csv' | 'ubl'
  /** What is read off; its own id is given here, and who bills and is billed is what our rows say where nothing else is stated. */
  readonly stated: Omit<StatedDocument, 'document' | 'corrects' | 'currency' | 'seller' | 'buyer'> &
    Partial<Pick<StatedDocument, 'currency' | 'seller' | 'buyer'>>
  /** The file that it was read from; null where somebody read it off. */
  readonly upload: Buffer | null
  /** By the supplier's number of it, where nobody names the row. It may not be here. */
  readonly correctsNumber: string | null
  readonly actor: string
  readonly now: string
}

/**
 * Records a document of a supplier that is no peer, as if it had been sent: from then on it never changes, and is paid, set off and
 * counted like every other.
 * @returns its id
 * @throws `supplier_is_peer`, `sums_disagree`, `document_number_taken`, `supplier_mismatch`, `not_an_invoice`, `supplier_invoice_void`
 */
export async function recordSupplierInvoice(tx: Tx, recorded: RecordedInvoice): Promise<string> {
  const { supplierId, stated, now, actor } = recorded
  const supplier = await tx
    .selectFrom('suppliers')
    .select(['name', 'peer_id', 'currency'])
    .where('id', '=', supplierId)
    .executeTakeFirstOrThrow()
  if (supplier.peer_id !== null)
    throw fieldError('/supplier', 'supplier_is_peer', `${supplier.name} sends its documents itself.`)
  const [id, documentId] = [newId(), newId()]
  const correctsId = await readCorrected(tx, recorded)
  const document = toSupplierDocument(
    {
      ...stated,
      document: encodeId('invoice', documentId),
      corrects: correctsId === null ? null : encodeId('invoice', correctsId),
      currency: stated.currency ?? supplier.currency,
      seller: stated.seller ?? { name: supplier.name },
      buyer: stated.buyer ?? { name: (await getInstallation(tx)).sellerName },
    },
    supplier.currency,
  )
  const row = {
    id,
    documentId,
    correctsId,
    document,
    ...writeOnce(document),
    disagreement: null,
  }
  await refuseTakenNumber(
    document.number,
    async () =>
      await insertDocuments(
        tx,
        { supplierId, origin: recorded.origin, peerId: null, recordedBy: actor, now },
        [row],
      ),
  )
  if (recorded.upload !== null) await keepUpload(tx, id, recorded.upload)
  await insertEvents(tx, [
    { kind: 'supplier_invoice.recorded', data: { number: document.number, supplierInvoice: id, actor } },
  ])
  await setOffCorrections(tx, [id], now)
  await watchArrived(tx, { supplierId, issuedOn: document.issued_on, now })
  return id
}

async function keepUpload(tx: Tx, id: string, content: Buffer): Promise<void> {
  const sha256 = createHash('sha256').update(content).digest()
  await tx
    .insertInto('supplier_uploads')
    .values({ supplier_invoice_id: id, media_type: 'application/xml', sha256, content })
    .execute()
}

async function findByNumber(tx: Tx, supplierId: string, number: string): Promise<string | null> {
  const row = await tx
    .selectFrom('supplier_invoices')
    .select('document_id')
    .where('supplier_id', '=', supplierId)
    .where('number', '=', number)
    .where('kind', '=', 'invoice')
    .where('voided_at', 'is', null)
    .executeTakeFirst()
  return row?.document_id ?? null
}

/** @returns the supplier's id of it, which is what a credit note refers to */
async function readCorrected(
  tx: Tx,
  { correctsId, correctsNumber, supplierId, stated }: RecordedInvoice,
): Promise<string | null> {
  if (correctsId === null)
    return correctsNumber === null || stated.kind !== 'credit_note'
      ? null
      : await findByNumber(tx, supplierId, correctsNumber)
  const {
    document_id: documentId,
    supplier_id: ofSupplier,
    kind,
    number,
    voided_at: voidedAt,
  } = await tx
    .selectFrom('supplier_invoices')
    .select(['document_id', 'supplier_id', 'kind', 'number', 'voided_at'])
    .where('id', '=', correctsId)
    .executeTakeFirstOrThrow()
  if (ofSupplier !== supplierId)
    throw fieldError('/corrects', 'supplier_mismatch', `${number} is of another supplier.`)
  if (kind !== 'invoice') throw fieldError('/corrects', 'not_an_invoice', `${number} is a credit note.`)
  if (voidedAt !== null) throw fieldError('/corrects', 'supplier_invoice_void', `${number} is void.`)
  return documentId
}
