import { BusinessError } from '#domain/errors.ts'
import { readNumber, seriesKey } from '#domain/invoice/number.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { lockSeries } from './series-lock.ts'
import type { NumberPatterns } from './tables/installation.ts'

/** A document of ours as a peer has it. */
export interface LostDocument {
  readonly documentId: string
  readonly kind: 'invoice' | 'credit_note'
  readonly number: string
  readonly currency: string
  readonly issuedOn: string
  readonly totalMinor: number
  /** Hexadecimal. */
  readonly sha256: string
  readonly content: Readonly<Record<string, unknown>>
}

/** Of documents that a peer has of ours, those that we have sent it or know to have lost. */
export async function findOwnDocuments(
  db: Db,
  peerId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const [sent, lost] = await Promise.all([
    db
      .selectFrom('peer_messages')
      .select('subject_id as id')
      .where('peer_id', '=', peerId)
      .where('kind', '=', 'document')
      .where('subject_id', 'in', ids)
      .execute(),
    db
      .selectFrom('lost_documents')
      .select('document_id as id')
      .where('peer_id', '=', peerId)
      .where('document_id', 'in', ids)
      .execute(),
  ])
  return new Set([...sent, ...lost].flatMap(({ id }) => id ?? []))
}

/**
 * Keeps what a peer has of ours and we have not. From here on no number of their series is given that may have been given before, until
 * a person has settled it.
 * @param toldSequence the last number of our messages that the peer has, where we know of no such
 * @returns what to tell that person
 */
export async function keepLostDocuments(
  tx: Tx,
  peerId: string,
  { lost, toldSequence, now }: { lost: readonly LostDocument[]; toldSequence: number | null; now: string },
): Promise<string> {
  const { number_patterns: patterns } = await tx
    .selectFrom('installation')
    .select('number_patterns')
    .executeTakeFirstOrThrow()
  const placed = lost.map((document) => ({ document, ...placeOf(document, patterns) }))
  // Whoever finalizes meanwhile is waited for, and sees what is lost afterwards, in a series that has no document yet, too.
  await lockSeries(
    tx,
    placed.flatMap(({ series }) => series ?? []),
  )
  for (const { document, series, sequence } of placed)
    await tx
      .insertInto('lost_documents')
      .values({
        id: newId(),
        peer_id: peerId,
        document_id: document.documentId,
        kind: document.kind,
        number: document.number,
        currency: document.currency,
        issued_on: document.issuedOn,
        total_minor: document.totalMinor,
        sha256: Buffer.from(document.sha256, 'hex'),
        content: JSON.stringify(document.content),
        series,
        sequence,
        found_at: now,
      })
      .onConflict((conflict) => conflict.columns(['peer_id', 'document_id']).doNothing())
      .execute()
  if (toldSequence !== null)
    await tx
      .updateTable('peers')
      .set({ told_sequence: toldSequence })
      .where('id', '=', peerId)
      .where((eb) => eb.or([eb('told_sequence', 'is', null), eb('told_sequence', '<', toldSequence)]))
      .execute()
  return await sayWhatIsLost(tx, peerId)
}

function placeOf(
  { kind, issuedOn, number: text }: LostDocument,
  patterns: NumberPatterns,
): { series: string | null; sequence: number | null } {
  const { series, pattern: written } = patterns[kind]
  const pattern = { pattern: written, resetsYearly: written.includes('{year}') }
  const sequence = readNumber(pattern, { series, issuedOn, text })
  return sequence === null
    ? { series: null, sequence: null }
    : { series: seriesKey(series, issuedOn, pattern), sequence }
}

async function sayWhatIsLost(db: Db, peerId: string): Promise<string> {
  const rows = await unsettledDocuments(db, peerId)
    .select('number')
    .orderBy('issued_on')
    .orderBy('number')
    .execute()
  if (rows.length === 0)
    return 'The other side has messages of ours that are not here: this installation seems to be restored from an older backup'
  const numbers = rows.slice(0, 20).map(({ number }) => number)
  const more = rows.length > numbers.length ? ` and ${rows.length - numbers.length} more` : ''
  return `The other side has ${numbers.join(', ')}${more}, which are not here: this installation seems to be restored from an older backup, and gives no number of their series again. Settle what is lost: npx clouder peers lost`
}

/** What a peer has of ours and nobody has settled yet. */
export function unsettledDocuments(db: Db, peerId: string) {
  return db.selectFrom('lost_documents').where('peer_id', '=', peerId).where('settlement', 'is', null)
}

/**
 * Refuses a series whose next number may have been given before.
 * @throws `series_stopped`
 */
export async function refuseStoppedSeries(
  tx: Tx,
  next: ReadonlyMap<string, { readonly nextNumber: number }>,
): Promise<void> {
  const rows = await tx
    .selectFrom('lost_documents')
    .select(['series', 'number', 'sequence'])
    .where('settlement', 'is', null)
    .where('series', 'in', [...next.keys()])
    .orderBy('sequence', 'desc')
    .execute()
  const stopped = rows.find(
    ({ series, sequence }) => (sequence ?? 0) >= (next.get(series ?? '')?.nextNumber ?? 1),
  )
  if (stopped)
    throw new BusinessError(
      'series_stopped',
      `A peer has ${stopped.number} of series ${stopped.series}, which is not here: no number up to that one is given again.`,
    )
}

/** @throws `action_not_allowed` while a person has not settled what is lost */
export async function refuseUnsettled(tx: Tx, peerId: string): Promise<void> {
  const lost = await unsettledDocuments(tx, peerId).select('number').limit(1).executeTakeFirst()
  if (lost === undefined) return
  throw new BusinessError(
    'action_not_allowed',
    `The other side has ${lost.number}, which is not here. Settle what is lost first: npx clouder peers settle.`,
  )
}
