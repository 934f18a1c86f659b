import type { PageRequest } from '#db/read/page.ts'
import { encodeCursor } from '../pagination.ts'

/** One page of a list as people see it, newest first, with the addresses of its neighbours. */
export interface ListPage<Row> {
  readonly rows: readonly Row[]
  readonly newer: string | null
  readonly older: string | null
}

/**
 * From rows that were read with one more than asked for, in the direction of reading.
 * @param filter what stays in the address from page to page
 */
export function toListPage<Row extends { id: string }>(
  read: readonly Row[],
  request: PageRequest,
  address: { path: string; filter: Readonly<Record<string, string>> },
): ListPage<Row> {
  const hasMore = read.length > request.limit
  const page = read.slice(0, request.limit)
  const isBackwards = request.direction === 'before'
  const rows = isBackwards ? page.toReversed() : page
  const [first, last] = [rows.at(0), rows.at(-1)]
  const link = (direction: 'after' | 'before', row: Row) =>
    `${address.path}?${new URLSearchParams({ ...address.filter, [direction]: encodeCursor(row.id) }).toString()}`
  const hasNewer = isBackwards ? hasMore : request.cursor !== null
  const hasOlder = isBackwards || hasMore
  return {
    rows,
    newer: hasNewer && first ? link('before', first) : null,
    older: hasOlder && last ? link('after', last) : null,
  }
}
