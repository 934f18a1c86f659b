import { sql, type SelectQueryBuilder } from 'kysely'

/** Where a page begins; rows are newest first, so `after` is older. */
export interface PageRequest {
  readonly limit: number
  readonly cursor: string | null
  readonly direction: 'after' | 'before'
}

/** Restricts a list to one page by a time-sorted id, with one row more than asked for, which tells whether there are more. */
export function onPage<DB, TB extends keyof DB, O>(
  query: SelectQueryBuilder<DB, TB, O>,
  page: PageRequest,
  column: string,
): SelectQueryBuilder<DB, TB, O> {
  const id = sql.ref<string>(column)
  const isOlder = page.direction === 'after'
  const ordered = query.orderBy(id, isOlder ? 'desc' : 'asc').limit(page.limit + 1)
  return page.cursor === null
    ? ordered
    : ordered.where(isOlder ? sql<boolean>`${id} < ${page.cursor}` : sql<boolean>`${id} > ${page.cursor}`)
}
