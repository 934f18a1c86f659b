import { sql } from 'kysely'
import { deployerSignals, type FeedReading } from '#domain/deployment.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { lastingWorkflowId, startLastingWorkflow } from './lasting-workflow.ts'
import { insertWorkflowSignal } from './outbox.ts'
import { open, seal, type InstallationKey } from './sealing.ts'

const keyName = 'deployer_key'

/** Another installation, as an operator gives it. */
export interface NewDeployer {
  readonly code: string
  /** Checked, without a slash at the end. */
  readonly url: string
  /** As whom this installation orders there: id or code. */
  readonly customer: string
  /** The API key that it was given there. */
  readonly key: string
}

/** With what it is spoken to. */
export interface OpenedDeployer extends NewDeployer {
  readonly id: string
  readonly usageCursor: string | null
  readonly usageReading: FeedReading | null
}

interface By {
  readonly actor: string
  readonly now: string
}

/** Keeps a deployer, or gives the code another address and key. The key is sealed, and bound to its row. */
export async function setDeployer(
  tx: Tx,
  installationKey: InstallationKey | null,
  deployer: NewDeployer,
  by: By,
): Promise<string> {
  if (installationKey === null) throw new Error('a key is sealed with the key file, which was not given')
  const { code, url, customer, key } = deployer
  const found = await tx
    .selectFrom('deployers')
    .select('id')
    .where('code', '=', code)
    .forUpdate()
    .executeTakeFirst()
  const id = found?.id ?? newId()
  const { keyId, sealed } = seal(installationKey, id, keyName, key)
  const row = { url, customer, key_id: keyId, sealed, set_at: by.now, set_by: by.actor }
  if (found) await tx.updateTable('deployers').set(row).where('id', '=', id).execute()
  else
    await tx
      .insertInto('deployers')
      .values({ id, code, ...row })
      .execute()
  await insertEvent(tx, { kind: 'deployer.set', data: { code, url, actor: by.actor } })
  await startLastingWorkflow(
    tx,
    { kind: 'deployer', id },
    {
      summary: 'Looks at what another installation deploys',
      details: 'Takes over what was used there, and how it stands.',
    },
  )
  return id
}

/** Has it looked at now, and not when its time comes. @param occasion tells one wish from another */
export async function askDeployer(tx: Tx, id: string, occasion: string): Promise<void> {
  const workflowId = lastingWorkflowId({ kind: 'deployer', id })
  await insertWorkflowSignal(tx, { workflowId, signal: deployerSignals.lookNow }, occasion)
}

/** @throws `not_found`, `in_use` as long as it deploys anything, or a product names it */
export async function removeDeployer(tx: Tx, id: string, actor: string): Promise<void> {
  const row = await tx
    .selectFrom('deployers')
    .select('code')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw new BusinessError('not_found', 'There is no such deployer.')
  const named = await tx
    .selectFrom('product_deployers')
    .innerJoin('products', 'products.id', 'product_deployers.product_id')
    .select('products.code')
    .where('deployer_id', '=', id)
    .orderBy('products.code')
    .execute()
  if (named.length > 0)
    throw new BusinessError('in_use', `Products name it: ${named.map(({ code }) => code).join(', ')}.`)
  const known = await tx
    .selectFrom('deployments')
    .select('id')
    .where('deployer_id', '=', id)
    .executeTakeFirst()
  if (known) throw new BusinessError('in_use', 'It has deployed something, which its rows tell of.')
  await tx.deleteFrom('deployers').where('id', '=', id).execute()
  await insertEvent(tx, { kind: 'deployer.removed', data: { code: row.code, actor } })
}

/** What a product is ordered as over there: one of the two. */
export type SoldThere = { readonly product: string } | { readonly kit: string }

/**
 * From now on an order of the product has it deployed there. What was sold before stays as it is.
 * @throws `product_builds_here`
 */
