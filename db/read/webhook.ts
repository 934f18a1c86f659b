import { sql } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

/** Nobody is shown what is sealed. */
function webhooks(db: Db) {
  return db
    .selectFrom('webhooks')
    .selectAll()
    .select((eb) => [
      eb
        .selectFrom('webhook_deliveries')
        .select((count) => count.fn.countAll<number>().as('count'))
        .whereRef('webhook_id', '=', 'webhooks.id')
        .where('state', '=', 'waiting')
        .$asScalar()
        .$notNull()
        .as('waiting'),
      eb
        .selectFrom('webhook_secrets')
        .select('expires_at')
        .whereRef('webhook_id', '=', 'webhooks.id')
        .where('expires_at', 'is not', null)
        .$asScalar()
        .as('old_secret_expires_at'),
    ])
    .where('state', '<>', 'deleted')
}

export type WebhookRow = Awaited<ReturnType<typeof listWebhooks>>[number]

export async function listWebhooks(db: Db, page: PageRequest) {
  return await onPage(webhooks(db), page, 'id').execute()
}

/** @throws `not_found` */
export async function getWebhook(db: Db, id: string): Promise<WebhookRow> {
  const row = await webhooks(db).where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new BusinessError('not_found', 'There is no such webhook.')
  return row
}

export interface DeliveryFilter {
  readonly webhookId: string
  readonly state: 'waiting' | 'delivered' | 'given_up' | null
  /** Of this event only. */
  readonly eventId: number | null
}

interface LoggedAttempt {
  readonly at: string
  readonly duration_ms: number
  readonly status: number | null
  readonly failure: string | null
  readonly answer: string | null
}

/** Of a delivery that fails for days, the newest. */
const mostAttempts = 20

/** Deliveries by the newest event first, each with its event and its attempts, the newest first. */
export async function listDeliveries(
  db: Db,
  filter: DeliveryFilter,
  { before, limit }: { before: number | null; limit: number },
) {
  let query = db
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('events', 'events.id', 'delivery.event_id')
    .selectAll('events')
    .select(['delivery.state', 'delivery.failures', 'delivery.due_at', 'delivery.settled_at'])
    .select('delivery.queued_at')
    .select(
      sql<
        LoggedAttempt[]
      >`coalesce((select json_agg(json_build_object('at', to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'duration_ms', duration_ms, 'status', status,
        'failure', failure, 'answer', answer) order by id desc) from (select * from webhook_attempts attempt
        where attempt.webhook_id = delivery.webhook_id and attempt.event_id = delivery.event_id order by id desc limit ${mostAttempts}) newest), '[]')`.as(
        'attempts',
      ),
    )
    .where('delivery.webhook_id', '=', filter.webhookId)
    .orderBy('delivery.event_id', 'desc')
    .limit(limit)
  if (before !== null) query = query.where('delivery.event_id', '<', before)
  if (filter.state !== null) query = query.where('delivery.state', '=', filter.state)
  if (filter.eventId !== null) query = query.where('delivery.event_id', '=', filter.eventId)
  return await query.execute()
}

export type DeliveryRow = Awaited<ReturnType<typeof listDeliveries>>[number]
