import type { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { listMeteredLines, listUsageWindows, type MeteredLineRow } from '#db/read/usage.ts'
import { insertUsageEvent, markIfLate, measureUsage } from '#db/usage.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { checkConvertible } from '#domain/unit.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import {
  newUsageSchema,
  toCurrentJson,
  toWindowJson,
  type usageEventSchema,
  usageReceiptSchema,
  usageSchema,
} from '../schemas/usage.ts'

/** Clocks of other machines go ahead a little. */
const clockToleranceMs = 5 * 60_000

/** How late an event may come; after its period was billed, the next invoice bills it as late. */
const latestMs = 100 * 24 * 3_600_000

export function registerUsage(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/usage',
      permission: 'usage:write',
      tag: 'Usage',
      summary: 'Push usage events',
      description:
        'All are stored or none. The same source and id again is a duplicate and counts once. What comes after its period was billed is on the next invoice, marked late; after the last bill of its subscription, on a document of its own.',
      body: newUsageSchema,
      result: usageReceiptSchema,
      refusals: [
        'metric_unknown',
        'quantity_invalid',
        'subscription_ended',
        'subscription_unknown',
        'unit_not_convertible',
        'unit_unknown',
        'usage_event_conflict',
        'usage_event_in_future',
        'usage_event_too_late',
      ],
    },
    async ({ db, body, now }) => {
      const linesOf = rememberLines(db)
      const events: z.input<typeof usageReceiptSchema>['events'] = []
      for (const [index, event] of body.events.entries()) {
        events.push(await storeEvent(db, event, { pointer: `/events/${index}`, now, linesOf }))
      }
      return { events }
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/subscriptions/{id}/usage',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'Read what a subscription has used: not billed yet, and billed',
      params: idParams,
      result: usageSchema,
    },
    async ({ db, params, now }) => readUsage(db, await resolveAddress(db, 'subscription', params.id), now),
  )
}

/** A batch mostly speaks of few subscriptions: each is read once. */
function rememberLines(db: Db): (subscriptionId: string) => Promise<MeteredLineRow[]> {
  const known = new Map<string, Promise<MeteredLineRow[]>>()
  return async (subscriptionId) => {
    const lines = known.get(subscriptionId) ?? listMeteredLines(db, subscriptionId)
    known.set(subscriptionId, lines)
    return await lines
  }
}

async function storeEvent(
  db: Db,
  event: z.output<typeof usageEventSchema>,
  context: { pointer: string; now: string; linesOf: (id: string) => Promise<MeteredLineRow[]> },
) {
  const { pointer } = context
  const subscription = {
    kind: 'subscription',
    text: event.subscription,
    unknown: 'subscription_unknown',
  } as const
  const subscriptionId = await resolveField(db, { ...subscription, pointer: `${pointer}/subscription` })
  const line = findLine(await context.linesOf(subscriptionId), event.metric, pointer)
  const unit = event.unit ?? line.unit
  checkUnit(unit, line.unit, `${pointer}/unit`)
  const occurredAt = event.occurred_at ?? line.clock_now_at ?? context.now
  const now = line.clock_now_at ?? context.now
  refuseFuture(occurredAt, now, `${pointer}/occurred_at`)
  refuseTooLate(occurredAt, now, `${pointer}/occurred_at`)
  refuseAfterEnd(occurredAt, line, `${pointer}/occurred_at`)
  const result = await insertUsageEvent(db, {
    source: event.source,
    eventId: event.id,
    subscriptionId,
    metric: event.metric,
    quantity: event.quantity,
    unit,
    occurredAt,
    isInstantOfArrival: event.occurred_at === undefined,
  })
  if (result === 'stored')
    await markIfLate(db, { subscriptionId, source: event.source, eventId: event.id, now })
  if (result === 'conflict') {
    throw fieldError(
      pointer,
      'usage_event_conflict',
      `${event.source} ${event.id} was recorded with other content.`,
    )
  }
  return { source: event.source, id: event.id, result }
}

function findLine(lines: readonly MeteredLineRow[], metric: string, pointer: string): MeteredLineRow {
  const line = lines.findLast((candidate) => candidate.metric === metric)
  if (!line)
    throw fieldError(`${pointer}/metric`, 'metric_unknown', `The subscription does not meter ${metric}.`)
  return line
}

function checkUnit(from: string, to: string, pointer: string): void {
  try {
    checkConvertible(from, to)
  } catch (error) {
    throw error instanceof BusinessError ? fieldError(pointer, error.code, error.message) : error
  }
}

/** After the end nothing is ever billed. What was used before it is, however late it comes. */
function refuseAfterEnd(occurredAt: string, line: MeteredLineRow, pointer: string): void {
  const isOver = line.phase === 'unbuilding' || line.phase === 'ended'
  if (!isOver || line.served_until === null) return
  if (Date.parse(occurredAt) <= Date.parse(line.served_until)) return
  throw fieldError(pointer, 'subscription_ended', `The subscription had ended by then: ${line.served_until}.`)
}

/** By the subscription's own clock: usage that has not happened cannot be counted. */
function refuseFuture(occurredAt: string, now: string, pointer: string): void {
  if (Date.parse(occurredAt) <= Date.parse(now) + clockToleranceMs) return
  throw fieldError(pointer, 'usage_event_in_future', `The event lies in the future: it is ${now} now.`)
}

/** What is older than any invoice that may still be corrected by the next one is a person's matter. */
function refuseTooLate(occurredAt: string, now: string, pointer: string): void {
  if (Date.parse(occurredAt) >= Date.parse(now) - latestMs) return
  throw fieldError(
    pointer,
    'usage_event_too_late',
    `The event is more than 100 days old: it is ${now} now. Nothing of this request was stored.`,
  )
}

async function readUsage(db: Db, subscriptionId: string, now: string): Promise<z.input<typeof usageSchema>> {
  const [lines, windows] = await Promise.all([
    listMeteredLines(db, subscriptionId),
    listUsageWindows(db, subscriptionId),
  ])
  return {
    subscription: encodeId('subscription', subscriptionId),
    lines: await Promise.all(
      lines.map(async (line) => ({
        line: encodeId('subscriptionLine', line.id),
        product: line.product_code,
        metric: line.metric ?? '',
        current: await measureCurrent(db, { ...line, subscriptionId, now }),
        windows: windows.filter((window) => window.subscription_line_id === line.id).map(toWindowJson),
      })),
    ),
  }
}

/** What would be billed today: from the end of the last frozen window, or the activation, until now. */
async function measureCurrent(db: Db, line: MeteredLineRow & { subscriptionId: string; now: string }) {
  const window = { start: line.frozen_until ?? line.activated_at, end: line.clock_now_at ?? line.now }
  if (window.start === null || line.metric === null || line.phase === 'ended') return null
  const span = { start: window.start, end: window.end }
  const measured = await measureUsage(db, {
    subscriptionId: line.subscriptionId,
    instanceId: line.instance_id,
    metric: line.metric,
    unit: line.unit,
    window: span,
    isLast: false,
  })
  return toCurrentJson(span, measured)
}
