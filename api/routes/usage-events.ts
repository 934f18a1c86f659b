import { z } from '@hono/zod-openapi'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { readUsageEvent } from '#domain/usage-event.ts'
import { parseJson, readBytes } from '../body.ts'
import { problemKinds } from '../errors.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { problemSchema } from '../schemas/problem.ts'
import {
  usageBatchResultSchema,
  usageEventResultSchema,
  usageEventSchema,
  usageStreamLineSchema,
} from '../schemas/usage-event.ts'
import { createUsageIntake, placeEvents, type IntakeResult, type UsageIntake } from '../usage-intake.ts'
import { answerUsageStream, summarize, type BatchResult } from '../usage-stream.ts'
import { parse } from '../validation.ts'

const single = 'application/cloudevents+json'
const batch = 'application/cloudevents-batch+json'
const lines = 'application/x-ndjson'

const largestBatchEvents = 1000
const largestBatchBytes = 2 * 1024 * 1024

const dryRunQuery = z.strictObject({
  dry_run: z
    .enum(['0', '1'])
    .optional()
    .openapi({ description: '1: nothing is stored; tells what each counts for.' }),
})

export function registerUsageEvents(frame: Frame): void {
  const intake = createUsageIntake(frame.deps)
  describe(frame)
  frame.page(
    { method: 'post', path: '/v1/usage-events', permission: 'usage:write', body: 'own' },
    async (ctx) => {
      const isDryRun = parse(dryRunQuery, ctx.req.query(), 'query').dry_run === '1'
      const type = (ctx.req.header('content-type') ?? 'none').split(';', 1)[0]?.trim().toLowerCase()
      if (type === single) return await answerSingle(ctx, frame, { intake, isDryRun })
      if (type === batch) return await answerBatch(ctx, frame, { intake, isDryRun })
      if (type === lines && !isDryRun) return answerUsageStream(ctx, intake)
      const takes = isDryRun
        ? `A dry run takes ${single} or ${batch}`
        : `Send ${single}, ${batch} or ${lines}`
      throw new BusinessError('media_type_unsupported', `${takes}, not ${type}.`)
    },
  )
}

interface Intake {
  readonly intake: UsageIntake
  readonly isDryRun: boolean
}

async function answerSingle(ctx: ApiContext, frame: Frame, { intake, isDryRun }: Intake): Promise<Response> {
  const { value } = parseJson(await readBytes(ctx.req.raw, largestBatchBytes))
  if (isDryRun) {
    const [countsFor] = await tryOut(frame, [value])
    if (countsFor instanceof BusinessError || countsFor === undefined)
      throw countsFor ?? new Error('no answer')
    return ctx.json({ result: 'not stored', counts_for: countsFor } satisfies z.infer<
      typeof usageEventResultSchema
    >)
  }
  const [result] = await intake.push([value])
  if (result === undefined || 'refusal' in result) throw result?.refusal ?? new Error('no answer')
  return ctx.json(result satisfies z.infer<typeof usageEventResultSchema>)
}

async function answerBatch(ctx: ApiContext, frame: Frame, { intake, isDryRun }: Intake): Promise<Response> {
  const { value: values } = parseJson(await readBytes(ctx.req.raw, largestBatchBytes))
  if (!Array.isArray(values) || values.length === 0 || values.length > largestBatchEvents) {
    throw new BusinessError('field_invalid', `A batch is a list of 1 to ${largestBatchEvents} events.`)
  }
  if (isDryRun) {
    const tried = await tryOut(frame, values)
    const results = tried.map((of): IntakeResult =>
      of instanceof BusinessError ? { refusal: of } : { result: 'stored' },
    )
    const { refused } = summarize(results, 0)
    const countsFor = tried.map((of) => (of instanceof BusinessError ? null : of))
    return ctx.json({ stored: 0, duplicates: 0, refused, counts_for: countsFor } satisfies BatchResult)
  }
  const result = summarize(await intake.push(values), 0)
  return ctx.json(result, result.refused.length > 0 ? 207 : 200)
}

/** What each event would count for, as the intake decides it. */
async function tryOut(frame: Frame, values: readonly unknown[]) {
  const events = values.map((value) => {
    try {
      return readUsageEvent(value)
    } catch (error) {
      if (error instanceof BusinessError) return error
      throw error
    }
  })
  const good = events.flatMap((event) => (event instanceof BusinessError ? [] : [event]))
  const placed = (await placeEvents(frame.deps.db, good, frame.deps.now())).values()
  return events.map((event) => {
    if (event instanceof BusinessError) return event
    const of = placed.next().value
    if (of === undefined || 'refusal' in of)
      return of?.refusal ?? new BusinessError('internal_error', 'no answer')
    return {
      subscription: encodeId('subscription', of.event.subscriptionId),
      line: encodeId('subscriptionLine', of.line.id),
      product: of.line.product_code,
      quantity: of.event.quantity,
      unit: of.event.unit,
      price: describePriceModel(of.line.price, of.line.currency, of.line.unit),
      occurred_at: of.event.occurredAt,
    }
  })
}

const refusedAs = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
})

function describe(frame: Frame): void {
  const say = (code: keyof typeof problemKinds) => `\`${code}\` ${problemKinds[code].title}`
  frame.app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/v1/usage-events',
    tags: ['Usage'],
    summary: 'Push usage events: one, a batch, or a stream of any length',
    description: [
      'CloudEvents 1.0 in their JSON format. The answer comes after the events are on disk. The same source and id again is a duplicate and counts once, so that whatever was not answered can be sent again.',
      `A batch has up to ${largestBatchEvents} events and 2 MiB; each is taken or refused by itself. A stream has one event a line; each line of its answer says through which line all is on disk, and which were refused.`,
      'What comes after its period was billed is on the next invoice, marked late; after the last bill of its subscription, on a document of its own.',
    ].join('\n\n'),
    security: [{ key: [] }],
    request: {
      query: dryRunQuery,
      body: {
        required: true,
        content: {
          [single]: { schema: usageEventSchema },
          [batch]: { schema: z.array(usageEventSchema) },
          [lines]: { schema: usageEventSchema },
        },
      },
    },
    responses: {
      200: {
        description: 'All taken, or the answer to a stream',
        content: {
          'application/json': { schema: z.union([usageEventResultSchema, usageBatchResultSchema]) },
          [lines]: { schema: usageStreamLineSchema },
        },
      },
      207: {
        description: 'Some of a batch were refused',
        content: { 'application/json': { schema: usageBatchResultSchema } },
      },
      400: refusedAs(`${say('json_malformed')}. ${say('id_kind_mismatch')}`),
      401: refusedAs(`${say('login_required')}. ${say('key_invalid')}`),
      403: refusedAs(say('scope_missing')),
      409: refusedAs(`${say('subscription_ended')}. ${say('usage_event_conflict')}`),
      413: refusedAs(`${say('body_too_large')}. ${say('usage_event_too_long')}`),
      415: refusedAs(say('media_type_unsupported')),
      422: refusedAs(
        [
          'field_required',
          'field_invalid',
          'quantity_invalid',
          'quantity_negative',
          'metric_unknown',
          'subscription_unknown',
          'unit_unknown',
          'unit_not_convertible',
          'usage_event_in_future',
          'usage_event_too_late',
        ]
          .map((code) => say(code as keyof typeof problemKinds))
          .join('. '),
      ),
      429: refusedAs(say('too_many_requests')),
      503: refusedAs(say('database_unreachable')),
    },
  })
}
