import { z } from 'zod'
import type { Tx } from '#db/database.ts'
import { noteTaxQuestion } from '#db/tax-answer.ts'
import { BusinessError } from '#domain/errors.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { answerOnce } from '../idempotency.ts'
import type { Permission } from '../permission.ts'
import { commandIdOf } from '../subscription-commands.ts'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import type { RefusedInput } from './form.tsx'
import { keyedForm, readForm, refusedStatus, type Values } from './sent-form.ts'

/** What a form was sent with. */
export interface SentForm {
  /** The part of the address that names the row, where there is one. */
  readonly id: string
  readonly values: Values
  readonly now: string
  /** Who sent it. */
  readonly actor: string
  /** Steady over every repetition of the same form. */
  readonly commandId: string
}

/** A form whose effect is rows, in one transaction with its key, as a route of the API has it. */
export interface RowForm {
  readonly path: string
  readonly permission: Permission
  /** The form's name in its page; those of a table have their row's id in it. */
  readonly form: (id: string, values: Values) => string
  /** Gives the address to go on to. */
  readonly carryOut: (tx: Tx, sent: SentForm) => Promise<string>
  readonly showAgain: (view: ConsoleView, id: string, refused: RefusedInput) => Promise<ConsoleBody>
}

/** Done leads on; refused is the page again, with 422, what was typed, and what is wrong beside its field. */
export function registerRowForm(frame: Frame, form: RowForm): void {
  consolePage(frame, { method: 'post', path: form.path, permission: form.permission }, async (view, ctx) => {
    const id = ctx.req.param('id') ?? ''
    const sent = await readForm(ctx)
    const { idempotency_key: _key, ...values } = sent
    try {
      return ctx.redirect(await carryOutOnce(frame, ctx, { form, id, sent }), 303)
    } catch (error) {
      await noteTaxQuestion(frame.deps.db, error)
      if (!(error instanceof BusinessError)) throw error
      const body = await form.showAgain(view, id, refusedInput(form.form(id, values), values, error))
      return { ...body, title: `Refused: ${body.title}`, status: refusedStatus(error.code) }
    }
  })
}

async function carryOutOnce(
  { deps }: Frame,
  ctx: ApiContext,
  { form, id, sent }: { form: RowForm; id: string; sent: Values },
): Promise<string> {
  const { request, fields: values } = keyedForm(ctx, sent)
  const actor = requireOperator(ctx).name
  const call = { id, values, now: deps.now(), actor, commandId: commandIdOf(request) }
  const { body } = await answerOnce(deps.db, request, async (tx) => ({
    status: 303,
    body: await form.carryOut(tx, call),
  }))
  return z.string().parse(body)
}

/** A field `a.b` of a form is `/a/b` of the body that it becomes. */
export function refusedInput(form: string, values: Values, error: BusinessError): RefusedInput {
  const details = error.fields.map(({ pointer, detail }) => [fieldOf(pointer), detail] as const)
  const known = details.filter(([name]) => name !== '')
  return { form, code: error.code, detail: error.message, details: new Map(known), values }
}

function fieldOf(pointer: string): string {
  return pointer.slice(1).replaceAll('/', '.')
}

/** What was left empty was not said. */
export function saidOf(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values)
      .map(([name, value]) => [name, value.trim()] as const)
      .filter(([, value]) => value !== ''),
  )
}

/** What was left empty is not there: of a form that shows all that is known, and changes it. */
export function knownOf(values: Values): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value.trim() === '' ? null : value.trim()]),
  )
}

/** What is no number is said as it was typed, and refused by the schema. */
export function toNumber(text: string | null | undefined): unknown {
  return typeof text === 'string' && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text
}
