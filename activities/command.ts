import { readAgenda, type Agenda as AgendaRows } from '#db/agenda.ts'
import type { AskedChange } from '#db/asked-plan.ts'
import { readCommandNote } from '#db/command-note.ts'
import type { Db } from '#db/database.ts'
import type { AskedTerms } from '#db/tables/subscription.ts'
import type { Agenda } from '#domain/agenda.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'

export interface CommandInput {
  readonly subscriptionId: string
  readonly requestId: string
  readonly nowMs: number
}

/** A command with who asked and why, read from its note: no history holds either. */
export async function readCommand(db: Db, input: CommandInput) {
  const command = {
    subscriptionId: decodeId('subscription', input.subscriptionId),
    requestId: input.requestId,
  }
  const note = await readCommandNote(db, command)
  return { ...command, ...note, now: toInstant(input.nowMs) }
}

/** What a subscription waits for by the calendar, as its workflow knows it. */
export async function agendaOf(db: Db, input: { subscriptionId: string; nowMs: number }): Promise<Agenda> {
  return toAgenda(
    await readAgenda(db, decodeId('subscription', input.subscriptionId), toInstant(input.nowMs)),
  )
}

export function toInstant(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

/** The line and quantity are in the command, what else is asked in its note. */
export function toChange(
  command: { subscriptionLineId: string; quantity?: string },
  asked: AskedTerms | null | undefined,
): AskedChange {
  return {
    ...asked?.plan,
    ...(command.quantity === undefined ? {} : { quantity: command.quantity }),
    subscriptionLineId: decodeId('subscriptionLine', command.subscriptionLineId),
  }
}

function toAgenda(agenda: AgendaRows): Agenda {
  return {
    documents: agenda.documents.map((document) => ({
      documentId: encodeId('document', document.documentId),
      periodIndex: document.periodIndex,
      dueAtMs: Date.parse(document.dueAt),
    })),
    endsAtMs: agenda.endsAt ? Date.parse(agenda.endsAt) : null,
    changeAtMs: agenda.changeAt ? Date.parse(agenda.changeAt) : null,
    ...(agenda.pauseAt ? { pauseAtMs: Date.parse(agenda.pauseAt) } : {}),
    ...(agenda.resumeAt ? { resumeAtMs: Date.parse(agenda.resumeAt) } : {}),
    ...(agenda.trialNoticeAt ? { trialNoticeAtMs: Date.parse(agenda.trialNoticeAt) } : {}),
    ...(agenda.termAt ? { termAtMs: Date.parse(agenda.termAt) } : {}),
    ...(agenda.waitingAt ? { waitingAtMs: Date.parse(agenda.waitingAt) } : {}),
  }
}
