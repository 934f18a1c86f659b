import { z } from '@hono/zod-openapi'
import type { DryBeside, DryDocument, DryInvoice } from '#db/billing-dry-run.ts'
import type { BillingRunExceptionRow, BillingRunRow, DocumentCustomerRow } from '#db/read/billing-run.ts'
import { encodeId } from '#domain/identifier.ts'
import { moneySchema, referenceSchema } from './common.ts'

const totalsSchema = z
  .array(moneySchema)
  .openapi({ description: 'One a currency; credit notes count below 0.' })

export const billingRunSchema = z
  .object({
    id: z.string(),
    billed_at: z.string().openapi({ description: 'What was due at this instant is billed.' }),
    considered: z
      .number()
      .int()
      .openapi({ description: 'Documents that were due; 0 until the run is finished.' }),
    billed: z.number().int().openapi({ description: 'Grows while it runs.' }),
    waiting: z.number().int().openapi({ description: 'Skipped: they wait for readings.' }),
    parked: z.number().int().openapi({ description: 'Failed: each has a task.' }),
    totals: totalsSchema,
    started_at: z.string(),
    finished_at: z.string().nullable(),
    workflow_id: z.string(),
  })
  .openapi('BillingRun')

const exceptionSchema = z
  .object({
    document: z.string(),
    customer: referenceSchema,
    outcome: z.enum(['waiting', 'parked']),
    reason: z.string(),
    is_settled: z.boolean().openapi({ description: 'It was billed since.' }),
    retry: z.string().openapi({ description: 'What bills it.' }),
  })
  .openapi('BillingRunException')

export const billingRunDetailSchema = billingRunSchema
  .extend({
    exceptions: z.array(exceptionSchema).openapi({ description: 'Who was not billed, the first 1,000.' }),
    next_run_at: z.string().nullable().openapi({ description: 'When the schedule starts the next one.' }),
  })
  .openapi('BillingRunDetail')

export const newBillingRunSchema = z
  .strictObject({
    failed_only: z.boolean().optional().openapi({ description: 'Only documents that are parked.' }),
  })
  .openapi('NewBillingRun')

export const dryRunRequestSchema = z
  .strictObject({
    failed_only: z.boolean().optional(),
    at: z.iso.datetime({ offset: true }).optional().openapi({ description: 'Left out: now.' }),
    after: z
      .string()
      .max(40)
      .optional()
      .openapi({ description: 'The document after which the answer begins.' }),
    limit: z
      .int()
      .min(1)
      .max(1_000)
      .optional()
      .openapi({ description: 'Documents at most, 1,000 unless told.' }),
  })
  .openapi('BillingRunPreviewRequest')

export const dryRunSchema = z
  .object({
    at: z.string(),
    considered: z.number().int(),
    billed: z.number().int(),
    waiting: z.number().int(),
    parked: z.number().int(),
    held: z.number().int().openapi({ description: 'In the hands of somebody else at this moment.' }),
    totals: totalsSchema,
    documents: z.array(
      z.object({
        document: z.string(),
        customer: referenceSchema,
        outcome: z.enum(['billed', 'waiting', 'parked', 'held']),
        reason: z.string().nullable(),
        invoices: z.array(z.object({ kind: z.enum(['invoice', 'credit_note']), total: moneySchema })),
      }),
    ),
    beside: z
      .array(
        z.object({
          kind: z.enum(['late_usage', 'one_off']),
          customer: referenceSchema,
          subscription: z.string().nullable(),
          outcome: z.enum(['billed', 'parked']),
          reason: z.string().nullable(),
          invoices: z.array(z.object({ kind: z.enum(['invoice', 'credit_note']), total: moneySchema })),
        }),
      )
      .openapi({
        description:
          'Billed on documents of their own, after all others and so with the last page: usage that came after the last bill of its subscription, and one-offs in a currency in which nothing recurs.',
      }),
    next_after: z.string().nullable().openapi({ description: 'Send it as after; null when that was all.' }),
  })
  .openapi('BillingRunPreview')

export function toBillingRunJson(row: BillingRunRow): z.input<typeof billingRunSchema> {
  return {
    id: encodeId('billingRun', row.id),
    billed_at: row.billed_at,
    considered: row.considered,
    billed: row.billed,
    waiting: row.waiting,
    parked: row.parked,
    totals: Object.entries(row.totals).map(([currency, amount_minor]) => ({ amount_minor, currency })),
    started_at: row.started_at,
    finished_at: row.finished_at,
    workflow_id: row.workflow_id,
  }
}

/** A waiting document is billed by a later run by itself; a parked one once its cause is gone. */
export function toExceptionJson(
  row: BillingRunExceptionRow,
  billedAt: string,
): z.input<typeof exceptionSchema> {
  const isSettled = row.parked_reason === null && row.due_on > billedAt.slice(0, 10)
  return {
    document: encodeId('document', row.document_id),
    customer: { id: encodeId('customer', row.customer_id), code: row.customer_code, name: row.customer_name },
    outcome: row.outcome,
    reason: row.reason,
    is_settled: isSettled,
    retry: isSettled ? 'Nothing: it was billed since.' : retries[row.outcome],
  }
}

const retries = {
  waiting: 'Nothing: a later run bills it, at the latest six hours after its period.',
  parked: 'Remove the cause, then POST /v1/billing-runs with failed_only.',
} as const

export function toDryRunJson(
  at: string,
  { documents, beside }: { documents: readonly DryDocument[]; beside: readonly DryBeside[] },
  customers: ReadonlyMap<string, DocumentCustomerRow>,
  limit: number,
): z.input<typeof dryRunSchema> {
  const count = (outcome: DryDocument['outcome']) =>
    documents.filter((document) => document.outcome === outcome).length
  const last = documents.at(-1)
  return {
    at,
    considered: documents.length,
    billed: count('billed'),
    waiting: count('waiting'),
    parked: count('parked'),
    held: count('held'),
    totals: totalsOf([...documents, ...beside]),
    documents: documents.map((document) => toDryDocumentJson(document, customers)),
    beside: beside.map((found) => ({
      kind: found.kind,
      customer: { ...found.customer, id: encodeId('customer', found.customer.id) },
      subscription: found.subscriptionId && encodeId('subscription', found.subscriptionId),
      outcome: found.outcome,
      reason: found.reason,
      invoices: found.invoices.map(toDryInvoiceJson),
    })),
    next_after: last && documents.length === limit ? encodeId('document', last.documentId) : null,
  }
}

function totalsOf(documents: readonly Pick<DryDocument, 'invoices'>[]) {
  const totals = new Map<string, number>()
  for (const { kind, currency, totalMinor } of documents.flatMap(({ invoices }) => invoices)) {
    totals.set(currency, (totals.get(currency) ?? 0) + (kind === 'invoice' ? totalMinor : -totalMinor))
  }
  return [...totals].map(([currency, amount_minor]) => ({ amount_minor, currency }))
}

function toDryDocumentJson(document: DryDocument, customers: ReadonlyMap<string, DocumentCustomerRow>) {
  const customer = customers.get(document.documentId)
  return {
    document: encodeId('document', document.documentId),
    customer: {
      id: customer === undefined ? '' : encodeId('customer', customer.id),
      code: customer?.code ?? '',
      name: customer?.name ?? '',
    },
    outcome: document.outcome,
    reason: document.reason,
    invoices: document.invoices.map(toDryInvoiceJson),
  }
}

function toDryInvoiceJson({ kind, currency, totalMinor }: DryInvoice) {
  return { kind, total: { amount_minor: totalMinor, currency } }
}
