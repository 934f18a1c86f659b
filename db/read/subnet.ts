import type { Db } from '../database.ts'
import { readSubnetUse } from '../subnet.ts'

export type SubnetOverview = Awaited<ReturnType<typeof readSubnets>>

/** The addresses of a server: how many are left, who has which, and what others have. */
export async function readSubnets(db: Db, serverId: string) {
  return {
    use: await readSubnetUse(db, serverId),
    taken: await db
      .selectFrom('subnets')
      .innerJoin('environments', 'environments.id', 'subnets.environment_id')
      .innerJoin('customers', 'customers.id', 'environments.customer_id')
      .select(['subnets.range', 'subnets.environment_id', 'customers.code as customer'])
      .where('server_id', '=', serverId)
      .orderBy('range')
      .execute(),
    foreign: await db
      .selectFrom('foreign_subnets')
      .select(['range', 'holder', 'seen_at'])
      .where('server_id', '=', serverId)
      .orderBy('range')
      .execute(),
  }
}
