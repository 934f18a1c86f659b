import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function testClocks(db: Db) {
  return db
    .selectFrom('test_clocks as clock')
    .selectAll('clock')
    .select(
      sql<number>`(select count(*)::int from subscriptions subscription
        where subscription.test_clock_id = clock.id)`.as('subscription_count'),
    )
    .select(
      sql<number>`(select count(*)::int from subscription_documents document
        where document.test_clock_id = clock.id and document.closed_at is null and document.finalize_on is not null
          and document.customer_id in (select customer_id from subscriptions where test_clock_id = clock.id))`.as(
        'draft_count',
      ),
    )
}

export type TestClockRow = Awaited<ReturnType<typeof listTestClocks>>[number]

export async function listTestClocks(db: Db, page: PageRequest) {
  return await onPage(testClocks(db), page, 'clock.id').execute()
}

export async function getTestClock(db: Db, id: string): Promise<TestClockRow> {
  return await testClocks(db).where('clock.id', '=', id).executeTakeFirstOrThrow()
}
