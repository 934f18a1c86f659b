import { getChangeRequest, type ChangeRequestRow } from '#db/read/change-request.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { refuseChangeRequest } from '#db/change-decision.ts'
import { applyChangeRequest } from '../change-requests.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { answerOnce, commandOnce } from '../idempotency.ts'
import { changeRefusalSchema } from '../schemas/change-request.ts'
import { commandIdOf } from '../subscription-commands.ts'
import { parse } from '../validation.ts'
import { ChangeRequestFacts } from './change-request-facts.tsx'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { PostForm, TextField, type RefusedInput } from './form.tsx'
import { Section } from './parts.tsx'
import { refusedInput } from './row-form.ts'
import { keyedForm, readForm, refusedStatus, type Values } from './sent-form.ts'

const path = '/change-requests/:id'

/** What a customer asked for, with the two answers that an operator can give. */
export function registerChangeRequestPages(frame: Frame): void {
  consolePage(frame, { method: 'get', path, permission: 'change_requests:read' }, async (view, ctx) =>
    requestBody(view, await readRequest(frame, ctx)),
  )
  for (const answer of ['apply', 'refuse'] as const) {
    consolePage(
      frame,
      { method: 'post', path: `${path}/${answer}`, permission: 'subscriptions:write' },
      async (view, ctx) => {
        const values = await readForm(ctx)
        try {
          await decide(frame, ctx, { answer, values })
          return ctx.redirect(addressOf(ctx.req.param('id') ?? ''), 303)
        } catch (error) {
          if (!(error instanceof BusinessError)) throw error
          const refused = refusedInput(answer, values, error)
          const body = requestBody(view, await readRequest(frame, ctx), refused)
          return { ...body, title: `Refused: ${body.title}`, status: refusedStatus(error.code) }
        }
      },
    )
  }
}

function addressOf(publicId: string): string {
  return `/change-requests/${publicId}`
}

async function readRequest({ deps }: Frame, ctx: ApiContext): Promise<ChangeRequestRow> {
  return await getChangeRequest(deps.db, decodeId('changeRequest', ctx.req.param('id') ?? ''))
}

async function decide(
  { deps }: Frame,
  ctx: ApiContext,
  { answer, values }: { answer: 'apply' | 'refuse'; values: Values },
): Promise<void> {
  const { request, fields } = keyedForm(ctx, values)
  const actor = requireOperator(ctx).name
  const id = decodeId('changeRequest', ctx.req.param('id') ?? '')
  const done = { status: 303, body: null }
  if (answer === 'apply') {
    await commandOnce(deps.db, request, async (isRepeat) => {
      await applyChangeRequest(deps, id, { actor, commandId: commandIdOf(request), isRepeat })
      return done
    })
    return
  }
  const { reason } = parse(changeRefusalSchema, fields, 'body')
  await answerOnce(deps.db, request, async (tx) => {
    await refuseChangeRequest(tx, id, { actor, reason, now: deps.now() })
    return done
  })
}

function requestBody(view: ConsoleView, row: ChangeRequestRow, refused?: RefusedInput): ConsoleBody {
  const subscription = encodeId('subscription', row.subscription_id)
  return {
    title: `Asked for: ${row.title} for ${row.customer_name}`,
    current: 'subscriptions',
    children: (
      <>
        <p class="trail">
          <a href={`/subscriptions/${subscription}`}>← {row.title}</a>
        </p>
        <h1>A change that was asked for</h1>
        <ChangeRequestFacts view={view} row={row} />
        {row.state === 'open' && <Decision view={view} row={row} refused={refused} />}
      </>
    ),
  }
}

function Decision(props: { view: ConsoleView; row: ChangeRequestRow; refused: RefusedInput | undefined }) {
  const { view, row, refused } = props
  const address = addressOf(encodeId('changeRequest', row.id))
  return (
    <Section id="decision" title="Your answer">
      <PostForm view={view} form="apply" refused={refused} action={`${address}/apply`}>
        <div class="buttons">
          <button type="submit" class="primary">
            Apply the change
          </button>
          <span class="hint">Computed anew: what it costs may differ from what was shown on the day.</span>
        </div>
      </PostForm>
      <PostForm view={view} form="refuse" refused={refused} action={`${address}/refuse`}>
        <TextField
          form="refuse"
          refused={refused}
          name="reason"
          label="Reason"
          hint="The customer reads it."
          isRequired
        />
        <div class="buttons">
          <button type="submit">Refuse</button>
        </div>
      </PostForm>
    </Section>
  )
}
