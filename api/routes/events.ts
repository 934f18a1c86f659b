import { z } from '@hono/zod-openapi'
import { streamSSE, type SSEStreamingApi } from 'hono/streaming'
import type { Db } from '#db/database.ts'
import {
  listEventsAfter,
  listEventsBefore,
  newestPosition,
  type EventFilter,
  type EventPosition,
  type EventRow,
} from '#db/read/event.ts'
import { encodePosition, eventIdOf, positionOf, toEventJson } from '#db/read/event-content.ts'
import { resolveField } from '../addressing.ts'
import type { ApiDependencies } from '../dependencies.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { pageOf, pageQuery, toPageBy } from '../pagination.ts'
import { addressField } from '../schemas/common.ts'
import { decodePosition, eventSchema } from '../schemas/event.ts'
import { parse } from '../validation.ts'

const filterQuery = { subscription: addressField.optional(), build: addressField.optional() }
const streamQuery = z.strictObject({ ...filterQuery, after: z.string().optional() })
const batchSize = 100
/** An event is settled when older transactions have ended, which may be after its own was announced: so we look again. */
const lookAgainMs = 1_000
/** Quiet rounds after which a comment keeps proxies from closing the line. */
const quietRounds = 15

export function registerEvents(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/events',
      permission: 'events:read',
      tag: 'Events',
      summary: 'List events',
      description: 'Newest first. With before, the events that came after that one, to catch up.',
      query: z.strictObject({ ...pageQuery, ...filterQuery }),
      result: pageOf(eventSchema),
      refusals: ['not_found', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const filter = await toFilter(db, query)
      const rows = await listRows(db, query, filter)
      const direction = query.before === undefined ? 'after' : 'before'
      return toPageBy(rows, { limit: query.limit, direction }, { toJson: toEventJson, toCursor: eventIdOf })
    },
  )
  registerStream(frame)
}

function registerStream(frame: Frame): void {
  frame.app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/v1/events/stream',
    tags: ['Events'],
    summary: 'Follow events as they come',
    description:
      'Server-sent events; each has the id, kind and JSON of an event. Last-Event-ID goes on after that one: none is missed, none comes twice. Without it, from now on.',
    security: [{ key: [] }],
    request: { query: streamQuery },
    responses: { 200: { description: 'A stream', content: { 'text/event-stream': { schema: z.string() } } } },
  })
  frame.page({ method: 'get', path: '/v1/events/stream', permission: 'events:read' }, async (ctx) => {
    const query = parse(streamQuery, ctx.req.query(), 'query')
    const filter = await toFilter(frame.deps.db, query)
    const from = ctx.req.header('last-event-id') ?? query.after
    const position =
      from === undefined ? await newestPosition(frame.deps.db) : decodePosition(from, 'Last-Event-ID')
    return streamEvents(ctx, frame.deps, { ...filter, position })
  })
}

async function listRows(
  db: Db,
  query: { limit: number; after?: string | undefined; before?: string | undefined },
  filter: EventFilter,
): Promise<EventRow[]> {
  const limit = query.limit + 1
  if (query.before !== undefined) {
    return await listEventsAfter(db, { ...filter, position: decodePosition(query.before, '?before'), limit })
  }
  const position = query.after === undefined ? null : decodePosition(query.after, '?after')
  return await listEventsBefore(db, { ...filter, position, limit })
}

async function toFilter(
  db: Db,
  query: { subscription?: string | undefined; build?: string | undefined },
): Promise<EventFilter> {
  const find = async (kind: 'subscription' | 'buildOrder', text: string | undefined, pointer: string) =>
    text === undefined ? null : await resolveField(db, { kind, text, pointer, unknown: 'not_found' })
  return {
    subscriptionId: await find('subscription', query.subscription, '?subscription'),
    buildOrderId: await find('buildOrder', query.build, '?build'),
  }
}

/** A line that stays open: first what was missed since the last event that the reader has, then each new one. */
function streamEvents(
  ctx: ApiContext,
  deps: ApiDependencies,
  from: EventFilter & { position: EventPosition },
): Response {
  ctx.header('X-Accel-Buffering', 'no')
  return streamSSE(ctx, async (stream) => {
    const bell = createBell(deps, stream)
    let { position } = from
    await stream.write(': connected\n\n')
    for (let quiet = 1; !stream.aborted && !stream.closed; quiet += 1) {
      const rows = await listEventsAfter(deps.db, { ...from, position, limit: batchSize })
      for (const row of rows) {
        position = positionOf(row)
        await stream.writeSSE({
          id: encodePosition(position),
          event: row.kind,
          data: JSON.stringify(toEventJson(row)),
        })
      }
      if (quiet % quietRounds === 0) await stream.write(': still here\n\n')
      if (rows.length < batchSize) await bell.wait()
    }
    bell.stop()
  })
}

/** Rings when events were written. A ring while nobody waits is kept: nothing is slept through. */
function createBell(deps: ApiDependencies, stream: SSEStreamingApi) {
  let hasRung = false
  let wake: () => void = () => {}
  const ring = () => {
    hasRung = true
    wake()
  }
  const stopListening = deps.onEvents(ring)
  stream.onAbort(ring)
  return {
    stop: stopListening,
    async wait(): Promise<void> {
      if (!hasRung && !stream.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, lookAgainMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      hasRung = false
    },
  }
}
