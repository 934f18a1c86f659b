import type { AskedInstanceCommand } from '#db/instance-command.ts'
import type { Db } from '#db/database.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Principal } from '../authentication.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { commandOnce } from '../idempotency.ts'
import { askInstance } from '../instance-commands.ts'
import type { Permission } from '../permission.ts'
import { commandIdOf } from '../subscription-commands.ts'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import type { RefusedInput } from './form.tsx'
import { instanceAddress, readInstanceContent, type InstancePageContent } from './instance-content.ts'
import type { InstancePart } from './instance-frame.tsx'
import { refusedInput } from './row-form.ts'
import { keyedForm, readForm, refusedStatus, type Values } from './sent-form.ts'

interface SentCommand {
  readonly instanceId: string
  readonly requestId: string
  readonly principal: Principal
  /** What its address names besides the instance. */
  readonly subject: string
  readonly values: Values
}

/** Something that is asked of an instance, by a form of its page. */
interface InstanceCommandForm {
  readonly path: `/instances/:id/${string}`
  readonly permission: Permission
  readonly part: InstancePart
  /** The form's name in its page. */
  readonly form: (subject: string) => string
  /** Names of fields whose values are never sent back. */
  readonly secretFields: (content: InstancePageContent, subject: string) => readonly string[]
  readonly toAsked: (db: Db, sent: SentCommand) => Promise<AskedInstanceCommand>
  readonly showAgain: (
    view: ConsoleView,
    content: InstancePageContent,
    refused: RefusedInput,
  ) => Promise<ConsoleBody>
}

/** Done leads back to the part of the page; refused is that part again with what was typed, less what is secret. */
export function registerInstanceCommandForm(frame: Frame, form: InstanceCommandForm): void {
  consolePage(frame, { method: 'post', path: form.path, permission: form.permission }, async (view, ctx) => {
    const content = await readInstanceContent(frame.deps.db, ctx.req.param('id') ?? '')
    const subject = ctx.req.param('subject') ?? ''
    const sent = await readForm(ctx)
    try {
      await carryOut(frame, ctx, { form, content, subject, sent })
      return ctx.redirect(`${instanceAddress(content.id, form.part)}#${form.part}`, 303)
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error
      const secret = new Set(['idempotency_key', ...form.secretFields(content, subject)])
      const values = Object.fromEntries(Object.entries(sent).filter(([name]) => !secret.has(name)))
      const refused = refusedInput(form.form(subject), values, error)
      const body = await form.showAgain(view, content, refused)
      return { ...body, title: `Refused: ${body.title}`, status: refusedStatus(error.code) }
    }
  })
}

async function carryOut(
  { deps }: Frame,
  ctx: ApiContext,
  asked: { form: InstanceCommandForm; content: InstancePageContent; subject: string; sent: Values },
): Promise<void> {
  const { form, content, subject, sent } = asked
  const { request, fields: values } = keyedForm(ctx, sent)
  const principal = requireOperator(ctx)
  await commandOnce(deps.db, request, async () => {
    const requestId = commandIdOf(request)
    const command = { instanceId: content.id, requestId, principal, subject, values }
    await askInstance(deps, await form.toAsked(deps.db, command))
    return { status: 303, body: null }
  })
}
