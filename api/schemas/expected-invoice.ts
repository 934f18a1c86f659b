import { z } from '@hono/zod-openapi'
import type { ExpectedInvoices } from '#db/read/expected-invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import type { DocumentLineDraft } from '#domain/invoice/document.ts'
import type { SimulatedBill } from '#domain/invoice/simulation.ts'
import { moneySchema, periodSchema } from './common.ts'
import { explanationSchema, toExplanationJson } from './explanation.ts'

const expectedLineSchema = z
  .object({
    kind: z.string(),
    description: z.string(),
    subscription: z.string().nullable(),
    subscription_line: z.string().nullable(),
    billing_type: z.string(),
    quantity: z.string(),
    unit: z.string(),
    unit_price: z.string().nullable(),
    service_period: periodSchema.nullable(),
    discount: moneySchema,
    amount: moneySchema.openapi({ description: 'Net of discounts and tax.' }),
    tax_category: z.string(),
    tax_rate_percent: z.string(),
    tax: moneySchema,
    text: z.boolean(),
    explanation: explanationSchema,
  })
  .openapi('ExpectedInvoiceLine')

/** An invoice as it will be: what an invoice says, but for its number. */
export const expectedInvoiceSchema = z
  .object({
    on: z.string(),
    kind: z.enum(['invoice', 'credit_note']),
    reason: z.enum(['period', 'final']),
    document: z.string().nullable(),
    subscription: z.string().nullable().openapi({ description: 'Of the last bill of a subscription.' }),
    lines: z.array(expectedLineSchema),
    taxes: z.array(
      z.object({
        category: z.string(),
        name: z.string(),
        rate_percent: z.string(),
        base: moneySchema,
        tax: moneySchema,
        note: z.string().nullable(),
      }),
    ),
    net: moneySchema,
    tax: moneySchema,
    total: moneySchema,
  })
  .openapi('ExpectedInvoice')

const nextInvoiceSchema = expectedInvoiceSchema
  .extend({
    balance_used: moneySchema.openapi({ description: 'What the customer’s balance will pay of it.' }),
    due: moneySchema.openapi({ description: 'What is left to pay then.' }),
  })
  .openapi('NextInvoice')

export const expectedInvoicesSchema = z
  .object({
    on: z.string().nullable().openapi({ description: 'Null when no invoice is to come.' }),
    invoices: z
      .array(nextInvoiceSchema)
      .openapi({ description: 'Whole documents: what else lies on them is there, too. Mostly one.' }),
  })
  .openapi('ExpectedInvoices')

type SubscriptionIds = ReadonlyMap<string, string>

export function toExpectedInvoicesJson(
  expected: ExpectedInvoices | null,
): z.input<typeof expectedInvoicesSchema> {
  if (expected === null) return { on: null, invoices: [] }
  const { subscriptionIds } = expected.standing
  return {
    on: expected.on,
    invoices: expected.bills.map((bill) => ({
      ...toExpectedInvoiceJson(bill, subscriptionIds),
      balance_used: { amount_minor: bill.balanceUsedMinor, currency: bill.draft.currency },
      due: { amount_minor: bill.dueMinor, currency: bill.draft.currency },
    })),
  }
}

/** @param subscriptionIds of the lines that bill something */
export function toExpectedInvoiceJson(
  { on, reason, documentId, subscriptionId, draft }: SimulatedBill,
  subscriptionIds: SubscriptionIds,
): z.input<typeof expectedInvoiceSchema> {
  const { kind, currency } = draft
  const money = (amountMinor: number) => ({ amount_minor: amountMinor, currency })
  return {
    on,
    kind,
    reason,
    document: documentId === null ? null : encodeId('document', documentId),
    subscription: subscriptionId === null ? null : encodeId('subscription', subscriptionId),
    lines: draft.lines.map((line) => toLineJson(line, currency, subscriptionIds)),
    taxes: draft.taxes.map((tax) => ({
      category: tax.category,
      name: tax.name,
      rate_percent: tax.ratePercent,
      base: money(tax.baseMinor),
      tax: money(tax.taxMinor),
      note: tax.note,
    })),
    net: money(draft.netMinor),
    tax: money(draft.taxMinor),
    total: money(draft.totalMinor),
  }
}

function toLineJson(line: DocumentLineDraft, currency: string, subscriptionIds: SubscriptionIds) {
  const money = (amountMinor: number) => ({ amount_minor: amountMinor, currency })
  const { subscriptionLineId } = line
  const subscriptionId = subscriptionIds.get(subscriptionLineId ?? '')
  return {
    kind: line.kind,
    description: line.description,
    subscription: subscriptionId === undefined ? null : encodeId('subscription', subscriptionId),
    subscription_line: subscriptionLineId === null ? null : encodeId('subscriptionLine', subscriptionLineId),
    billing_type: line.billingType,
    quantity: line.quantity,
    unit: line.unit,
    unit_price: line.unitPrice,
    service_period: line.servicePeriod,
    discount: money(line.discountMinor),
    amount: money(line.amountMinor),
    tax_category: line.taxCategory,
    tax_rate_percent: line.taxRatePercent,
    tax: money(line.taxMinor),
    text: line.isText ?? false,
    explanation: toExplanationJson(line.explanation),
  }
}
