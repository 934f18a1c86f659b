import { encodeId } from '#domain/identifier.ts'
import { checkAcceptance, type Acceptance } from '#domain/service-terms.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'

/** The version in force at an instant: the newest that is published. */
export async function findTermsInForce(db: Db, now: string): Promise<number | null> {
  const row = await db
    .selectFrom('service_terms')
    .select('version')
    .where('published_at', '<=', now)
    .orderBy('published_at', 'desc')
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.version ?? null
}

/** Adds the next version. Two who publish at once get two numbers. */
export async function publishTerms(
  tx: Tx,
  terms: { text: string | null; url: string | null; publishedAt: string },
): Promise<number> {
  await tx.selectFrom('installation').select('id').forNoKeyUpdate().execute()
  const last = await tx
    .selectFrom('service_terms')
    .select('version')
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  const version = (last?.version ?? 0) + 1
  const { text, url, publishedAt } = terms
  await tx.insertInto('service_terms').values({ version, text, url, published_at: publishedAt }).execute()
  return version
}

/**
 * Keeps which version an order accepted, when and by whom. The instant is the real one, whatever clock the order lives by.
 * @throws `terms_not_accepted`
 */
export async function keepAcceptance(
  tx: Tx,
  order: { id: string; customerId: string; channel: string },
  accepted: Acceptance | null,
  now: string,
): Promise<void> {
  const { terms_required: required } = await tx
    .selectFrom('installation')
    .select('terms_required')
    .executeTakeFirstOrThrow()
  const { channel } = order
  checkAcceptance(accepted?.version ?? null, await findTermsInForce(tx, now), { channel, required })
  if (accepted === null) return
  const { version, by } = accepted
  await tx
    .updateTable('orders')
    .set({ terms_version: version, terms_accepted_at: now, terms_accepted_by: by })
    .where('id', '=', order.id)
    .execute()
  await insertEvent(tx, {
    kind: 'order.terms_accepted',
    customerId: order.customerId,
    businessAt: now,
    data: { order: encodeId('order', order.id), version, actor: by },
  })
}
