import type { z } from '@hono/zod-openapi'
import { insertCreditNote } from '#db/credit-note.ts'
import type { Db, Tx } from '#db/database.ts'
import { finalizeInvoice } from '#db/finalization.ts'
import { markCollectible, markUncollectible, voidInvoice, type WantedMark } from '#db/invoice-mark.ts'
import { insertPayment } from '#db/payment.ts'
import { getInvoice, listInvoiceLines } from '#db/read/invoice.ts'
import { getInstallation } from '#db/read/installation.ts'
import { reissueInvoice } from '#db/reissue.ts'
import { startOfDay } from '#domain/calendar.ts'
import { atField, fieldError, type ErrorCode } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { CreditRequest, LineCredit } from '#domain/invoice/credit-note.ts'
import { checkQuantity } from '#domain/order.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import { invoiceDetailSchema } from '../schemas/invoice.ts'
import { creditNoteSchema, paymentSchema, reasonSchema } from '../schemas/invoice-action.ts'
import { nothingSchema } from '../schemas/subscription.ts'
import { parse } from '../validation.ts'
import { readInvoiceDetail } from './invoices.ts'

interface Action<Body extends z.ZodType> {
  readonly name: string
  readonly summary: string
  readonly description?: string
  readonly body: Body
  readonly refusals: readonly ErrorCode[]
  readonly isOfDraft?: boolean
  /** 201 where a document is made, which is then the answer. */
  readonly status?: 200 | 201
  /** The id of the document to answer with. */
  readonly carryOut: (tx: Tx, ask: Ask<z.output<Body>>) => Promise<string>
}

type Ask<Body> = AskedInvoice & { readonly body: Body }

/** What can be done with an invoice. Each is one transaction with its answer, asked for by a route or by a form. */
export const invoiceActions: readonly InvoiceAction[] = [
  defineAction({
    name: 'finalize',
    summary: 'Finalize a draft now',
    description: 'It is computed once more. Finalized already, it stays as it is.',
    body: nothingSchema,
    isOfDraft: true,
    refusals: [
      'action_not_allowed',
      'invoice_empty',
      'invoice_field_missing',
      'tax_answer_missing',
      'tax_rate_missing',
    ],
    carryOut: async (tx, { invoiceId, now }) => {
      await finalizeInvoice(tx, { invoiceId, now })
      return invoiceId
    },
  }),
  defineAction({
    name: 'credit-notes',
    summary: 'Credit an invoice, in full or in part',
    description: 'Without a body field: all that is left. Tax is mirrored to the cent.',
    body: creditNoteSchema,
    status: 201,
    refusals: ['credit_exceeds_invoice', 'id_kind_mismatch', 'quantity_invalid'],
    carryOut: async (tx, { invoiceId, body, commandId, actor, now }) => {
      const request = await toCreditRequest(tx, invoiceId, body)
      const billingKey = `credit/${encodeId('invoice', invoiceId)}/${commandId}`
      return (
        await insertCreditNote(tx, {
          invoiceId,
          request,
          billingKey,
          reason: body.reason ?? null,
          actor,
          now,
        })
      ).id
    },
  }),
  defineAction({
    name: 'void',
    summary: 'Annul an invoice by one full credit note; it keeps its number',
    body: reasonSchema,
    refusals: ['action_not_allowed'],
    carryOut: async (tx, ask) => {
      await voidInvoice(tx, toMark(ask))
      return ask.invoiceId
    },
  }),
  defineAction({
    name: 'reissue',
    summary: 'Bill anew what a voided invoice billed',
    description:
      'The same days and the same measured usage, by what is agreed and what holds for both parties today.',
    body: nothingSchema,
    status: 201,
    refusals: ['action_not_allowed', 'invoice_empty', 'invoice_field_missing', 'not_credited'],
    carryOut: async (tx, { invoiceId, now }) => (await reissueInvoice(tx, { invoiceId, now })).id,
  }),
  defineAction({
    name: 'payments',
    summary: 'Record money that came in',
    body: paymentSchema,
    refusals: ['currency_mismatch', 'payment_exceeds_invoice'],
    carryOut: recordPayment,
  }),
  defineAction({
    name: 'mark-uncollectible',
    summary: 'Write off what is left to pay',
    body: reasonSchema,
    refusals: ['nothing_to_pay'],
    carryOut: async (tx, ask) => {
      await markUncollectible(tx, toMark(ask))
      return ask.invoiceId
    },
  }),
  defineAction({
    name: 'mark-collectible',
    summary: 'Take a write-off back',
    body: reasonSchema,
    refusals: [],
    carryOut: async (tx, ask) => {
      await markCollectible(tx, toMark(ask))
      return ask.invoiceId
    },
  }),
]

