import { z } from '@hono/zod-openapi'
import type { LostDocumentRow } from '#db/read/lost-document.ts'
import { encodeId } from '#domain/identifier.ts'
import { moneySchema, textField } from './common.ts'

export const lostDocumentSchema = z
  .object({
    id: z.string(),
    peer: z.string(),
    document: z.string().openapi({ description: 'Our own id of it, which nothing here has.' }),
    kind: z.enum(['invoice', 'credit_note']),
    number: z.string(),
    issued_on: z.string(),
    total: moneySchema,
    series: z.string().nullable().openapi({
      description: 'It gives no number until this is settled; null where none gives such numbers.',
    }),
    found_at: z.string(),
    settlement: z.enum(['kept', 'dismissed']).nullable(),
    settled_at: z.string().nullable(),
    settled_by: z.string().nullable(),
    reason: z.string().nullable(),
    content: z.record(z.string(), z.unknown()).openapi({ description: 'As the peer has it.' }),
  })
  .openapi('LostDocument')

export const lostSettlementSchema = z
  .strictObject({
    decision: z.enum(['keep', 'dismiss']).openapi({
      description:
        'keep: they are what the peer says, and their numbers are never given again. dismiss: they are none of ours.',
    }),
    reason: textField(500).min(1),
  })
  .openapi('LostSettlement')

export function toLostDocumentJson(row: LostDocumentRow): z.input<typeof lostDocumentSchema> {
  return {
    id: encodeId('lostDocument', row.id),
    peer: encodeId('peer', row.peer_id),
    document: encodeId('invoice', row.document_id),
    kind: row.kind,
    number: row.number,
    issued_on: row.issued_on,
    total: { amount_minor: row.total_minor, currency: row.currency },
    series: row.series,
    found_at: row.found_at,
    settlement: row.settlement,
    settled_at: row.settled_at,
    settled_by: row.settled_by,
    reason: row.reason,
    content: { ...row.content },
  }
}
