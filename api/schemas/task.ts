import { z } from '@hono/zod-openapi'
import type { TaskRow } from '#db/read/task.ts'
import { encodeId, type IdentifierKind } from '#domain/identifier.ts'

export const taskSchema = z
  .object({
    id: z.string(),
    kind: z.string(),
    subject_kind: z.string(),
    subject_id: z.string(),
    subject: z.string(),
    detail: z.string().openapi({ description: 'What happened and what to do.' }),
    created_at: z.string(),
    closed_at: z.string().nullable(),
    closed_reason: z.string().nullable(),
  })
  .openapi('Task')

const subjects: Readonly<Record<string, IdentifierKind>> = {
  change_request: 'changeRequest',
  customer: 'customer',
  document: 'document',
  installation: 'installation',
  instance: 'instance',
  missing_supplier_invoice: 'missingSupplierInvoice',
  invoice: 'invoice',
  order: 'order',
  peer: 'peer',
  server: 'server',
  subscription: 'subscription',
  supplier_invoice: 'supplierInvoice',
  webhook: 'webhook',
}

export function toTaskJson(row: TaskRow): z.input<typeof taskSchema> {
  const subject = subjects[row.subject_kind]
  return {
    id: encodeId('task', row.id),
    kind: row.kind,
    subject_kind: row.subject_kind,
    subject_id: subject === undefined ? row.subject_id : encodeId(subject, row.subject_id),
    subject: row.subject,
    detail: row.detail,
    created_at: row.created_at,
    closed_at: row.closed_at,
    closed_reason: row.closed_reason,
  }
}
