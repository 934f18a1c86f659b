import Big from 'big.js'
import { sql, type Selectable } from 'kysely'
import type { PlannedAddition } from '#domain/addition.ts'
import {
  checkDeployedElsewhere,
  recordedThereWithinMs,
  sayDeployedElsewhere,
  type DeployedThere,
  type DeploymentState,
  type SeenThere,
} from '#domain/deployment.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import type { PlannedSubscription } from '#domain/order.ts'
import { within, type Db, type Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import type { DeploymentsTable } from './tables/deployer.ts'
import { closeTasks, openTask } from './task.ts'

export type Deployment = Selectable<DeploymentsTable>

/**
 * What of a subscription is deployed elsewhere, as its products say today: one row a line, written with the sale.
 * @throws `field_invalid` on a test clock: over there it would be real
 */
export async function insertDeployments(
  tx: Tx,
  subscriptionId: string,
  { isOnTestClock }: { isOnTestClock: boolean },
): Promise<void> {
  const lines = await tx
    .selectFrom('subscription_lines as line')
    .innerJoin('product_deployers as there', 'there.product_id', 'line.product_id')
    .select(['line.id', 'line.quantity', 'line.billing_type'])
    .select(['there.deployer_id', 'there.product_there', 'there.kit_there'])
    .where('line.subscription_id', '=', subscriptionId)
    .orderBy('line.position')
    .execute()
  if (lines.length === 0) return
  if (isOnTestClock)
    throw fieldError('/test_clock', 'field_invalid', 'What is deployed elsewhere lives in real time.')
  await tx
    .insertInto('deployments')
    .values(
      lines.map((line) => ({
        id: newId(),
        subscription_id: subscriptionId,
        first_line_id: line.id,
        deployer_id: line.deployer_id,
        product_there: line.product_there,
        kit_there: line.kit_there,
        // What is metered is sold without a quantity, and deployed once.
        quantity: line.billing_type === 'usage' ? '1' : line.quantity,
      })),
    )
    .execute()
}

/** @throws as `checkDeployedElsewhere` */
export async function refuseToldElsewhere(
  db: Db,
  planned: readonly PlannedSubscription[],
  additions: readonly PlannedAddition[],
): Promise<void> {
  const lines = [
    ...planned.flatMap((subscription) => subscription.lines),
    ...additions.flatMap(({ line, options }) => [line, ...options]),
  ]
  const productIds = lines.map(({ product }) => product.id)
  checkDeployedElsewhere(planned, additions, await readDeployersOf(db, productIds))
}

/** Codes of deployers by the products that they deploy today. */
async function readDeployersOf(db: Db, productIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('product_deployers')
    .innerJoin('deployers', 'deployers.id', 'product_deployers.deployer_id')
    .select(['product_id', 'deployers.code'])
    .where('product_id', '=', sql<string>`any(${productIds}::uuid[])`)
    .execute()
  return new Map(rows.map(({ product_id: productId, code }) => [productId, code]))
}

/** Where what is sold of a product is deployed from today on. */
async function findDeployerOf(db: Db, productId: string): Promise<DeployedThere | undefined> {
  const deployer = (await readDeployersOf(db, [productId])).get(productId)
  return deployer === undefined ? undefined : { deployer, subscriptionThere: null }
}

/** Where the lives of lines are deployed now, the first that is found. */
async function findDeployed(db: Db, firstLineIds: readonly string[]): Promise<DeployedThere | undefined> {
  return await db
    .selectFrom('deployments')
    .innerJoin('deployers', 'deployers.id', 'deployments.deployer_id')
    .select(['deployers.code as deployer', 'subscription_there as subscriptionThere'])
    .where('deployments.state', '<>', 'ended')
    .where('first_line_id', '=', sql<string>`any(${firstLineIds}::uuid[])`)
    .orderBy('deployments.id')
    .executeTakeFirst()
}

/**
 * The same product sold at another price is the same over there; another one, or another quantity, is not.
 * @throws `deployed_elsewhere`
 */
export async function refuseChangeElsewhere(
  db: Db,
  line: { readonly first_line_id: string; readonly product_id: string; readonly quantity: string },
  wanted: { readonly productId: string; readonly productCode: string; readonly quantity: string },
): Promise<void> {
  const isOther = wanted.productId !== line.product_id
  if (!isOther && new Big(wanted.quantity).eq(line.quantity)) return
  const there =
    (await findDeployed(db, [line.first_line_id])) ??
    (isOther ? await findDeployerOf(db, wanted.productId) : undefined)
  if (there === undefined) return
  const what = isOther ? `A change to ${wanted.productCode}` : 'Another quantity'
  const detail = sayDeployedElsewhere(what, there)
  throw fieldError(isOther ? '/product' : '/quantity', 'deployed_elsewhere', detail)
}

/** @throws `deployed_elsewhere` for a line that is deployed elsewhere, or beside which something is */
export async function refuseTransferElsewhere(db: Db, firstLineId: string): Promise<void> {
  const beside = await db
    .selectFrom('subscription_lines')
    .select('first_line_id')
    .where('main_line_id', '=', firstLineId)
    .execute()
  const there = await findDeployed(db, [firstLineId, ...beside.map((line) => line.first_line_id)])
  if (there === undefined) return
  throw new BusinessError('deployed_elsewhere', sayDeployedElsewhere('A transfer to another customer', there))
}

/** Of a subscription, in the order in which they were sold. */
export async function listDeploymentsOf(db: Db, subscriptionId: string): Promise<Deployment[]> {
  return await db
    .selectFrom('deployments')
    .selectAll()
    .where('subscription_id', '=', subscriptionId)
    .orderBy('id')
    .execute()
}

/** What a deployer has of ours and has not ended. */
export async function listLiveDeployments(db: Db, deployerId: string): Promise<Deployment[]> {
  return await db
    .selectFrom('deployments')
    .selectAll()
    .where('deployer_id', '=', deployerId)
    .where('state', '<>', 'ended')
    .where('subscription_there', 'is not', null)
    .orderBy('id')
    .execute()
}

/** Whose subscriptions the other side's are, by their ids over there. */
export async function findSubscriptionsHere(
  db: Db,
  deployerId: string,
  subscriptionsThere: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('deployments')
    .select(['subscription_there', 'subscription_id'])
    .where('deployer_id', '=', deployerId)
    .where('subscription_there', '=', sql<string>`any(${subscriptionsThere}::text[])`)
    .execute()
  return new Map(rows.map((row) => [row.subscription_there ?? '', row.subscription_id]))
}

/**
 * Whose use until an instant is not here yet: one that deploys the subscription was read last before it could be known there.
 * @returns indexes of those that are asked for
 */
export async function findNotTakenOver(
  db: Db,
  asked: readonly { readonly subscriptionId: string; readonly until: string }[],
): Promise<ReadonlySet<number>> {
  if (asked.length === 0) return new Set()
  const { rows } = await sql<{ index: number }>`
    select asked.index - 1 as index
    from unnest(${asked.map((of) => of.subscriptionId)}::uuid[], ${asked.map((of) => of.until)}::timestamptz[])
      with ordinality as asked (subscription_id, until, index)
    where exists (
      select from deployments join deployers on deployers.id = deployments.deployer_id
      where deployments.subscription_id = asked.subscription_id and deployments.state in ('running', 'stopped')
        and coalesce(deployers.usage_taken_at, '-infinity')
          < asked.until + ${recordedThereWithinMs} * interval '1 millisecond')`.execute(db)
  return new Set(rows.map(({ index }) => index))
}

/** @throws `not_found` */
export async function getDeployment(db: Db, id: string): Promise<Deployment> {
  const row = await db.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new BusinessError('not_found', 'There is no such deployment.')
  return row
}

export async function setDeploymentState(db: Db, id: string, state: DeploymentState): Promise<void> {
  await db.updateTable('deployments').set({ state }).where('id', '=', id).execute()
}

/** Keeps how it stands over there, tells of what changed, and has a task for a person as long as it waits for one there. */
export async function noteDeploymentSeen(
  db: Db,
  { id, subscription_id: subscriptionId }: Deployment,
  seen: SeenThere,
  now: string,
): Promise<void> {
  await within(db, async (tx) => {
    const before = await tx
      .selectFrom('deployments')
      .select(['phase_there', 'parked_there'])
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirstOrThrow()
    await tx
      .updateTable('deployments')
      .set({
        subscription_there: seen.subscription,
        phase_there: seen.phase,
        parked_there: seen.parkedReason,
        address_there: seen.address,
        seen_at: now,
      })
      .where('id', '=', id)
      .execute()
    if (before.phase_there !== seen.phase)
      await insertEvent(tx, {
        kind: 'deployment.seen',
        subscriptionId,
        data: { subscription_there: seen.subscription, phase: seen.phase },
      })
    if (before.parked_there !== seen.parkedReason) await tellOfParking(tx, subscriptionId, seen)
  })
}

/** They stand as they were seen before. */
export async function noteDeploymentsUnchanged(db: Db, ids: readonly string[], now: string): Promise<void> {
  if (ids.length === 0) return
  await db
    .updateTable('deployments')
    .set({ seen_at: now })
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
}

async function tellOfParking(tx: Tx, subscriptionId: string, seen: SeenThere): Promise<void> {
  if (seen.parkedReason === null)
    return await closeTasks(
      tx,
      { kind: 'subscription', id: subscriptionId, reason: 'it goes on over there' },
      ['deployment_parked'],
    )
  await openTask(tx, {
    kind: 'deployment_parked',
    subjectKind: 'subscription',
    subjectId: subscriptionId,
    subject: `Over there it waits for a person: ${seen.parkedReason}`,
    detail: `Subscription ${seen.subscription} of the deployer is ${seen.phase} and parked. Once somebody helps it over there, it goes on here by itself.`,
  })
}
