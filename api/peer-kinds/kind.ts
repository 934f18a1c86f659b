import type { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { BusinessError } from '#domain/errors.ts'
import { usualMessageBytes } from '#domain/peer-message.ts'
import { parse } from '../validation.ts'

/** A message of a peer, on its way into our rows. */
export interface Taking {
  readonly peerId: string
  /** In which one of the two bills the other, as agreed. */
  readonly currency: string
  /** As it came, what this version does not know too. */
  readonly raw: unknown
  /** The one text of `raw`, as long as its JSON, and the hash of that. */
  readonly text: string
  readonly sha256: Buffer
  readonly now: string
}

/** `exists`: it came before. `conflict`: it came before with another content; both sides rest until people have settled why. */
export type Taken = { outcome: 'stored' | 'exists' } | { outcome: 'conflict'; reason: string }

/**
 * Messages of one kind that came one behind the other, in their order. What became of each, up to a conflict: what follows one is not
 * looked at.
 */
export type PeerKind = (tx: Tx, takings: readonly Taking[]) => Promise<readonly Taken[]>

/**
 * How a kind of message is taken: read by its schema, then written by `take` in the transaction that takes the whole of what came.
 * A message that came before under its number is not taken again.
 */
export function takenBy<S extends z.ZodType>(
  schema: S,
  take: (tx: Tx, content: z.output<S>, taking: Taking) => Promise<Taken>,
): PeerKind {
  return async (tx, takings) => {
    const results: Taken[] = []
    for (const taking of takings) {
      const taken = await take(tx, read(schema, taking, usualMessageBytes), taking)
      results.push(taken)
      if (taken.outcome === 'conflict') break
    }
    return results
  }
}

/**
 * A kind of which thousands come at once: `take` writes those of one message of the peer together.
 * @param largestBytes of one message, as JSON
 */
export function takenTogether<S extends z.ZodType>(
  schema: S,
  take: (
    tx: Tx,
    takings: readonly (Taking & { readonly content: z.output<S> })[],
  ) => Promise<readonly Taken[]>,
  largestBytes: number,
): PeerKind {
  return async (tx, takings) => {
    if (takings.length === 0) return []
    return await take(
      tx,
      takings.map((taking) => ({ ...taking, content: read(schema, taking, largestBytes) })),
    )
  }
}

function read<S extends z.ZodType>(
  schema: S,
  { raw, text }: Pick<Taking, 'raw' | 'text'>,
  largestBytes: number,
): z.output<S> {
  if (Buffer.byteLength(text) > largestBytes)
    throw new BusinessError('body_too_large', `One message is larger than ${largestBytes} bytes.`)
  return parse(schema, raw, 'body')
}
