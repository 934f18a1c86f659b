import { BusinessError } from '#domain/errors.ts'
import type { Tx } from './database.ts'
import { getDeployedInstance } from './instance.ts'

/**
 * Says that an instance's offer of a kind is taken on its server where nothing nearer is, instead of the one that was before; or
 * that it is not any more.
 * @throws `not_found`, `link_missing` where it offers nothing of the kind
 */
export async function setPreferredOffer(
  tx: Tx,
  instanceId: string,
  { kind, isPreferred, by }: { kind: string; isPreferred: boolean; by: string },
): Promise<void> {
  const { definition, serverId, state } = await getDeployedInstance(tx, instanceId)
  const offers = (definition.offers ?? []).map((offer) => offer.kind)
  if (!offers.includes(kind) || state === 'destroyed')
    throw new BusinessError(
      'link_missing',
      `It offers no ${kind}. What it offers: ${offers.join(', ') || 'nothing'}.`,
    )
  if (!isPreferred) {
    await tx
      .deleteFrom('preferred_offers')
      .where('server_id', '=', serverId)
      .where('kind', '=', kind)
      .where('instance_id', '=', instanceId)
      .execute()
    return
  }
  const row = { instance_id: instanceId, preferred_by: by, preferred_at: new Date().toISOString() }
  await tx
    .insertInto('preferred_offers')
    .values({ server_id: serverId, kind, ...row })
    .onConflict((conflict) => conflict.columns(['server_id', 'kind']).doUpdateSet(row))
    .execute()
}
