import { z } from 'zod'
import type { WaitingMessage } from '#db/peer-outgoing.ts'
import type { Delivery } from '#db/peer-queue.ts'
import type { PeerStanding } from '#db/peer.ts'
import { encodeId } from '#domain/identifier.ts'
import {
  ownUnderstanding,
  peerPaths,
  peerVersion,
  understandingBounds,
  type Understanding,
} from '#domain/peer-message.ts'

/**
 * What is sent at once, in the newest version that the other side understands. Version 1 is made of documents alone, without numbers.
 * @param taken the last number that was taken over there, known before it was read what waits: where the other side has lost something
 *   since, that is noticed by this number
 */
export function writeEnvelope(
  peer: PeerStanding,
  waiting: readonly WaitingMessage[],
  taken: number,
): { path: string; body: string } {
  const head = {
    peer: encodeId('peer', peer.otherPeerId ?? ''),
    audience: encodeId('installation', peer.installationId ?? ''),
    understands: ownUnderstanding,
  }
  if (peer.otherVersion === 1) {
    const documents = waiting.map(({ text }) => text)
    return { path: peerPaths.firstMessages, body: write({ version: 1, ...head }, { documents }) }
  }
  const messages = waiting.map(
    ({ sequence, kind, text }) => `{"sequence":${sequence},"kind":${JSON.stringify(kind)},"content":${text}}`,
  )
  // What was not understood at its time comes behind what has a greater number.
  const after = Math.min(taken, (waiting[0]?.sequence ?? 1) - 1)
  return { path: peerPaths.messages, body: write({ version: peerVersion, ...head, after }, { messages }) }
}

/** JSON of a head that is read first, and of a list behind it whose members are written already. */
function write(head: object, list: Readonly<Record<string, readonly string[]>>): string {
  const lists = Object.entries(list).map(([name, texts]) => `"${name}":[${texts.join(',')}]`)
  return `${JSON.stringify(head).slice(0, -1)},${lists.join(',')}}`
}

export interface ReceptionThere extends Delivery {
  /** What was taken, now or before. */
  readonly messages: readonly WaitingMessage[]
  /** The first that was not taken. */
  readonly refused: WaitingMessage | undefined
  readonly understands: Understanding | undefined
}

/** What the other side answers of each, by its number, or by the document of version 1. */
export function readReception(answer: unknown, waiting: readonly WaitingMessage[]): ReceptionThere {
  const { results, understands } = receptionSchema.parse(answer)
  const taken = results.filter(({ outcome }) => outcome !== 'conflict')
  const numbers = new Set(taken.map(({ sequence }) => sequence))
  const documents = new Set(taken.map(({ document }) => document))
  const isTaken = ({ sequence, content: { document } }: WaitingMessage) =>
    numbers.has(sequence) || (typeof document === 'string' && documents.has(document))
  return {
    messages: waiting.filter(isTaken),
    isNumbered: taken.some(({ sequence }) => sequence !== undefined),
    refused: waiting.find((message) => !isTaken(message)),
    understands,
  }
}

export const understandingSchema = z.object({
  version: z.number().int().min(1).max(understandingBounds.version),
  kinds: z.array(z.string().regex(understandingBounds.kind)).max(100),
})

const receptionSchema = z.object({
  understands: understandingSchema.optional(),
  results: z.array(
    z.object({
      sequence: z.number().int().optional(),
      document: z.string().optional(),
      outcome: z.enum(['stored', 'exists', 'conflict']),
    }),
  ),
})
