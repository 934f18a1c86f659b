import type { Selectable } from 'kysely'
import { BusinessError, fieldError, type ErrorCode } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { DisputeOutcome, SaidDispute } from '#domain/dispute.ts'
import type { Tx } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'
import { newId } from './identifier.ts'
import { queuePeerMessages } from './peer-queue.ts'
import type { DisputesTable } from './tables/peer.ts'
import { closeTasks } from './task.ts'

export type DisputeRow = Selectable<DisputesTable>

interface NewDispute {
  readonly supplierInvoiceId: string
  readonly reason: string
  /** Positions of the lines that are meant, from 1; none for the whole. */
  readonly lines: readonly number[]
  readonly actor: string
  readonly now: string
}

/**
 * Says against a document of a supplier that it is wrong, and why, which its installation is told. The document stays as it is.
 * @returns the dispute's id, which both sides know it by
 * @throws `dispute_open`, `dispute_unreachable`, and `field_invalid` for a line that there is none of
 */
export async function raiseDispute(tx: Tx, wanted: NewDispute): Promise<string> {
  const of = await readDisputed(tx, wanted.supplierInvoiceId)
  const { peerId } = of
  if (peerId === null || !isReached(of.state))
    throw new BusinessError(
      'dispute_unreachable',
      `${of.number} is of a supplier whose installation is no peer of ours.`,
    )
  const beyond = wanted.lines.findIndex((position) => position > of.lines)
  if (beyond >= 0)
    throw fieldError(
      `/lines/${beyond}`,
      'field_invalid',
      `${of.number} has ${of.lines} lines, counted from 1.`,
    )
  const row = await insertDispute(tx, wanted, { ...of, peerId })
  if (row === undefined)
    throw new BusinessError('dispute_open', `${of.number} is disputed already, and not answered yet.`)
  await tellOfDispute(tx, 'dispute.raised', row, wanted.actor)
  await tellPeer(tx, 'dispute', row)
  return row.id
}

/** Undefined where one of it is open already. */
async function insertDispute(
  tx: Tx,
  wanted: NewDispute,
  of: { readonly peerId: string; readonly documentId: string; readonly number: string },
): Promise<DisputeRow | undefined> {
  return await tx
    .insertInto('disputes')
    .values({
      id: newId(),
      peer_id: of.peerId,
      supplier_invoice_id: wanted.supplierInvoiceId,
      invoice_id: null,
      document_id: of.documentId,
      number: of.number,
      reason: wanted.reason,
      lines: [...wanted.lines],
      raised_at: wanted.now,
      raised_by: wanted.actor,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['supplier_invoice_id'])
        .where('withdrawn_at', 'is', null)
        .where('outcome', 'is', null)
        .doNothing(),
    )
    .returningAll()
    .executeTakeFirst()
}

async function readDisputed(tx: Tx, supplierInvoiceId: string) {
  const row = await tx
    .selectFrom('supplier_invoices')
    .leftJoin('peers', 'peers.id', 'supplier_invoices.peer_id')
    .select(['supplier_invoices.peer_id as peerId', 'document_id as documentId', 'number', 'content'])
    .select('peers.state')
    .where('supplier_invoices.id', '=', supplierInvoiceId)
    .executeTakeFirstOrThrow()
  const { content, ...rest } = row
  return { ...rest, lines: content.lines.length }
}

/** Says so no more. @throws `dispute_closed`, `dispute_not_ours` */
export async function withdrawDispute(
  tx: Tx,
  { id, actor, now }: { id: string; actor: string; now: string },
): Promise<void> {
  await lockPeer(tx, id)
  const row = await tx
    .updateTable('disputes')
    .set({ withdrawn_at: now, withdrawn_by: actor })
    .where('id', '=', id)
    .where('supplier_invoice_id', 'is not', null)
    .where('state', '=', 'open')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) throw await refusalOf(tx, id, { isRaisedHere: true })
  await closeTaskHere(tx, row, 'the dispute was withdrawn')
  await tellOfDispute(tx, 'dispute.withdrawn', row, actor)
  await tellPeer(tx, 'dispute', row)
}

interface DisputeAnswer {
  readonly id: string
  /** `accepted`: a credit note follows, which is made as any other. */
  readonly outcome: DisputeOutcome
  readonly text: string | null
  readonly actor: string
  readonly now: string
}

