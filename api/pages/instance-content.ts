import type { Db } from '#db/database.ts'
import { getDeployedInstance } from '#db/instance.ts'
import { getInstance } from '#db/read/instance.ts'
import { findSubscription } from '#db/read/subscription.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'

export type InstancePageContent = Awaited<ReturnType<typeof readInstanceContent>>

/** What every part of an instance's page knows. @throws `not_found`, `id_kind_mismatch` */
export async function readInstanceContent(db: Db, address: string) {
  const id = await resolveAddress(db, 'instance', address)
  const instance = await getInstance(db, id)
  const [deployed, subscription] = await Promise.all([
    getDeployedInstance(db, id),
    findSubscription(db, instance.subscription_id),
  ])
  if (subscription === undefined) throw new BusinessError('not_found', 'There is no such instance.')
  return {
    id,
    publicId: encodeId('instance', id),
    subscriptionId: encodeId('subscription', instance.subscription_id),
    subscription,
    deployed,
    instance,
  }
}

/** Where an instance, or a part of its page, is. */
export function instanceAddress(id: string, part = ''): string {
  const address = `/instances/${encodeId('instance', id)}`
  return part === '' ? address : `${address}/${part}`
}

/** What people call it. */
export function nameOf(instance: { display_name: string | null; name: string }): string {
  return instance.display_name ?? instance.name
}
