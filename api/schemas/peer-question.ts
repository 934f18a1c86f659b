import { z } from '@hono/zod-openapi'
import type { ProofRow, SuppliedUsageRow } from '#db/read/peer-question.ts'
import { assert } from '#domain/assert.ts'
import { encodeId } from '#domain/identifier.ts'
import type { SignedExchange } from '#domain/peer-question.ts'
import type { KnownDocument } from '#domain/proof.ts'
import { dateField } from './common.ts'
import { usageWindowSchema, windowEventsSchema, windowReadingsSchema } from './usage-window.ts'

const monthSchema = z
  .object({
    month: z
      .string()
      .regex(/^\d{4}-\d{2}$/)
      .openapi({ example: '2026-03' }),
    documents: z.number().int().min(0),
    root: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .openapi({
        description: 'SHA-256 over the ids and hashes of the documents of the month, sorted by id.',
      }),
  })
  .openapi('MonthDigest')

/** A question of another installation. */
export const peerQuestionSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('digest'),
    from: dateField,
    to: dateField,
    months: z.array(monthSchema).max(5_000).readonly(),
  }),
  z.object({
    kind: z.literal('listing'),
    from: dateField,
    to: dateField,
    after: z.string().max(40).nullable(),
  }),
  z.object({
    kind: z.literal('received'),
    last_sequence: z.number().int().min(0).nullable(),
    // Who does not know of it does not say it.
    taken_sequence: z.number().int().min(0).nullable().default(null),
    before: z.string().max(40).nullable(),
  }),
  z.object({ kind: z.literal('document'), document: z.string().max(40) }),
  z.object({
    kind: z.literal('usage'),
    document: z.string().max(40),
    line: z.number().int().min(1).max(20_000),
    on: dateField.nullable(),
    skip: z.number().int().min(0).max(100_000),
  }),
])

/** A document of a listing, under the names of the message. */
export function toKnownJson({ issuedOn, isWaiting, ...told }: KnownDocument) {
  return { ...told, issued_on: issuedOn, is_waiting: isWaiting }
}

export const newProofSchema = z
  .strictObject({
    from: dateField.optional().openapi({
      description: 'The first day of issue that is compared; left out, a year before the end.',
    }),
    to: dateField.optional().openapi({ description: 'The day after the last; left out, tomorrow.' }),
  })
  .openapi('NewPeerProof')

export const proofSchema = z
  .object({
    id: z.string(),
    peer: z.string(),
    from: z.string(),
    to: z.string(),
    asked_here: z.boolean().openapi({ description: 'False: the other side has asked, and was answered.' }),
    asked_by: z.string(),
    asked_at: z.string(),
    equal: z.boolean().nullable().openapi({ description: 'Null where nobody has answered.' }),
    refusal: z.object({ code: z.string(), detail: z.string() }).nullable(),
    ours: z.array(monthSchema),
    theirs: z.array(monthSchema),
    differences: z
      .array(
        z.object({
          document: z.string(),
          number: z.string(),
          issued_on: z.string(),
          difference: z.enum(['missing_there', 'missing_here', 'other_content']),
          waiting: z.boolean().openapi({ description: 'It is on its way.' }),
        }),
      )
      .nullable()
      .openapi({ description: 'Null where the other side has asked: it alone has compared the lists.' }),
  })
  .openapi('PeerProof')

const exchangeSchema = z
  .object({
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
    answer: z
      .object({ status: z.number().int(), headers: z.record(z.string(), z.string()), body: z.string() })
      .optional(),
  })
  .openapi('SignedExchange')

export const proofDetailSchema = proofSchema
  .extend({
    evidence: exchangeSchema.nullable().openapi({
      description:
        'The messages as they were signed (RFC 9421), to be shown to whoever has the other side’s key.',
    }),
  })
  .openapi('PeerProofDetail')

export function toProofJson(row: ProofRow): z.input<typeof proofSchema> {
  const { answer, refusal_code: code, refusal_detail: detail } = row
  return {
    id: encodeId('proof', row.id),
    peer: encodeId('peer', row.peer_id),
    from: row.question.from,
    to: row.question.to,
    asked_here: row.is_asked_here,
    asked_by: row.asked_by,
    asked_at: row.asked_at,
    equal: answer?.isEqual ?? null,
    refusal: code === null ? null : { code, detail: detail ?? '' },
    ours: [...(answer?.ours ?? [])],
    theirs: [...(answer?.theirs ?? [])],
    differences:
      answer?.differences?.map(({ issuedOn, isWaiting, ...told }) => ({
        ...told,
        issued_on: issuedOn,
        waiting: isWaiting,
      })) ?? null,
  }
}

export function toProofDetailJson(row: ProofRow): z.input<typeof proofDetailSchema> {
  const { evidence } = row
  return {
    ...toProofJson(row),
    evidence: evidence && toExchangeJson(evidence),
  }
}

export const suppliedUsageQuery = z.strictObject({
  line: z.coerce
    .number()
    .int()
    .min(1)
    .max(20_000)
    .openapi({ description: 'Its place among the lines, from 1.' }),
  on: dateField.optional().openapi({ description: 'A day of the window, for its readings and events.' }),
})

/** As the supplier says it: what it says of the usage behind a line is passed on as it came. */
export const suppliedUsageSchema = z
  .object({
    supplier_invoice: z.string(),
    line: z.number().int(),
    on: z.string().nullable(),
    asked_at: z.string(),
    window: usageWindowSchema
      .nullable()
      .openapi({ description: 'With its days; null where a day was asked for.' }),
    readings: windowReadingsSchema.shape.data,
    events: windowEventsSchema.shape.data,
    evidence: exchangeSchema.openapi({ description: 'The supplier’s signed word, of a day its first page.' }),
  })
  .openapi('SuppliedUsage')

export function toSuppliedUsageJson(row: SuppliedUsageRow): z.input<typeof suppliedUsageSchema> {
  const { answer, evidence } = row
  assert(answer && evidence && row.supplier_invoice_id, 'what was answered is shown')
  return {
    supplier_invoice: encodeId('supplierInvoice', row.supplier_invoice_id),
    line: row.question.line,
    on: row.question.on,
    asked_at: row.asked_at,
    window: answer.window && { ...answer.window, days: [...answer.window.days] },
    readings: [...answer.readings],
    events: [...answer.events],
    evidence: toExchangeJson(evidence),
  }
}

function toExchangeJson({ url, headers, body, answer }: SignedExchange): z.input<typeof exchangeSchema> {
  return {
    url,
    headers: { ...headers },
    body,
    ...(answer === undefined ? {} : { answer: { ...answer, headers: { ...answer.headers } } }),
  }
}
