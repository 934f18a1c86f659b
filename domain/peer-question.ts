import type { MonthDigest } from './proof.ts'

/** Where an installation answers what another asks now, in one request. */
export const peerQuestionPath = '/v1/peer-questions'

/**
 * What one installation asks another. Names are those of the message, dates are days as ISO text, ranges half open.
 *
 * - `digest`: what the documents between the two come to, month by month; who asks says what it has itself, so that each holds the
 *   other's word, signed.
 * - `listing`: the documents of one month, those after one of them.
 * - `received`: what came last, newest first, those before one of them; and which message. Both say how far they have come, so that what
 *   one of them has lost is sent again.
 * - `document`: of who is billed: one document as it came.
 * - `usage`: of who bills: what a line's quantity is made of, or one day of that from a row on.
 */
export type PeerQuestion =
  | {
      readonly kind: 'digest'
      readonly from: string
      readonly to: string
      readonly months: readonly MonthDigest[]
    }
  | { readonly kind: 'listing'; readonly from: string; readonly to: string; readonly after: string | null }
  | {
      readonly kind: 'received'
      /**
       * The last number of its messages that who asks knows of; null from who asks what came before it says so: meanwhile some may
       * go over, and what it knew when it asked would be too little.
       */
      readonly last_sequence: number | null
      /** The last message of who is asked that who asks has; null where it does not say so. */
      readonly taken_sequence: number | null
      readonly before: string | null
    }
  | { readonly kind: 'document'; readonly document: string }
  | {
      readonly kind: 'usage'
      readonly document: string
      /** Its place among the lines, from 1. */
      readonly line: number
      readonly on: string | null
      readonly skip: number
    }

export type PeerQuestionKind = PeerQuestion['kind']

/** A message as it was signed, kept so that anybody who has the key can see that it says so. */
export interface SignedExchange {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The answer to it, signed by who was asked; left out where we are the one who was. */
  readonly answer?: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }
}

/** Of what a day of usage is made, over there: as many rows as one answer holds. */
export const usageRowsPerAnswer = 500

/** How many documents one answer lists. */
export const documentsPerAnswer = 500

/** A billed quantity as its supplier opens it; instants and decimals as text. */
export interface SuppliedWindow {
  readonly id: string
  readonly subscription: string
  readonly subscription_line: string
  readonly instance: string | null
  readonly invoice: string
  readonly metric: string
  readonly quantity: string
  readonly unit: string
  readonly start: string
  readonly end: string
  readonly late: boolean
  readonly pending: boolean
  readonly first_read_at: string | null
  readonly last_read_at: string | null
  readonly readings: number
  readonly events: number
  readonly days: readonly {
    readonly on: string
    readonly readings: number
    readonly events: number
    readonly counted: string | null
  }[]
}

export interface SuppliedReading {
  readonly series: string
  readonly value: string
  readonly unit: string
  readonly read_at: string
  readonly opening: boolean
  readonly counted: string | null
}

export interface SuppliedEvent {
  readonly source: string
  readonly id: string
  readonly quantity: string
  readonly unit: string
  readonly time: string
  readonly received_at: string
}
