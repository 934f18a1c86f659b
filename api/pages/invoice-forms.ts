import { z } from 'zod'
import type { Tx } from '#db/database.ts'
import { getInvoice } from '#db/read/invoice.ts'
import { noteTaxQuestion } from '#db/tax-answer.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { parseAmount } from '#domain/money.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { answerOnce } from '../idempotency.ts'
import { answerDisputeOf } from '../routes/disputes.ts'
import { invoiceActions } from '../routes/invoice-actions.ts'
import { disputeAnswerSchema } from '../schemas/dispute.ts'
import { commandIdOf } from '../subscription-commands.ts'
import { parse } from '../validation.ts'
import { consolePage, requireOperator } from './console-page.tsx'
import { answerForm } from './disputes.tsx'
import { invoiceBody } from './invoice.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import { keyedForm, readForm, refusedStatus, type Values } from './sent-form.ts'

/** The same actions as the API's, from forms: done leads to the document, refused shows the form again. */
export function registerInvoiceForms(frame: Frame): void {
  registerAnswerForm(frame)
  for (const { name } of invoiceActions) {
    consolePage(
      frame,
      { method: 'post', path: `/invoices/:id/${name}`, permission: 'invoices:write' },
      async (view, ctx) => {
        const publicId = ctx.req.param('id') ?? ''
        const values = await readForm(ctx)
        try {
          const made = await carryOut(frame, ctx, { publicId, name, values })
          return ctx.redirect(`/invoices/${made}`, 303)
        } catch (error) {
          await noteTaxQuestion(frame.deps.db, error)
          if (!(error instanceof BusinessError)) throw error
          const refused = { action: name, code: error.code, detail: error.message, values }
          const body = await invoiceBody(frame, view, { publicId, language: undefined, refused })
          return { ...body, title: `Refused: ${body.title}`, status: refusedStatus(error.code) }
        }
      },
    )
  }
}

/** What a customer says against the invoice is answered on its page. */
function registerAnswerForm(frame: Frame): void {
  registerRowForm(frame, {
    path: '/invoices/:id/answer-dispute',
    permission: 'disputes:write',
    form: (_id, values) => answerForm(values['dispute'] ?? ''),
    carryOut: async (tx, { id, values, actor, now }) => {
      const { dispute = '', ...said } = saidOf(values)
      await answerDisputeOf(tx, dispute, parse(disputeAnswerSchema, said, 'body'), { actor, now })
      return `/invoices/${id}`
    },
    showAgain: async (view, publicId, refusedAnswer) =>
      await invoiceBody(frame, view, { publicId, language: undefined, refused: undefined, refusedAnswer }),
  })
}

async function carryOut(
  { deps }: Frame,
  ctx: ApiContext,
  form: { publicId: string; name: string; values: Values },
): Promise<string> {
  const { request, fields } = keyedForm(ctx, form.values)
  const actor = requireOperator(ctx).name
  const invoiceId = decodeId('invoice', form.publicId)
  const { body } = await answerOnce(deps.db, request, async (tx) => {
    const action = invoiceActions.find(({ name }) => name === form.name)
    if (!action) throw new BusinessError('not_found', `There is no action ${form.name}.`)
    const asked = { invoiceId, actor, commandId: commandIdOf(request), now: deps.now() }
    const id = await action.carryOut(tx, { ...asked, body: await toBody(tx, invoiceId, fields) })
    return { status: 303, body: encodeId('invoice', id) }
  })
  return z.string().parse(body)
}

/** Amounts are written as they are printed. */
async function toBody(tx: Tx, invoiceId: string, fields: Values): Promise<object> {
  const { amount, ...said } = saidOf(fields)
  if (amount === undefined) return said
  const { currency } = await getInvoice(tx, invoiceId)
  return { ...said, amount_minor: parseAmount(amount, currency) }
}
