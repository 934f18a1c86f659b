import { z } from '@hono/zod-openapi'
import { toPayable, type SupplierAllocationRow } from '#db/read/payable.ts'
import type { SupplierInvoiceRow } from '#db/read/supplier-invoice.ts'
import { invoiceFileKinds, largestSentFileBytes, mediaTypes } from '#domain/invoice-file.ts'
import { encodeId } from '#domain/identifier.ts'
import { payableDues, payableState, payableStates } from '#domain/payable.ts'
import { mostDocumentLines } from '#domain/peer-message.ts'
import { disputeSchema } from './dispute.ts'
import { dateField, instantField, moneySchema, referenceSchema } from './common.ts'

const minor = z.number().int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)
const currencyField = z.string().regex(/^[A-Z]{3}$/)
const decimalField = z.string().regex(/^-?\d{1,30}(\.\d{1,30})?$/)
const text = (greatestLength: number) => z.string().max(greatestLength)
const partySchema = z.looseObject({ name: text(300) })

/** One document of a message, version 1. What it holds besides is kept, and looked at by nobody. */
export const supplierDocumentSchema = z
  .object({
    document: text(40),
    kind: z.enum(['invoice', 'credit_note']),
    number: text(100).min(1),
    corrects: text(40).nullable(),
    currency: currencyField,
    issued_on: dateField,
    due_on: dateField,
    instalments: z
      .array(z.object({ due_on: dateField, amount_minor: minor }))
      .readonly()
      .nullable(),
    net_minor: minor,
    tax_minor: minor,
    total_minor: minor,
    are_prices_inclusive: z.boolean(),
    tax_rounding: text(20),
    purchase_order_reference: text(200).nullable(),
    seller: partySchema,
    buyer: partySchema,
    lines: z
      .array(
        z.object({
          description: text(2_000),
          quantity: decimalField,
          unit: text(100),
          unit_price: decimalField.nullable(),
          service_period: z.object({ starts_on: dateField, ends_on: dateField }).nullable(),
          amount_minor: minor,
          tax_category: text(40),
          tax_rate_percent: decimalField,
          tax_minor: minor,
          product_code: text(100).nullish(),
          subscription: text(100).nullish(),
        }),
      )
      .max(mostDocumentLines)
      .readonly(),
    taxes: z
      .array(
        z.object({
          category: text(40),
          name: text(200),
          rate_percent: decimalField,
          base_minor: minor,
          tax_minor: minor,
          note: text(1_000).nullable(),
        }),
      )
      .max(100)
      .readonly(),
  })
  .refine(({ issued_on: issued, due_on: due }) => due >= issued, {
    path: ['due_on'],
    message: 'It is due on the day of its issue or later',
  })

const standingField = z.enum(['open', 'partly_paid', 'paid', 'credited', 'uncollectible', 'void'])

/** How a document stands over there, version 1 of its kind. */
export const supplierStandingSchema = z.object({
  document: text(40),
  state: standingField,
  paid_minor: minor,
  credited_minor: minor,
  open_minor: minor.min(0),
  since: instantField,
})

/** A file of a document, version 1 of its kind. */
export const supplierFileSchema = z
  .object({
    document: text(40),
    media_type: z.enum([mediaTypes.pdf, mediaTypes.ubl]),
    name: z.string().regex(/^[\w.-]{1,120}$/),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
    bytes: minor.min(0).max(largestSentFileBytes),
    data: z.base64().nullable(),
    missing: text(300).min(1).nullable(),
  })
  .refine(
    ({ data, missing, sha256 }) =>
      (data === null) === (missing !== null) && (data === null) === (sha256 === null),
    {
      path: ['data'],
      message: 'It is there with its hash, or it is said why not',
    },
  )

export const supplierInvoiceSchema = z
  .object({
    id: z.string(),
    peer: z.string().nullable().openapi({ description: 'The installation that sent it, where one did.' }),
    supplier_id: z.string(),
    supplier: z.string().openapi({ description: 'Its name.' }),
    origin: z.enum(['peer', 'hand', 'csv', 'ubl']),
    kind: z.enum(['invoice', 'credit_note']),
    number: z.string().openapi({ description: 'As the supplier numbered it.' }),
    document: z.string().openapi({ description: 'The supplier’s own id of it.' }),
    corrects: z
      .string()
      .nullable()
      .openapi({ description: 'The supplier invoice that a credit note corrects.' }),
    state: z.enum(payableStates).openapi({
      description:
        'waiting: a credit note that came before what it corrects. disputed: our sums come to something else, or a dispute of it is open. credited: paid by credit notes alone. used: a credit note of which nothing is left. void: it was misread here, and counts for nothing.',
    }),
    disagreement: z.string().nullable(),
    supplier_says: z
      .object({
        state: standingField,
        paid: moneySchema,
        credited: moneySchema,
        open: moneySchema,
        since: instantField,
      })
      .nullable()
      .openapi({ description: 'How it stands over there; null where the supplier has said nothing of it.' }),
    files: z
      .array(
        z.object({
          kind: z.enum(invoiceFileKinds),
          media_type: z.string(),
          name: z.string(),
          href: z.string().nullable(),
          bytes: z.number().int(),
          sha256: z.string().nullable(),
          missing: z.string().nullable().openapi({ description: 'Why there is none, as the supplier says.' }),
        }),
      )
      .openapi({ description: 'What has come of them: they come after their document.' }),
    issued_on: z.string(),
    due_on: z.string(),
    net: moneySchema,
    tax: moneySchema,
    total: moneySchema,
    paid: moneySchema,
    credited: moneySchema.openapi({ description: 'By credit notes that were set off against it.' }),
    open: moneySchema.openapi({
      description: 'What is left to pay; below 0 what is left of a credit note to set off.',
    }),
    dues: z
      .array(z.object({ due_on: z.string(), amount: moneySchema, open: moneySchema }))
      .openapi({ description: 'When how much is due. What is due first is paid first.' }),
    received_at: z.string(),
    voided: z
      .object({ at: instantField, by: z.string(), reason: z.string() })
      .nullable()
      .openapi({ description: 'Where it was recorded here, and misread.' }),
  })
  .openapi('SupplierInvoice')

