import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function links(db: Db) {
  return db
    .selectFrom('links as link')
    .innerJoin('instances as wanting', 'wanting.id', 'link.wanting_instance_id')
    .leftJoin('instances as offering', 'offering.id', 'link.offering_instance_id')
    .selectAll('link')
    .select(['wanting.name as wanting_name', 'wanting.subscription_id', 'offering.name as offering_name'])
}

export type LinkListRow = Awaited<ReturnType<typeof listLinks>>[number]

/** Links in which the instances of a subscription are one side, or all. */
export async function listLinks(db: Db, page: PageRequest & { subscriptionId: string | null }) {
  const query = onPage(links(db), page, 'link.id')
  const { subscriptionId } = page
  if (subscriptionId === null) return await query.execute()
  return await query
    .where((of) =>
      of.or([
        of('wanting.subscription_id', '=', subscriptionId),
        of('offering.subscription_id', '=', subscriptionId),
      ]),
    )
    .execute()
}

/** What the instances of a subscription are linked to, by name. */
export async function listLinksOfInstances(db: Db, instanceIds: readonly string[]): Promise<LinkListRow[]> {
  return await links(db)
    .where('wanting.id', '=', sql<string>`any(${instanceIds}::uuid[])`)
    .orderBy('link.name')
    .execute()
}