export async function setProductDeployer(
  tx: Tx,
  of: { readonly deployerId: string; readonly productId: string; readonly there: SoldThere },
  by: By,
): Promise<void> {
  const built = await tx
    .selectFrom('product_applications')
    .select('application_id')
    .where('product_id', '=', of.productId)
    .executeTakeFirst()
  if (built) {
    const detail = 'The product builds an application here, now or in a version before: sell another one.'
    throw fieldError('/product', 'product_builds_here', detail)
  }
  const row = {
    deployer_id: of.deployerId,
    product_there: 'product' in of.there ? of.there.product : null,
    kit_there: 'kit' in of.there ? of.there.kit : null,
    set_at: by.now,
    set_by: by.actor,
    tried_at: null,
    refusal: null,
  }
  await tx
    .insertInto('product_deployers')
    .values({ product_id: of.productId, ...row })
    .onConflict((conflict) => conflict.column('product_id').doUpdateSet(row))
    .execute()
}

/** What is ordered there, that was tried longest ago first. */
export async function listProductsToTry(db: Db, deployerId: string, limit: number) {
  return await db
    .selectFrom('product_deployers')
    .select(['product_id', 'product_there', 'kit_there'])
    .where('deployer_id', '=', deployerId)
    .orderBy('tried_at', (order) => order.asc().nullsFirst())
    .orderBy('product_id')
    .limit(limit)
    .execute()
}

/** @param refusal why it would be refused; null: it would not be. What was given anew meanwhile was not tried. */
export async function noteProductTried(
  db: Db,
  tried: Awaited<ReturnType<typeof listProductsToTry>>[number],
  { refusal, now }: { refusal: string | null; now: string },
): Promise<void> {
  await db
    .updateTable('product_deployers')
    .set({ refusal, tried_at: now })
    .where('product_id', '=', tried.product_id)
    .where('product_there', 'is not distinct from', tried.product_there)
    .where('kit_there', 'is not distinct from', tried.kit_there)
    .execute()
}

/** @throws `not_found` */
export async function removeProductDeployer(tx: Tx, deployerId: string, productId: string): Promise<void> {
  const gone = await tx
    .deleteFrom('product_deployers')
    .where('product_id', '=', productId)
    .where('deployer_id', '=', deployerId)
    .returning('product_id')
    .executeTakeFirst()
  if (!gone) throw new BusinessError('not_found', 'The deployer does not deploy this product.')
}

/** With its key; undefined once it was removed. */
export async function openDeployer(
  db: Db,
  installationKey: InstallationKey,
  id: string,
): Promise<OpenedDeployer | undefined> {
  const row = await db.selectFrom('deployers').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) return undefined
  const { code, url, customer, usage_cursor: usageCursor, usage_reading: usageReading } = row
  const key = open(installationKey, id, { name: keyName, keyId: row.key_id, sealed: row.sealed })
  return { id, code, url, customer, key, usageCursor, usageReading }
}

/** A page of its feed is here: broken off, the reading goes on behind it. */
export async function noteUsagePage(db: Db, id: string, reading: FeedReading): Promise<void> {
  await db
    .updateTable('deployers')
    .set({ usage_reading: JSON.stringify(reading) })
    .where('id', '=', id)
    .execute()
}

/** Its feed was read to the end. Of two who read at a time, neither takes back what the other knows. */
export async function noteUsageTaken(
  db: Db,
  id: string,
  { cursor, begunAt }: { cursor: string; begunAt: string },
): Promise<void> {
  await db
    .updateTable('deployers')
    .set({
      usage_cursor: cursor,
      usage_reading: null,
      usage_taken_at: sql<string>`greatest(usage_taken_at, ${begunAt}::timestamptz)`,
    })
    .where('id', '=', id)
    .execute()
}

export async function noteDeployerAnswers(db: Db, id: string): Promise<void> {
  await db.updateTable('deployers').set({ failing_since: null, failure: null }).where('id', '=', id).execute()
}

/** It cannot be reached, or refuses: since when, and why. @returns since when */
export async function noteDeployerFailure(
  db: Db,
  id: string,
  { detail, now }: { detail: string; now: string },
): Promise<string> {
  const row = await db
    .updateTable('deployers')
    .set((eb) => ({
      failing_since: eb.fn.coalesce('failing_since', eb.val(now)),
      failure: detail.slice(0, 1_000),
    }))
    .where('id', '=', id)
    .returning('failing_since')
    .executeTakeFirst()
  return row?.failing_since ?? now
}
