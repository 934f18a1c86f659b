import { sql } from 'kysely'
import { earlierDate } from '#domain/calendar.ts'
import { decodeId } from '#domain/identifier.ts'
import { disagreementOf, type SupplierDocument } from '#domain/supplier-invoice.ts'
import { plainArray, textArray } from './array-text.ts'
import type { Tx } from './database.ts'
import { raiseDispute } from './dispute.ts'
import { insertEvents } from './event.ts'
import { newIds } from './identifier.ts'
import { setOffCorrections } from './payable.ts'
import { ensurePeerSupplier } from './supplier.ts'
import type { SupplierInvoicesTable } from './tables/peer.ts'
import { watchArrived } from './supplier-subscription.ts'
import { openTask } from './task.ts'

/** What became of what was received. `conflict`: it came before, with another content. */
export type Reception = 'stored' | 'exists' | 'conflict'

export interface ReceivedDocument {
  readonly document: SupplierDocument
  /** The one text of it as it came: all of it is hashed and kept, what this version does not know too. */
  readonly text: string
  readonly sha256: Buffer
}

export interface Receiving {
  readonly peerId: string
  /** In which the supplier bills, as agreed. */
  readonly currency: string
  readonly now: string
}

/**
 * Stores received documents once each, by the supplier's own ids of them; one statement a table, whatever their number. Our sums are
 * beside those where they come to something else. Its messages are taken one after the other: the peer is locked. An installation that
 * was paired with anew is the supplier that it was: what it sent before is known.
 * @returns what became of each, in their order, up to the first conflict
 */
export async function receiveSupplierInvoices(
  tx: Tx,
  of: Receiving,
  received: readonly ReceivedDocument[],
): Promise<Reception[]> {
  const documents = received.map((one) => ({
    ...one,
    documentId: decodeId('invoice', one.document.document),
    correctsId: one.document.corrects === null ? null : decodeId('invoice', one.document.corrects),
  }))
  if (documents.length === 0) return []
  const supplierId = await ensurePeerSupplier(tx, of.peerId)
  const known = await findHashes(
    tx,
    supplierId,
    documents.map(({ documentId }) => documentId),
  )
  const receptions: Reception[] = []
  const fresh: NewDocument[] = []
  // In the order in which they came.
  const ids = newIds(documents.length).values()
  for (const one of documents) {
    const before = known.get(one.documentId)
    if (before === undefined)
      fresh.push({
        ...one,
        id: ids.next().value ?? '',
        disagreement: disagreementOf(one.document, of.currency),
      })
    known.set(one.documentId, before ?? one.sha256)
    receptions.push(before === undefined ? 'stored' : before.equals(one.sha256) ? 'exists' : 'conflict')
    if (receptions.at(-1) === 'conflict') break
  }
  await storeDocuments(tx, { ...of, supplierId }, fresh)
  return receptions
}

async function findHashes(
  tx: Tx,
  supplierId: string,
  documentIds: readonly string[],
): Promise<Map<string, Buffer>> {
  const rows = await tx
    .selectFrom('supplier_invoices')
    .select(['document_id', 'sha256'])
    .where('supplier_id', '=', supplierId)
    .where(sql<boolean>`document_id = any(${documentIds})`)
    .execute()
  return new Map(rows.flatMap(({ document_id: id, sha256 }) => (id && sha256 ? [[id, sha256] as const] : [])))
}

export type NewDocument = ReceivedDocument & {
  readonly id: string
  readonly documentId: string
  readonly correctsId: string | null
  readonly disagreement: string | null
}

async function storeDocuments(
  tx: Tx,
  { peerId, supplierId, now }: Receiving & { supplierId: string },
  fresh: readonly NewDocument[],
): Promise<void> {
  if (fresh.length === 0) return
  await insertDocuments(tx, { peerId, supplierId, now, origin: 'peer', recordedBy: null }, fresh)
  await insertEvents(
    tx,
    fresh.map(({ id, document: { number } }) => ({
      kind: 'supplier_invoice.received',
      data: { number, supplierInvoice: id },
    })),
  )
  await setOffCorrections(
    tx,
    fresh.map(({ id }) => id),
    now,
  )
  const issuedOn = fresh.map(({ document }) => document.issued_on).reduce(earlierDate)
  await watchArrived(tx, { supplierId, issuedOn, now })
  for (const { id, document, disagreement } of fresh)
    if (disagreement !== null)
      await tellOfDisagreement(tx, { id, number: document.number, disagreement, now })
}

/** From where documents come: of a peer, or written down by somebody. */
interface Source {
  readonly supplierId: string
  readonly origin: SupplierInvoicesTable['origin']
  readonly peerId: string | null
  readonly recordedBy: string | null
  readonly now: string
}

/** One statement, whatever their number. */
export async function insertDocuments(tx: Tx, of: Source, fresh: readonly NewDocument[]): Promise<void> {
  const texts = (read: (one: NewDocument) => string | null) => textArray(fresh.map(read))
  const plain = (read: (one: NewDocument) => string | number) => plainArray(fresh.map(read))
  await sql`
    insert into supplier_invoices (id, supplier_id, origin, peer_id, recorded_by, document_id, sha256, kind, number, currency, issued_on,
      due_on, net_minor, tax_minor, total_minor, corrects_document_id, content, disagreement, received_at)
    select id, ${of.supplierId}, ${of.origin}, ${of.peerId}, ${of.recordedBy}, document_id, decode(sha256, 'hex'), kind, number, currency,
      issued_on, due_on, net_minor, tax_minor, total_minor, corrects_document_id, content, disagreement, ${of.now}
    from rows from (unnest(${plain(({ id }) => id)}::uuid[], ${plain(({ documentId }) => documentId)}::uuid[],
      ${plain(({ sha256 }) => sha256.toString('hex'))}::text[], ${plain(({ document }) => document.kind)}::text[],
      ${texts(({ document }) => document.number)}::text[], ${plain(({ document }) => document.currency)}::text[],
      ${plain(({ document }) => document.issued_on)}::date[], ${plain(({ document }) => document.due_on)}::date[],
      ${plain(({ document }) => document.net_minor)}::bigint[], ${plain(({ document }) => document.tax_minor)}::bigint[],
      ${plain(({ document }) => document.total_minor)}::bigint[], ${texts(({ correctsId }) => correctsId)}::uuid[],
      ${texts(({ disagreement }) => disagreement)}::text[]), jsonb_array_elements(${`[${fresh.map(({ text }) => text).join(',')}]`}::jsonb))
      as row (id, document_id, sha256, kind, number, currency, issued_on, due_on, net_minor, tax_minor, total_minor,
        corrects_document_id, disagreement, content)`.execute(tx)
}

/** The supplier is told what differs, as a dispute that nobody had to raise. */
async function tellOfDisagreement(
  tx: Tx,
  of: { id: string; number: string; disagreement: string; now: string },
) {
  await openTask(tx, {
    kind: 'supplier_invoice_disputed',
    subjectKind: 'supplier_invoice',
    subjectId: of.id,
    subject: `Supplier invoice ${of.number} does not add up`,
    detail: `${of.disagreement}. It is stored as it came, and the supplier is told of it by a dispute. What is right comes as a credit note.`,
  })
  const reason = `The sums do not add up: ${of.disagreement}.`
  await raiseDispute(tx, { supplierInvoiceId: of.id, reason, lines: [], actor: 'clouder', now: of.now })
}
