import { previewPlanChange, type PreviewedChange } from '#db/change-preview.ts'
import { listProducts } from '#db/read/product.ts'
import type { SubscriptionLineRow } from '#db/read/subscription.ts'
import { noteTaxQuestion } from '#db/tax-answer.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { changePlanSchema } from '../schemas/subscription.ts'
import { toPlanChange } from '../subscription-wishes.ts'
import { parse } from '../validation.ts'
import { ChangePreview } from './change-preview.tsx'
import { ChangeQuestion } from './change-question.tsx'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import type { RefusedInput } from './form.tsx'
import { refusedInput } from './row-form.ts'
import { readForm, refusedStatus, type Values } from './sent-form.ts'
import { readSubscriptionContent, type SubscriptionContent } from './subscription-content.ts'
import { carryOut } from './subscription-forms.ts'
import { toChangeBody } from './change-fields.ts'

const path = '/subscriptions/:id/change'
const form = 'change'
const offeredProducts = 200

/**
 * A change of a line in two steps: asked by address, it shows what it would cost and changes nothing; the button below
 * the preview sends the same fields.
 */
export function registerSubscriptionChange(frame: Frame): void {
  consolePage(frame, { method: 'get', path, permission: 'subscriptions:read' }, async (view, ctx) => {
    const { preview: isAsked, ...values } = ctx.req.query()
    const publicId = ctx.req.param('id') ?? ''
    const page = await readPage(frame, { publicId, values })
    if (isAsked === undefined) return changeBody(view, page, {})
    try {
      return changeBody(view, page, { preview: await previewOf(frame, page) })
    } catch (error) {
      await noteTaxQuestion(frame.deps.db, error)
      return refusedBody(view, page, error)
    }
  })
  consolePage(frame, { method: 'post', path, permission: 'subscriptions:write' }, async (view, ctx) => {
    const values = await readForm(ctx)
    const publicId = ctx.req.param('id') ?? ''
    try {
      await carryOut(frame, ctx, { publicId, action: 'change-plan', values })
      return ctx.redirect(`/subscriptions/${publicId}`, 303)
    } catch (error) {
      return refusedBody(view, await readPage(frame, { publicId, values }), error)
    }
  })
}

export interface ChangePage {
  readonly content: SubscriptionContent
  readonly line: SubscriptionLineRow
  /** What was typed; empty means: as it is. */
  readonly values: Values
  readonly products: readonly { readonly code: string; readonly name: string }[]
}

async function readPage({ deps }: Frame, asked: { publicId: string; values: Values }): Promise<ChangePage> {
  const content = await readSubscriptionContent(deps.db, asked.publicId)
  const { idempotency_key: _key, ...values } = asked.values
  const lineId = decodeId('subscriptionLine', values['line'] ?? '')
  const line = content.lines.find(({ id }) => id === lineId)
  if (!line) throw new BusinessError('not_found', `The subscription has no line ${values['line'] ?? ''}.`)
  const newest = { limit: offeredProducts, cursor: null, direction: 'after' } as const
  const products = await listProducts(deps.db, newest, content.row.today)
  return { content, line, values, products: products.filter((product) => product.archived_at === null) }
}

async function previewOf({ deps }: Frame, { content, line, values }: ChangePage): Promise<PreviewedChange> {
  const body = parse(changePlanSchema, toChangeBody(values), 'body')
  const { quantity, asked } = await toPlanChange(deps.db, body)
  return await previewPlanChange(deps.db, {
    subscriptionId: content.row.id,
    change: {
      subscriptionLineId: line.id,
      ...(quantity === undefined ? {} : { quantity }),
      ...asked?.plan,
    },
    now: deps.now(),
  })
}

function refusedBody(view: ConsoleView, page: ChangePage, error: unknown): ConsoleBody {
  if (!(error instanceof BusinessError)) throw error
  const body = changeBody(view, page, { refused: refusedInput(form, page.values, error) })
  return { ...body, title: `Refused: ${body.title}`, status: refusedStatus(error.code) }
}

function changeBody(
  view: ConsoleView,
  page: ChangePage,
  outcome: { preview?: PreviewedChange; refused?: RefusedInput },
): ConsoleBody {
  const { content, line } = page
  const { preview, refused } = outcome
  return {
    title: `Change ${line.description} of ${content.row.title}`,
    current: 'subscriptions',
    children: (
      <>
        <p class="trail">
          <a href={`/subscriptions/${content.publicId}`}>← {content.row.title}</a>
        </p>
        <h1>Change {line.description}</h1>
        <ChangeQuestion page={page} form={form} refused={refused} isShown={preview !== undefined} />
        {preview !== undefined && (
          <ChangePreview
            view={view}
            page={page}
            preview={preview}
            action={`/subscriptions/${content.publicId}/change`}
          />
        )}
      </>
    ),
  }
}

/** Where the line of a subscription is changed. */
export function changeAddress(subscription: string, lineId: string): string {
  return `/subscriptions/${subscription}/change?line=${encodeId('subscriptionLine', lineId)}`
}
