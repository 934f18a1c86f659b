import { settlementJitterMs } from './subscription.ts'

/** What a subscription waits for by the calendar, in milliseconds of its own time. Ids are public ids. */
export interface Agenda {
  readonly documents: readonly AgendaDocument[]
  /** When its service ends; null while it is not cancelled. */
  readonly endsAtMs: number | null
  /** When a change that was agreed takes effect. */
  readonly changeAtMs: number | null
  /** When a planned pause begins; left out where none is planned, as in histories older than pauses. */
  readonly pauseAtMs?: number
  /** When the pause that stopped it is over. */
  readonly resumeAtMs?: number
  /** When its fixed term is renewed. */
  readonly termAtMs?: number
  /** When the end of its trial is told. */
  readonly trialNoticeAtMs?: number
  /** When it is told that a change still waits for less use; left out where none waits. */
  readonly waitingAtMs?: number
}

export interface AgendaDocument {
  readonly documentId: string
  readonly periodIndex: number
  readonly dueAtMs: number
}

export const emptyAgenda: Agenda = { documents: [], endsAtMs: null, changeAtMs: null }

/** Documents wait a steady share of the settlement window after their boundary, all else does not. */
export interface Settlement {
  readonly subscriptionId: string
  readonly windowMs: number
}

/** The next moment at which the subscription has something to do; null when it waits for commands only. */
export function nextTurnMs(agenda: Agenda, settlement: Settlement): number | null {
  const jitterMs = settlementJitterMs(settlement.subscriptionId, settlement.windowMs)
  const turns = [
    agenda.endsAtMs,
    agenda.changeAtMs,
    agenda.pauseAtMs ?? null,
    agenda.resumeAtMs ?? null,
    agenda.termAtMs ?? null,
    agenda.trialNoticeAtMs ?? null,
    agenda.waitingAtMs ?? null,
    ...agenda.documents.map((document) => document.dueAtMs + jitterMs),
  ]
  const known = turns.filter((turn) => turn !== null)
  return known.length === 0 ? null : Math.min(...known)
}

/** The document whose period is to be billed now, oldest first; undefined when none is. */
export function nextDueDocument(
  agenda: Agenda,
  settlement: Settlement,
  nowMs: number,
): AgendaDocument | undefined {
  const jitterMs = settlementJitterMs(settlement.subscriptionId, settlement.windowMs)
  return agenda.documents
    .filter((document) => document.dueAtMs + jitterMs <= nowMs)
    .toSorted((first, second) => first.dueAtMs - second.dueAtMs)[0]
}

/** The agenda after a document was billed: its next period, or without it when it is closed. */
export function afterBilling(
  agenda: Agenda,
  documentId: string,
  next: Omit<AgendaDocument, 'documentId'> | null,
): Agenda {
  const others = agenda.documents.filter((document) => document.documentId !== documentId)
  return { ...agenda, documents: next ? [...others, { documentId, ...next }] : others }
}

/** What is reached of an optional moment. */
export function isReached(momentMs: number | null | undefined, nowMs: number): boolean {
  return typeof momentMs === 'number' && momentMs <= nowMs
}
