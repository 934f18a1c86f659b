import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ChangeRequestState } from '#domain/change-request.ts'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export interface ChangeRequestFilter {
  readonly state: ChangeRequestState | null
  readonly subscriptionId: string | null
}

/** Requests with what they are about. */
function changeRequests(db: Db) {
  return db
    .selectFrom('change_requests as request')
    .innerJoin('subscriptions as subscription', 'subscription.id', 'request.subscription_id')
    .innerJoin('customers as customer', 'customer.id', 'subscription.customer_id')
    .innerJoin('subscription_lines as line', 'line.id', 'request.first_line_id')
    .selectAll('request')
    .select(['subscription.title', 'customer.name as customer_name', 'line.instance_id'])
}

export type ChangeRequestRow = Awaited<ReturnType<typeof listChangeRequests>>[number]

export async function listChangeRequests(db: Db, page: PageRequest & ChangeRequestFilter) {
  let query = onPage(changeRequests(db), page, 'request.id')
  if (page.state !== null) query = query.where('request.state', '=', page.state)
  if (page.subscriptionId !== null) query = query.where('request.subscription_id', '=', page.subscriptionId)
  return await query.execute()
}

/** @throws `not_found` */
export async function getChangeRequest(db: Db, id: string): Promise<ChangeRequestRow> {
  const row = await changeRequests(db).where('request.id', '=', id).executeTakeFirst()
  if (row) return row
  throw new BusinessError('not_found', `There is no change request ${encodeId('changeRequest', id)}.`)
}
