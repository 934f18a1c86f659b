import { z } from '@hono/zod-openapi'
import type { PageRequest } from '#db/read/page.ts'
import { BusinessError } from '#domain/errors.ts'

const defaultLimit = 25
const greatestLimit = 100

/** The query of every list. */
export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(greatestLimit)
    .default(defaultLimit)
    .openapi({ description: `Rows on a page, 1 to ${greatestLimit}.` }),
  after: z.string().optional().openapi({ description: 'A cursor: rows that come after it in the list.' }),
  before: z.string().optional().openapi({ description: 'A cursor: rows that come before it in the list.' }),
}

/** The answer of every list. */
export function pageOf<T extends z.ZodType>(row: T) {
  return z.object({
    data: z.array(row),
    has_more: z.boolean(),
    next_cursor: z
      .string()
      .nullable()
      .openapi({ description: 'Send it as after, or as before when you went backwards; null at the end.' }),
  })
}

/** @throws `field_invalid` for a cursor that we never gave out */
export function toPageRequest(query: {
  limit: number
  after?: string | undefined
  before?: string | undefined
}): PageRequest {
  if (query.after !== undefined && query.before !== undefined) {
    throw cursorError('?before', 'Send after or before, not both.')
  }
  const direction = query.before === undefined ? 'after' : 'before'
  const cursor = query.before ?? query.after
  return {
    limit: query.limit,
    cursor: cursor === undefined ? null : decodeCursor(cursor, `?${direction}`),
    direction,
  }
}

interface Page<Json> {
  data: Json[]
  has_more: boolean
  next_cursor: string | null
}

/**
 * A page from rows that were read with one more than asked for, in the direction of reading.
 * The cursor holds a row's id: rows that are added meanwhile double nothing and hide nothing.
 */
export function toPage<Row extends { id: string }, Json>(
  rows: readonly Row[],
  request: PageRequest,
  toJson: (row: Row) => Json,
): Page<Json> {
  return toPageBy(rows, request, { toJson, toCursor: ({ id }) => encodeCursor(id) })
}

/** The same of rows that have another place in their list than their id. */
export function toPageBy<Row, Json>(
  rows: readonly Row[],
  request: Pick<PageRequest, 'limit' | 'direction'>,
  { toJson, toCursor }: { toJson: (row: Row) => Json; toCursor: (row: Row) => string },
): Page<Json> {
  const hasMore = rows.length > request.limit
  const page = rows.slice(0, request.limit)
  const last = page.at(-1)
  const data = request.direction === 'before' ? page.toReversed() : page
  return {
    data: data.map(toJson),
    has_more: hasMore,
    next_cursor: hasMore && last !== undefined ? toCursor(last) : null,
  }
}

export function encodeCursor(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url')
}

function decodeCursor(text: string, pointer: string): string {
  const hex = Buffer.from(text, 'base64url').toString('hex')
  if (!/^[\w-]{22}$/.test(text) || hex.length !== 32)
    throw cursorError(pointer, 'This is not a cursor of a list.')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function cursorError(pointer: string, detail: string): BusinessError {
  return new BusinessError('field_invalid', detail, { fields: [{ pointer, code: 'field_invalid', detail }] })
}
