import { z } from '@hono/zod-openapi'
import { BusinessError } from '#domain/errors.ts'
import type { Understanding } from '#domain/peer-message.ts'
import { understandingSchema } from './schemas/peer.ts'
import { parse } from './validation.ts'

const mostMessages = 100

/** What every version says first: whose it is, and for whom. The rest is read once the message is known to be the peer's. */
export const envelopeHeadSchema = z.looseObject({
  version: z.number().int().min(1),
  peer: z.string().max(40),
  audience: z.string().max(40),
})

const sequenceField = z.number().int().min(0)

/** Version 2: messages of any kind, numbered without a gap by who sends them. */
export const envelopeSchema = envelopeHeadSchema
  .extend({
    understands: understandingSchema.optional(),
    after: sequenceField.openapi({
      description: 'The number of the last message that was taken over here, 0 before the first.',
    }),
    messages: z
      .array(
        z.object({
          sequence: sequenceField.min(1),
          kind: z.string().max(40),
          content: z.unknown(),
        }),
      )
      .min(1)
      .max(mostMessages),
  })
  .openapi('PeerMessages')

/** Version 1: documents of a supplier, which have no numbers but their own. */
const firstEnvelopeSchema = z.object({
  understands: understandingSchema.optional(),
  documents: z.array(z.unknown()).min(1).max(mostMessages),
})

export interface Envelope {
  /** Undefined from who does not say it: then it stays what is known. */
  readonly understands: Understanding | undefined
  /** Null where messages have no numbers: in version 1. */
  readonly after: number | null
  readonly messages: readonly EnvelopedMessage[]
}

export interface EnvelopedMessage {
  readonly sequence: number | null
  readonly kind: string
  readonly content: unknown
}

/** What a message of a version that is understood brings. @throws `field_invalid` */
export function readEnvelope(head: z.output<typeof envelopeHeadSchema>): Envelope {
  if (head.version === 1) {
    const { documents, understands } = parse(firstEnvelopeSchema, head, 'body')
    const messages = documents.map((content) => ({ sequence: null, kind: 'document', content }))
    return { understands, after: null, messages }
  }
  const { understands, after, messages } = parse(envelopeSchema, head, 'body')
  let before = after
  for (const { sequence } of messages) {
    if (sequence <= before)
      throw new BusinessError('field_invalid', `Message ${sequence} cannot follow message ${before}.`)
    before = sequence
  }
  return { understands, after, messages }
}
