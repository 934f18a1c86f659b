import type { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { BusinessError } from '#domain/errors.ts'
import { parse } from '../validation.ts'

/** A message of a peer, on its way into our rows. */
export interface Taking {
  readonly peerId: string
  /** In which one of the two bills the other, as agreed. */
  readonly currency: string
  /** As it came, what this version does not know too. */
  readonly raw: unknown
  /** Of the one text of `raw`. */
  readonly sha256: Buffer
  readonly now: string
}

/** `exists`: it came before. `conflict`: it came before with another content; both sides rest until people have settled why. */
export type Taken = { outcome: 'stored' | 'exists' } | { outcome: 'conflict'; reason: string }

export type PeerKind = (tx: Tx, taking: Taking) => Promise<Taken>

const largestMessageBytes = 2 * 1024 * 1024

/**
 * How a kind of message is taken: read by its schema, then written by `take` in the transaction that takes the whole of what came.
 * A message that came before under its number is not taken again.
 * @param largestBytes of one message, as JSON
 */
export function takenBy<S extends z.ZodType>(
  schema: S,
  take: (tx: Tx, content: z.output<S>, taking: Taking) => Promise<Taken>,
  largestBytes: number = largestMessageBytes,
): PeerKind {
  return async (tx, taking) => {
    if (JSON.stringify(taking.raw).length > largestBytes)
      throw new BusinessError('body_too_large', `One message is larger than ${largestBytes} bytes.`)
    return await take(tx, parse(schema, taking.raw, 'body'), taking)
  }
}