export function registerInvoiceActions(frame: Frame): void {
  for (const action of invoiceActions) action.register(frame)
}

/** An action whatever its body is. */
interface InvoiceAction {
  readonly name: string
  readonly register: (frame: Frame) => void
  /** @returns the id of the document to answer with */
  readonly carryOut: (tx: Tx, asked: AskedInvoice & { readonly body: unknown }) => Promise<string>
}

interface AskedInvoice {
  readonly invoiceId: string
  readonly actor: string
  readonly commandId: string
  readonly now: string
}

function defineAction<Body extends z.ZodType>(action: Action<Body>): InvoiceAction {
  return {
    name: action.name,
    register: (frame) => registerAction(frame, action),
    carryOut: async (tx, asked) =>
      await action.carryOut(tx, await toAsk(tx, { ...asked, body: parse(action.body, asked.body, 'body') })),
  }
}

function registerAction<Body extends z.ZodType>(frame: Frame, action: Action<Body>): void {
  frame.route(
    {
      method: 'post',
      path: `/v1/invoices/{id}/${action.name}`,
      permission: 'invoices:write',
      tag: 'Billing',
      summary: action.summary,
      ...(action.description === undefined ? {} : { description: action.description }),
      params: idParams,
      body: action.body,
      result: invoiceDetailSchema,
      ...(action.status === 201
        ? { status: 201, location: (made: { id: string }) => `/v1/invoices/${made.id}` }
        : {}),
      refusals: action.isOfDraft ? action.refusals : ['not_an_invoice', 'not_finalized', ...action.refusals],
    },
    async ({ transaction, params, principal, body, commandId, now }) => {
      const tx = transaction()
      const invoiceId = await resolveAddress(tx, 'invoice', params.id)
      const ask = await toAsk(tx, { invoiceId, actor: principal.name, commandId, now, body })
      return await readInvoiceDetail(tx, await action.carryOut(tx, ask))
    },
  )
}

/** By the clock of the invoice. */
async function toAsk<Body>(db: Db, asked: AskedInvoice & { readonly body: Body }): Promise<Ask<Body>> {
  const { test_clock_now_at: clockNow } = await getInvoice(db, asked.invoiceId)
  return { ...asked, now: clockNow ?? asked.now }
}

function toMark({ invoiceId, body, actor, now }: Ask<z.output<typeof reasonSchema>>): WantedMark {
  return { invoiceId, reason: body.reason, actor, now }
}

async function recordPayment(tx: Tx, ask: Ask<z.output<typeof paymentSchema>>): Promise<string> {
  const { invoiceId, body, actor, now } = ask
  const { currency } = await getInvoice(tx, invoiceId)
  const { timeZone } = await getInstallation(tx)
  await insertPayment(tx, {
    invoiceId,
    amountMinor: body.amount_minor,
    currency: body.currency ?? currency,
    reference: body.reference ?? null,
    actor,
    receivedAt: body.received_on === undefined ? now : startOfDay(timeZone, body.received_on),
  })
  return invoiceId
}

/** @throws `not_found`, `id_kind_mismatch`, each with the field */
async function toCreditRequest(
  db: Db,
  invoiceId: string,
  body: z.output<typeof creditNoteSchema>,
): Promise<CreditRequest> {
  if (body.amount_minor !== undefined) return { kind: 'amount', netMinor: body.amount_minor }
  if (body.lines === undefined) return { kind: 'full' }
  const amounts = new Map((await listInvoiceLines(db, invoiceId)).map((row) => [row.id, row.amount_minor]))
  const lines = body.lines.map((line, index): LineCredit => {
    const pointer = `/lines/${index}/line`
    const lineId = atField(pointer, () => decodeId('invoiceLine', line.line))
    const amountMinor = amounts.get(lineId)
    if (amountMinor === undefined) {
      throw fieldError(pointer, 'not_found', `The invoice has no line ${line.line}.`)
    }
    if (line.quantity !== undefined) {
      return { lineId, quantity: checkQuantity(line.quantity, `/lines/${index}`).toFixed() }
    }
    // Whoever gives an amount gives it as it is printed: a credit on the invoice is taken back by it too.
    return { lineId, netMinor: (amountMinor < 0 ? -1 : 1) * (line.amount_minor ?? 0) }
  })
  return { kind: 'lines', lines }
}
