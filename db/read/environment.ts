import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function environments(db: Db) {
  return db
    .selectFrom('environments as environment')
    .innerJoin('customers as customer', 'customer.id', 'environment.customer_id')
    .selectAll('environment')
    .select(['customer.code as customer_code', 'customer.name as customer_name'])
    .select(
      sql<number>`(select count(*)::int from instances instance
        where instance.environment_id = environment.id and instance.destroyed_at is null)`.as(
        'instance_count',
      ),
    )
}

export type EnvironmentRow = Awaited<ReturnType<typeof listEnvironments>>[number]

export async function listEnvironments(db: Db, page: PageRequest & { customerId: string | null }) {
  const query = onPage(environments(db), page, 'environment.id')
  return await (
    page.customerId === null ? query : query.where('environment.customer_id', '=', page.customerId)
  ).execute()
}

export async function getEnvironment(db: Db, id: string): Promise<EnvironmentRow> {
  return await environments(db).where('environment.id', '=', id).executeTakeFirstOrThrow()
}
