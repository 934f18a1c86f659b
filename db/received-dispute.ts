import { decodeId } from '#domain/identifier.ts'
import type { SaidDispute } from '#domain/dispute.ts'
import type { Tx } from './database.ts'
import { closeTaskHere, taskSubject, tellOfDispute, type DisputeRow } from './dispute.ts'
import { openTask } from './task.ts'

interface ReceivedDispute {
  readonly peerId: string
  readonly said: SaidDispute
}

/** `conflict`: it is known as another one. */
type DisputeReception = 'stored' | 'conflict'

/** Takes what a customer says against a document of ours, or that it says so no more: then there is nothing left to answer. */
export async function receiveDispute(tx: Tx, of: ReceivedDispute): Promise<DisputeReception> {
  const { said, peerId } = of
  const known = await findDispute(tx, said)
  if (known === undefined) return await keepDispute(tx, of)
  if (known.peer_id !== peerId || known.supplier_invoice_id !== null || !isSame(known, said))
    return 'conflict'
  if (said.withdrawn_at === null || known.withdrawn_at !== null) return 'stored'
  const row = await tx
    .updateTable('disputes')
    .set({ withdrawn_at: said.withdrawn_at })
    .where('id', '=', known.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await closeTaskHere(tx, row, 'the dispute was withdrawn')
  await tellOfDispute(tx, 'dispute.withdrawn', row, null)
  return 'stored'
}

async function findDispute(tx: Tx, said: SaidDispute): Promise<DisputeRow | undefined> {
  const id = decodeId('dispute', said.dispute)
  return await tx.selectFrom('disputes').selectAll().where('id', '=', id).executeTakeFirst()
}

function isSame(known: DisputeRow, said: SaidDispute): boolean {
  return known.document_id === decodeId('invoice', said.document) && known.reason === said.reason
}

function toRow({ peerId, said }: ReceivedDispute) {
  return {
    id: decodeId('dispute', said.dispute),
    peer_id: peerId,
    document_id: decodeId('invoice', said.document),
    number: said.number,
    reason: said.reason,
    lines: [...said.lines],
    raised_at: said.raised_at,
  }
}

async function keepDispute(tx: Tx, of: ReceivedDispute): Promise<DisputeReception> {
  const fresh = toRow(of)
  const row = await tx
    .insertInto('disputes')
    .values({
      ...fresh,
      supplier_invoice_id: null,
      invoice_id: await findSent(tx, of.peerId, fresh.document_id),
      raised_by: null,
      withdrawn_at: of.said.withdrawn_at,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await tellOfDispute(tx, 'dispute.raised', row, null)
  if (row.state === 'open') await askForAnswer(tx, row)
  return 'stored'
}

/** Of what is none of this customer's own documents it is not told whose it is, nor shown there. */
async function findSent(tx: Tx, peerId: string, documentId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('peer_messages')
    .innerJoin('invoices', 'invoices.id', 'peer_messages.subject_id')
    .select('invoices.id')
    .where('peer_id', '=', peerId)
    .where('peer_messages.kind', '=', 'document')
    .where('subject_id', '=', documentId)
    .limit(1)
    .executeTakeFirst()
  return row?.id ?? null
}

async function askForAnswer(tx: Tx, row: DisputeRow): Promise<void> {
  const { name } = await tx
    .selectFrom('peers')
    .select('name')
    .where('id', '=', row.peer_id)
    .executeTakeFirstOrThrow()
  const subject = taskSubject(row)
  const unknown = row.invoice_id === null ? ' No such document of theirs is here.' : ''
  await openTask(tx, {
    kind: 'invoice_disputed',
    subjectKind: subject.kind,
    subjectId: subject.id,
    subject: `${name ?? 'A customer'} disputes ${row.number}`,
    detail: `“${row.reason}”${unknown} Accept it, and credit the invoice; or reject it and say why.`,
  })
}

/**
 * Takes what a supplier says to a dispute of ours. One that was withdrawn meanwhile stays so. One that is not known here any more, because
 * this installation was restored from an older backup, is kept as the supplier has it, where its document is.
 */
export async function receiveDisputeAnswer(tx: Tx, of: ReceivedDispute): Promise<DisputeReception> {
  const { said, peerId } = of
  const known = await findDispute(tx, said)
  const answered = { outcome: said.outcome, answer: said.answer, answered_at: said.answered_at }
  if (known === undefined) return await restoreDispute(tx, of, answered)
  const isOther = known.peer_id !== peerId || known.supplier_invoice_id === null || !isSame(known, said)
  if (isOther || known.outcome !== null) return 'conflict'
  const row = await tx
    .updateTable('disputes')
    .set(answered)
    .where('id', '=', known.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await tellOfDispute(tx, 'dispute.answered', row, null)
  await closeTaskHere(tx, row, `the supplier has ${said.outcome} the dispute`)
  return 'stored'
}

async function restoreDispute(
  tx: Tx,
  of: ReceivedDispute,
  answered: Pick<SaidDispute, 'outcome' | 'answer' | 'answered_at'>,
): Promise<DisputeReception> {
  const fresh = toRow(of)
  const invoice = await tx
    .selectFrom('supplier_invoices')
    .select('id')
    .where('peer_id', '=', of.peerId)
    .where('document_id', '=', fresh.document_id)
    .executeTakeFirst()
  if (invoice === undefined) return 'stored'
  const row = await tx
    .insertInto('disputes')
    .values({
      ...fresh,
      supplier_invoice_id: invoice.id,
      invoice_id: null,
      raised_by: 'clouder',
      ...answered,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await tellOfDispute(tx, 'dispute.answered', row, null)
  return 'stored'
}
