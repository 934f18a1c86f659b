import { z } from '@hono/zod-openapi'
import type { ListedDispute } from '#db/read/dispute.ts'
import { disputeOutcomes, disputeStates } from '#domain/dispute.ts'
import { encodeId } from '#domain/identifier.ts'
import { instantField, textField } from './common.ts'

const positionsField = z.array(z.number().int().min(1).max(100_000)).max(1_000)
const writtenField = textField(2_000).trim().min(1, 'Say why, in a few words')

export const disputeSchema = z
  .object({
    id: z.string().openapi({ description: 'The same on both sides.' }),
    state: z.enum(disputeStates).openapi({
      description:
        'accepted: a credit note follows. withdrawn: also where an answer crossed the withdrawal on its way.',
    }),
    peer: z.string(),
    peer_name: z.string().nullable(),
    raised: z.enum(['here', 'there']).openapi({
      description:
        'here: we say that a supplier’s document is wrong. there: a customer says so of ours, and we answer.',
    }),
    supplier_invoice: z.string().nullable(),
    invoice: z.string().nullable().openapi({
      description: 'Of ours; null where the customer was sent no such document.',
    }),
    document: z.string().openapi({ description: 'The supplier’s own id of it.' }),
    number: z.string(),
    reason: z.string(),
    lines: z.array(z.number().int()).openapi({
      description: 'Positions of the lines that are meant, from 1; none: the whole.',
    }),
    raised_at: z.string(),
    raised_by: z.string().nullable().openapi({
      description: 'clouder: our sums came to something else. Null where it was raised there.',
    }),
    withdrawn_at: z.string().nullable(),
    withdrawn_by: z.string().nullable(),
    outcome: z.enum(disputeOutcomes).nullable(),
    answer: z.string().nullable(),
    answered_at: z.string().nullable(),
    answered_by: z.string().nullable(),
  })
  .openapi('Dispute')

export const newDisputeSchema = z
  .strictObject({
    reason: writtenField.openapi({ description: 'The supplier reads it.' }),
    lines: positionsField.optional().openapi({
      description: 'Positions of the lines that are meant, from 1; left out: the whole.',
    }),
  })
  .openapi('NewDispute')

export const disputeAnswerSchema = z
  .strictObject({
    outcome: z.enum(disputeOutcomes).openapi({
      description: 'accepted: a credit note follows, which is made as any other. rejected: text says why.',
    }),
    text: writtenField.optional().openapi({ description: 'The customer reads it.' }),
  })
  .refine(({ outcome, text }) => outcome === 'accepted' || text !== undefined, {
    path: ['text'],
    error: 'Say why it is rejected',
  })
  .openapi('DisputeAnswer')

const said = {
  dispute: z.string().max(40),
  document: z.string().max(40),
  number: z.string().min(1).max(100),
  reason: z.string().min(1).max(2_000),
  lines: positionsField,
  raised_at: instantField,
  withdrawn_at: instantField.nullable(),
}

/** All of a dispute as its customer tells it, version 1 of its kind. */
export const saidDisputeSchema = z
  .object(said)
  .transform((dispute) => ({ ...dispute, outcome: null, answer: null, answered_at: null }))

/** All of a dispute as its supplier answers it, version 1 of its kind. */
export const saidAnswerSchema = z
  .object({
    ...said,
    outcome: z.enum(disputeOutcomes),
    answer: z.string().min(1).max(2_000).nullable(),
    answered_at: instantField,
  })
  .refine(({ outcome, answer }) => outcome === 'accepted' || answer !== null, {
    path: ['answer'],
    error: 'Say why it is rejected',
  })

export function toDisputeJson(row: ListedDispute): z.input<typeof disputeSchema> {
  return {
    id: encodeId('dispute', row.id),
    state: row.state,
    peer: encodeId('peer', row.peer_id),
    peer_name: row.peer_name,
    raised: row.supplier_invoice_id === null ? 'there' : 'here',
    supplier_invoice:
      row.supplier_invoice_id === null ? null : encodeId('supplierInvoice', row.supplier_invoice_id),
    invoice: row.invoice_id === null ? null : encodeId('invoice', row.invoice_id),
    document: encodeId('invoice', row.document_id),
    number: row.number,
    reason: row.reason,
    lines: row.lines,
    raised_at: row.raised_at,
    raised_by: row.raised_by,
    withdrawn_at: row.withdrawn_at,
    withdrawn_by: row.withdrawn_by,
    outcome: row.outcome,
    answer: row.answer,
    answered_at: row.answered_at,
    answered_by: row.answered_by,
  }
}