/** Answers what a customer says against a document of ours, once. @throws `dispute_closed`, `dispute_not_ours` */
export async function answerDispute(tx: Tx, answer: DisputeAnswer): Promise<void> {
  const { id, outcome, text, actor, now } = answer
  await lockPeer(tx, id)
  const row = await tx
    .updateTable('disputes')
    .set({ outcome, answer: text, answered_at: now, answered_by: actor })
    .where('id', '=', id)
    .where('supplier_invoice_id', 'is', null)
    .where('state', '=', 'open')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) throw await refusalOf(tx, id, { isRaisedHere: false })
  await closeTaskHere(tx, row, `the dispute was ${outcome}`)
  await tellOfDispute(tx, 'dispute.answered', row, actor)
  await tellPeer(tx, 'dispute_answer', row)
}

/** Before the dispute, as messages of the peer are taken: an answer and a withdrawal that cross wait for each other in one order. */
async function lockPeer(tx: Tx, disputeId: string): Promise<void> {
  await tx
    .selectFrom('peers')
    .select('id')
    .where('id', '=', (dispute) =>
      dispute.selectFrom('disputes').select('peer_id').where('disputes.id', '=', disputeId),
    )
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
}

async function refusalOf(tx: Tx, id: string, of: { isRaisedHere: boolean }): Promise<BusinessError> {
  const row = await tx.selectFrom('disputes').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const isOurs = (row.supplier_invoice_id !== null) === of.isRaisedHere
  const [code, detail]: [ErrorCode, string] = isOurs
    ? ['dispute_closed', `The dispute of ${row.number} is ${row.state} already.`]
    : of.isRaisedHere
      ? ['dispute_not_ours', `The customer disputes ${row.number}: it withdraws that, and we answer.`]
      : ['dispute_not_ours', `We dispute ${row.number}: its supplier answers that, and we may withdraw it.`]
  return new BusinessError(code, detail)
}

/** What is to be done about a dispute here: answering it, or seeing why our sums differ. Another one that is open keeps it. */
export async function closeTaskHere(tx: Tx, row: DisputeRow, reason: string): Promise<void> {
  if (row.supplier_invoice_id !== null)
    return await closeTasks(tx, { kind: 'supplier_invoice', id: row.supplier_invoice_id, reason }, [
      'supplier_invoice_disputed',
    ])
  const other = await tx
    .selectFrom('disputes')
    .select('id')
    .where('peer_id', '=', row.peer_id)
    .where('invoice_id', row.invoice_id === null ? 'is' : '=', row.invoice_id)
    .where('supplier_invoice_id', 'is', null)
    .where('state', '=', 'open')
    .limit(1)
    .executeTakeFirst()
  if (other !== undefined) return
  await closeTasks(tx, { ...taskSubject(row), reason }, ['invoice_disputed'])
}

/** The invoice, or where it is none of ours, the peer that says so. */
export function taskSubject(row: Pick<DisputeRow, 'invoice_id' | 'peer_id'>) {
  return row.invoice_id === null
    ? ({ kind: 'peer', id: row.peer_id } as const)
    : ({ kind: 'invoice', id: row.invoice_id } as const)
}

/** @param actor null where the other side did it */
export async function tellOfDispute(
  tx: Tx,
  kind: Extract<EventKind, `dispute.${string}`>,
  row: DisputeRow,
  actor: string | null,
): Promise<void> {
  await insertEvent(tx, {
    kind,
    ...(row.invoice_id === null ? {} : { invoiceId: row.invoice_id }),
    data: { dispute: encodeId('dispute', row.id), number: row.number, state: row.state, actor },
  })
}

/** After the end of the trust nobody is told. */
async function tellPeer(tx: Tx, kind: 'dispute' | 'dispute_answer', row: DisputeRow): Promise<void> {
  const peer = await tx
    .selectFrom('peers')
    .select('state')
    .where('id', '=', row.peer_id)
    .executeTakeFirstOrThrow()
  if (isReached(peer.state))
    await queuePeerMessages(tx, row.peer_id, [{ kind, subjectId: row.id, content: { ...saidOf(row) } }])
}

function isReached(state: string | null): boolean {
  return state === 'active' || state === 'halted'
}

function saidOf(row: DisputeRow): SaidDispute {
  return {
    dispute: encodeId('dispute', row.id),
    document: encodeId('invoice', row.document_id),
    number: row.number,
    reason: row.reason,
    lines: row.lines,
    raised_at: row.raised_at,
    withdrawn_at: row.withdrawn_at,
    outcome: row.outcome,
    answer: row.answer,
    answered_at: row.answered_at,
  }
}
