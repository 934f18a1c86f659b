import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

/** A product that it deploys, and as what. */
export interface DeployedProduct {
  readonly product: string
  readonly product_there: string | null
  readonly kit_there: string | null
  /** Why its order would be refused there, as it was tried last. */
  readonly refusal: string | null
}

/** Nobody is shown what is sealed. */
function deployers(db: Db) {
  return db
    .selectFrom('deployers')
    .select(['id', 'code', 'url', 'customer', 'set_at', 'set_by', 'created_at'])
    .select(['usage_taken_at', 'failing_since', 'failure'])
    .select(
      sql<DeployedProduct[]>`coalesce((select json_agg(json_build_object('product', products.code,
          'product_there', of.product_there, 'kit_there', of.kit_there, 'refusal', of.refusal) order by products.code)
        from product_deployers of join products on products.id = of.product_id
        where of.deployer_id = deployers.id), '[]')`.as('products'),
    )
    .select(
      sql<number>`(select count(*)::integer from deployments
        where deployments.deployer_id = deployers.id and deployments.state <> 'ended')`.as('deployments'),
    )
}

export type DeployerRow = Awaited<ReturnType<typeof listDeployers>>[number]

export async function listDeployers(db: Db, page: PageRequest) {
  return await onPage(deployers(db), page, 'id').execute()
}

export async function getDeployer(db: Db, id: string): Promise<DeployerRow> {
  return await deployers(db).where('id', '=', id).executeTakeFirstOrThrow()
}

export type DeploymentRow = Awaited<ReturnType<typeof listDeployments>>[number]

/** What of a subscription is deployed elsewhere, and how it stands there as it was seen last. */
export async function listDeployments(db: Db, subscriptionId: string) {
  return await db
    .selectFrom('deployments as deployment')
    .innerJoin('deployers', 'deployers.id', 'deployment.deployer_id')
    .innerJoin('subscription_lines as line', 'line.id', 'deployment.first_line_id')
    .selectAll('deployment')
    .select(['deployers.code as deployer_code', 'deployers.url as deployer_url', 'line.description'])
    .where('deployment.subscription_id', '=', subscriptionId)
    .orderBy('deployment.id')
    .execute()
}
