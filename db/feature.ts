import { sql } from 'kysely'
import { dateIn } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { joinFeatures, type Features } from '#domain/feature.ts'
import type { Db } from './database.ts'
import { getSubscription } from './subscription.ts'

/** What the lines of a subscription that are served now give; nothing, while it is not in service. @throws `subscription_unknown` */
export async function readFeatures(db: Db, subscriptionId: string, now: string): Promise<Features> {
  const subscription = await getSubscription(db, subscriptionId)
  if (subscription.phase !== 'active') return {}
  const today = dateIn(subscription.time_zone, subscription.test_clock_now_at ?? now)
  const { rows } = await sql<{ features: Features }>`
    select version.features from subscription_lines line
    join product_versions version on version.product_id = line.product_id and version.version = line.product_version
    where line.subscription_id = ${subscriptionId} and line.starts_on <= ${today}
      and (line.ends_on is null or line.ends_on > ${today}) and version.features <> '{}'
    order by line.position, line.starts_on, line.id`.execute(db)
  return joinFeatures(rows.map(({ features }) => features))
}

/** One of them: off where nothing that is sold names it. @throws `feature_unknown` where no product does */
export async function readFeature(
  db: Db,
  subscriptionId: string,
  { code, now }: { code: string; now: string },
): Promise<boolean | string> {
  const features = await readFeatures(db, subscriptionId, now)
  // By its own keys alone: `constructor` is a code as any other.
  const value = Object.hasOwn(features, code) ? features[code] : undefined
  if (value !== undefined) return value
  const { rows } = await sql<{ is_known: boolean }>`
    select exists (select from product_versions where features ? ${code}) as is_known`.execute(db)
  if (rows[0]?.is_known) return false
  throw new BusinessError('feature_unknown', `No product has a feature ${code}.`)
}
