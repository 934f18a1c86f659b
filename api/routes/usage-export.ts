import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import {
  readExportedWindows,
  readUse,
  readWindowUse,
  type ExportedSpan,
  type ExportedUse,
} from '#db/read/usage-export.ts'
import { getSubscription } from '#db/subscription.ts'
import { fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import { answerCsv, type CsvCell, type CsvFile } from '../csv.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { describeRefusals } from '../openapi.ts'
import { idParams } from '../schemas/common.ts'
import {
  exportQuery,
  toUseCells,
  toWindowCells,
  useColumns,
  useQuery,
  windowColumns,
} from '../schemas/usage-export.ts'
import { parse } from '../validation.ts'
import { getUsageWindow } from './usage-windows.ts'

const path = '/v1/subscriptions/:id/usage'

/** What was billed, and what it was measured from, for the customer to take along (D-47). */
export function registerUsageExport(frame: Frame): void {
  const { db } = frame.deps
  describeWindows(frame)
  frame.page({ method: 'get', path: `${path}/windows.csv`, permission: 'usage:read' }, async (ctx) => {
    const subscriptionId = await subscriptionOf(db, ctx)
    const { from = null, until = null } = parse(exportQuery, ctx.req.query(), 'query')
    return answerCsv(ctx, windowsFile(db, { subscriptionId, from, until }))
  })
  describeReadings(frame)
  frame.page({ method: 'get', path: `${path}/readings.csv`, permission: 'usage:read' }, async (ctx) => {
    const subscriptionId = await subscriptionOf(db, ctx)
    const { of, pieces } = await useOf(db, subscriptionId, parse(useQuery, ctx.req.query(), 'query'))
    return answerCsv(ctx, readingsFile(of, pieces))
  })
}

/** Billed windows of a subscription. */
export function windowsFile(db: Db, span: ExportedSpan): CsvFile {
  const pieces = toPieces(readExportedWindows(db, span), toWindowCells)
  return { name: `${encodeId('subscription', span.subscriptionId)}-usage`, head: windowColumns, pieces }
}

/** What windows were measured from. */
export function readingsFile(of: string, pieces: AsyncIterable<readonly ExportedUse[]>): CsvFile {
  return { name: `${of}-readings`, head: useColumns, pieces: toPieces(pieces, toUseCells) }
}

/** @throws `not_found`, `id_kind_mismatch` */
async function subscriptionOf(db: Db, ctx: ApiContext): Promise<string> {
  const id = await resolveAddress(db, 'subscription', ctx.req.param('id') ?? '')
  await getSubscription(db, id)
  return id
}

/** Refused before the first byte: a file that has begun can say nothing any more. */
async function useOf(
  db: Db,
  subscriptionId: string,
  asked: z.output<typeof useQuery>,
): Promise<{ of: string; pieces: AsyncGenerator<ExportedUse[]> }> {
  const { from = null, until = null } = asked
  if (asked.window === undefined) {
    const of = encodeId('subscription', subscriptionId)
    return { of, pieces: readUse(db, { subscriptionId, from, until }) }
  }
  if (from !== null || until !== null)
    throw fieldError('?window', 'field_invalid', 'A window has its own days: leave from and until out.')
  const window = await getUsageWindow(db, asked.window)
  if (window.subscription_id !== subscriptionId)
    throw fieldError('?window', 'not_found', `The subscription has no usage window ${asked.window}.`)
  return { of: encodeId('usageWindow', window.id), pieces: readWindowUse(db, window) }
}

async function* toPieces<Row>(
  pieces: AsyncIterable<readonly Row[]>,
  toCells: (row: Row) => CsvCell[],
): AsyncGenerator<CsvCell[][]> {
  for await (const rows of pieces) yield rows.map(toCells)
}

function describeWindows(frame: Frame): void {
  describe(frame, {
    file: 'windows.csv',
    summary: 'Take the billed usage of a subscription as CSV',
    description:
      'Each billed usage window with the invoice that bills it, by RFC 4180 with a header; quantities and amounts are exact decimals, and sum up to what was billed, late usage included. A text that a spreadsheet would take for a formula begins with an apostrophe.',
    query: exportQuery,
  })
}

function describeReadings(frame: Frame): void {
  describe(frame, {
    file: 'readings.csv',
    summary: 'Take the readings and usage events of billed windows as CSV',
    description:
      'Each reading and each event once, with what it counted in the unit of its window: of a sum, these add up to the quantity that was billed, but for what came since. How the quantity comes of them stands in each row: sum, another aggregation such as max, or a formula; of a gauge and of a formula there is nothing to add up. Readings that came late are with the window of their time; asked for alone, a late window has all of that time.',
    query: useQuery,
  })
}

function describe(
  frame: Frame,
  of: {
    readonly file: string
    readonly summary: string
    readonly description: string
    readonly query: z.ZodObject
  },
): void {
  frame.app.openAPIRegistry.registerPath({
    method: 'get',
    path: `/v1/subscriptions/{id}/usage/${of.file}`,
    tags: ['Usage'],
    summary: of.summary,
    description: of.description,
    security: [{ key: [] }],
    request: { params: idParams, query: of.query },
    responses: {
      200: { description: 'The file, as it is read', content: { 'text/csv': { schema: z.string() } } },
      ...describeRefusals(new Set(['id_kind_mismatch', 'not_found', 'field_invalid'])),
    },
  })
}
