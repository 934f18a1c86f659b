import type { PeerRole } from './peer.ts'

/** Of the messages between installations. Version 1 held documents only, of a supplier, without numbers. */
export const peerVersion = 2

/** Where an installation answers others. */
export const peerPaths = {
  redemption: '/v1/peers/redeem',
  messages: '/v1/peer-messages',
  /** Where messages of version 1 went before there was another; they are understood at both. */
  firstMessages: '/v1/peer-documents',
} as const

/** Signals to the workflow of a peer: something waits to be sent, what halted it is settled, or the trust has ended. */
export const peerSignals = {
  /** Named when nothing but documents was sent: running workflows listen for that. */
  messagesWait: 'documentsWait',
  resumed: 'peerResumed',
  closed: 'peerClosed',
} as const

/**
 * What one installation tells another, and who tells it: what the sender is to who receives it. A new kind is an entry here and one
 * in `api/peer-kinds/`, and a call of `queuePeerMessages` in the transaction of what causes it.
 *
 * `dispute`: what a customer says against a document, or that it says so no more; `dispute_answer`: what its supplier says to that.
 * `document`: a finalized invoice or credit note. `expense_mappings`: as what a customer counts its supplier's products. `file`: its PDF, or the file that machines read. `standing`: how a document stands
 * over there: void, paid, partly paid. `key`: the next public key of the sender. `levels`: who bills the sender, directly or through
 * others, by hashed ids.
 */
const kinds = {
  dispute: { from: 'customer' },
  dispute_answer: { from: 'supplier' },
  document: { from: 'supplier' },
  expense_mappings: { from: 'customer' },
  file: { from: 'supplier' },
  key: { from: 'either' },
  levels: { from: 'supplier' },
  standing: { from: 'supplier' },
} as const satisfies Record<string, { from: PeerRole | 'either' }>

export type PeerMessageKind = keyof typeof kinds
export const peerMessageKinds: Readonly<Record<PeerMessageKind, { readonly from: PeerRole | 'either' }>> =
  kinds

/** So many of a kind, also of one that only another version knows: `3 documents`, `1 dispute answer`. */
export function sayMessages(count: number, kind: string): string {
  const noun = kind.replaceAll('_', ' ')
  return `${count} ${noun}${count === 1 || noun.endsWith('s') ? '' : 's'}`
}

export function isPeerMessageKind(text: string): text is PeerMessageKind {
  return Object.hasOwn(peerMessageKinds, text)
}

/** What a message says, under names of the message. */
export type PeerMessageContent = Readonly<Record<string, unknown>>

/** What an installation says that it understands: at pairing, in each message and in each answer. */
export interface Understanding {
  readonly version: number
  readonly kinds: readonly string[]
}

/**
 * What is understood besides, told among the kinds: who does not know it leaves it be. `again`: both sides are asked what they have
 * received, and send again what the other one has lost. `large`: a document is taken up to `largestDocumentBytes`.
 */
const peerAbilities = { again: 'again', large: 'large' } as const

/**
 * Whether a peer is asked what it has of our messages: all that we bill, and of suppliers those that answer it to their customers. Who is
 * of version 1 knows no numbers.
 */
export function tellsWhatItHas(peer: {
  readonly role: PeerRole
  readonly otherVersion: number
  readonly otherKinds: readonly string[]
}): boolean {
  const { role, otherVersion, otherKinds } = peer
  return otherVersion > 1 && (role === 'customer' || otherKinds.includes(peerAbilities.again))
}

/** Of one message, as JSON: what every version takes. */
export const usualMessageBytes = 2 * 1024 * 1024
/** Of a document, as JSON, for those that understand `large`. */
export const largestDocumentBytes = 15 * 1024 * 1024
export const mostDocumentLines = 20_000

/**
 * What the other side has to understand besides the kind, so that it takes a document of such a size; null for what everybody takes.
 * `larger` is understood by nobody yet: it waits, and is told as what it is.
 * @example neededFor({ bytes: 3 * 1024 * 1024, lines: 7_000 }) // 'large'
 */
export function neededFor({ bytes, lines }: { bytes: number; lines: number }): 'large' | 'larger' | null {
  if (bytes > largestDocumentBytes || lines > mostDocumentLines) return 'larger'
  return bytes > usualMessageBytes ? peerAbilities.large : null
}

export const ownUnderstanding: Understanding = {
  version: peerVersion,
  kinds: [...Object.keys(peerMessageKinds), ...Object.values(peerAbilities)],
}

/** What a kind may be called, also one that is not known yet, and the greatest version that is kept of who says it. */
export const understandingBounds = { kind: /^[!-~]{1,40}$/, version: 1_000_000 } as const

/** What those understand who were paired before anybody said so. */
export const firstUnderstanding: Understanding = { version: 1, kinds: ['document'] }