/** What was set against a document, or of a credit note, what it was set off against. */
const setAgainstSchema = z
  .object({
    kind: z.enum(['payment', 'credit_note']),
    supplier_invoice: z.string(),
    number: z.string(),
    payment: z.string().nullable(),
    credit_note: z.string().nullable(),
    amount: moneySchema,
    on: z.string(),
    reference: z.string().nullable(),
    is_reversed: z.boolean().openapi({ description: 'Taken back, or one of the two is void.' }),
  })
  .openapi('SetAgainst')

export const supplierInvoiceDetailSchema = supplierInvoiceSchema
  .extend({
    content: supplierDocumentSchema,
    set_against: z.array(setAgainstSchema),
    disputes: z.array(disputeSchema).openapi({ description: 'Newest first.' }),
    unmapped_lines: z
      .number()
      .int()
      .openapi({ description: 'Lines of which nobody has said what they are for.' }),
    mapped: z
      .array(
        z.object({
          position: z.number().int(),
          expense_category: referenceSchema.nullable(),
          tax_code: z.string().nullable(),
        }),
      )
      .openapi({ description: 'What each line is on our side; null where nothing is agreed of it.' }),
  })
  .openapi('SupplierInvoiceDetail')

export function toSupplierInvoiceJson(row: SupplierInvoiceRow): z.input<typeof supplierInvoiceSchema> {
  const money = (amountMinor: number) => ({ amount_minor: amountMinor, currency: row.currency })
  return {
    id: encodeId('supplierInvoice', row.id),
    peer: row.peer_id === null ? null : encodeId('peer', row.peer_id),
    supplier_id: encodeId('supplier', row.supplier_id),
    supplier: row.supplier_name,
    origin: row.origin,
    kind: row.kind,
    number: row.number,
    document: encodeId('invoice', row.document_id),
    corrects: row.corrects_id === null ? null : encodeId('supplierInvoice', row.corrects_id),
    state: supplierInvoiceState(row),
    disagreement: row.disagreement,
    supplier_says: supplierSays(row),
    files: filesOf(row),
    issued_on: row.issued_on,
    due_on: row.due_on,
    net: money(row.net_minor),
    tax: money(row.tax_minor),
    total: money(row.total_minor),
    paid: money(row.paid_minor),
    credited: money(row.credited_minor),
    open: money(row.open_minor),
    dues: payableDues(toPayable(row)).map(({ dueOn, amountMinor, openMinor }) => ({
      due_on: dueOn,
      amount: money(amountMinor),
      open: money(openMinor),
    })),
    received_at: row.received_at,
    voided: voidOf(row),
  }
}

function voidOf({ voided_at: at, voided_by: by, void_reason: reason }: SupplierInvoiceRow) {
  return at === null || by === null || reason === null ? null : { at, by, reason }
}

export function filesOf(row: SupplierInvoiceRow): z.input<typeof supplierInvoiceSchema>['files'] {
  return invoiceFileKinds.flatMap((kind) => {
    const file = row.files.find(({ media_type: type }) => type === mediaTypes[kind])
    if (file === undefined) return []
    const href = `/v1/supplier-invoices/${encodeId('supplierInvoice', row.id)}/files/${kind}`
    return [{ kind, ...file, href: file.sha256 === null ? null : href }]
  })
}

function supplierSays(row: SupplierInvoiceRow): z.input<typeof supplierInvoiceSchema>['supplier_says'] {
  const { said_state: state, said_since: since, currency } = row
  if (state === null || since === null) return null
  const money = (amountMinor: number | null) => ({ amount_minor: amountMinor ?? 0, currency })
  return {
    state,
    paid: money(row.said_paid_minor),
    credited: money(row.said_credited_minor),
    open: money(row.said_open_minor),
    since,
  }
}

export function supplierInvoiceState(row: SupplierInvoiceRow) {
  return payableState(toPayable(row), row.today)
}

export function toSetAgainstJson(row: SupplierAllocationRow): z.input<typeof setAgainstSchema> {
  return {
    kind: row.payment_id === null ? 'credit_note' : 'payment',
    supplier_invoice: encodeId('supplierInvoice', row.supplier_invoice_id),
    number: row.invoice_number,
    payment: row.payment_id === null ? null : encodeId('supplierPayment', row.payment_id),
    credit_note: row.credit_note_id === null ? null : encodeId('supplierInvoice', row.credit_note_id),
    amount: { amount_minor: row.amount_minor, currency: row.currency },
    on: row.paid_on ?? row.allocated_at.slice(0, 10),
    reference: row.reference ?? row.credit_note_number,
    is_reversed: row.reversed_at !== null || row.voided_at !== null,
  }
}
