import { z } from '@hono/zod-openapi'
import { assert } from '#domain/assert.ts'
import { BusinessError, type ErrorCode } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { parseJson, readBytes } from '../body.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { describeRefusals } from '../openapi.ts'
import {
  usageBatchResultSchema,
  usageEventResultSchema,
  usageEventSchema,
  usageStreamLineSchema,
  type CountsFor,
} from '../schemas/usage-event.ts'
import { createUsageIntake, tryUsageEvents, type UsageIntake } from '../usage-intake.ts'
import type { PlacedEvent } from '#db/usage-placing.ts'
import { answerUsageStream, summarize, type BatchResult } from '../usage-stream.ts'
import { parse } from '../validation.ts'

export const usageEventsPath = '/v1/usage-events'

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
    { method: 'post', path: usageEventsPath, permission: 'usage:write', body: 'own' },
    async (ctx) => {
      const isDryRun = parse(dryRunQuery, ctx.req.query(), 'query').dry_run === '1'
      const type = (ctx.req.header('content-type') ?? 'none').split(';', 1)[0]?.trim().toLowerCase()
      if (type === single) return await answerSingle(ctx, frame, { intake, isDryRun })
      if (type === batch) return await answerBatch(ctx, frame, { intake, isDryRun })
      if (type === lines && !isDryRun) return answerUsageStream(ctx, intake, senderOf(ctx))
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
    const placed = taken<PlacedEvent>(await tryUsageEvents(frame.deps, [value]))
    return ctx.json({ result: 'not stored', counts_for: toCountsFor(placed) } satisfies EventResult)
  }
  return ctx.json(taken<EventResult>(await intake.push([value], senderOf(ctx))))
}

function senderOf(ctx: ApiContext): string {
  const principal = ctx.get('principal')
  assert(principal, 'a route with a right has a principal')
  return principal.name
}

type EventResult = z.infer<typeof usageEventResultSchema>

/** The only one, where it was taken; else its refusal is the answer. */
function taken<Result extends object>([result]: readonly (Result | { refusal: BusinessError })[]): Result {
  assert(result, 'an event has a result')
  if ('refusal' in result) throw result.refusal
  return result
}

async function answerBatch(ctx: ApiContext, frame: Frame, { intake, isDryRun }: Intake): Promise<Response> {
  const { value: values } = parseJson(await readBytes(ctx.req.raw, largestBatchBytes))
  if (!Array.isArray(values) || values.length === 0 || values.length > largestBatchEvents) {
    throw new BusinessError('field_invalid', `A batch is a list of 1 to ${largestBatchEvents} events.`)
  }
  if (isDryRun) {
    const tried = await tryUsageEvents(frame.deps, values)
    const { refused } = summarize(
      tried.map((of) => ('refusal' in of ? of : { result: 'stored' })),
      0,
    )
    const countsFor = tried.map((of) => ('refusal' in of ? null : toCountsFor(of)))
    return ctx.json({ stored: 0, duplicates: 0, refused, counts_for: countsFor } satisfies BatchResult)
  }
  const result = summarize(await intake.push(values, senderOf(ctx)), 0)
  return ctx.json(result, result.refused.length > 0 ? 207 : 200)
}

function toCountsFor({ event, line }: PlacedEvent): CountsFor {
  return {
    subscription: encodeId('subscription', event.subscriptionId),
    line: encodeId('subscriptionLine', line.id),
    product: line.product_code,
    quantity: event.quantity,
    unit: event.unit,
    price: describePriceModel(line.price, line.currency, line.unit),
    occurred_at: new Date(event.occurredMs).toISOString(),
  }
}

const refusals: ReadonlySet<ErrorCode> = new Set([
  'json_malformed',
  'id_kind_mismatch',
  'login_required',
  'key_invalid',
  'scope_missing',
  'subscription_ended',
  'usage_event_conflict',
  'already_reversed',
  'body_too_large',
  'usage_event_too_long',
  'media_type_unsupported',
  'field_required',
  'field_invalid',
  'quantity_invalid',
  'quantity_negative',
  'metric_unknown',
  'subscription_unknown',
  'unit_unknown',
  'unit_not_convertible',
  'usage_not_taken',
  'reversed_event_unknown',
  'reversal_too_large',
  'usage_event_in_future',
  'usage_event_too_late',
  'too_many_requests',
  'database_unreachable',
])

function describe(frame: Frame): void {
  frame.app.openAPIRegistry.registerPath({
    method: 'post',
    path: usageEventsPath,
    tags: ['Usage'],
    summary: 'Push usage events: one, a batch, or a stream of any length',
    description: [
      'CloudEvents 1.0 in their JSON format. The answer comes after the events are on disk. The same source and id again is a duplicate and counts once, so that whatever was not answered can be sent again.',
      `A batch has up to ${largestBatchEvents} events and 2 MiB; each is taken or refused by itself. A stream has one event a line; each line of its answer says through which line all is on disk, and which were refused.`,
      'An event that names another one of its source in `data.reverses` takes back a part of it, or all: its quantity is below 0, and it counts when that one does. What is refused is listed by `GET /v1/refused-usage-events`, and can be sent again from there.',
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
      ...describeRefusals(refusals),
    },
  })
}
