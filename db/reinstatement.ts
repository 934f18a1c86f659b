import { compareDates } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { OrderChannel } from '#domain/order-hold.ts'
import { readTermsLeft } from './agreed-terms.ts'
import type { Tx } from './database.ts'
import { newId } from './identifier.ts'
import type { LineRow } from './line-change.ts'
import { keepInstanceSecrets } from './order-secret.ts'
import { noteSoldLimit } from './limit.ts'
import { confirmOrder } from './order.ts'
import { open, type InstallationKey } from './sealing.ts'
import { listSecrets } from './secret.ts'
import { lockSubscription, tellOf, type Subscription } from './subscription.ts'

export interface AskedReinstatement {
  readonly actor: string
  readonly channel: OrderChannel
  readonly now: string
  /** Opens what was sealed for the ended instances; null where nothing was. */
  readonly installationKey: InstallationKey | null
}

/** An instance that was removed, and what is kept of it. */
interface EndedInstance {
  readonly id: string
  readonly applicationId: string
  readonly versionId: string
  readonly name: string
  readonly variables: Readonly<Record<string, string | null>>
  readonly backupId: string | null
}

/**
 * Brings back what has ended while its last backup is kept (C-40): an order and a subscription of their own, for the same customer in
 * the same environment, with the lines as they were agreed when it ended, and instances of the same names and secrets that begin with
 * the backups. Its own bills stay as they are; the new one is billed from the day on which it is active again.
 * @throws `action_not_allowed` before it has ended, `reinstated_already`, `backup_expired`, `backup_not_restorable`, and what an order
 *   is refused for
 */
export async function reinstateSubscription(
  tx: Tx,
  subscriptionId: string,
  asked: AskedReinstatement,
): Promise<{ orderId: string; subscriptionId: string }> {
  const ended = await lockSubscription(tx, subscriptionId)
  await refuseStanding(tx, ended)
  const instances = await lockInstances(tx, subscriptionId, asked.now)
  const { orderId, subscriptionIds } = await orderAgain(tx, ended, { instances, asked })
  const [id] = subscriptionIds
  if (id === undefined) throw new Error('an order of a line makes a subscription')
  await tx.updateTable('subscriptions').set({ reinstated_from_id: ended.id }).where('id', '=', id).execute()
  const madeIds = await followInstances(tx, id, { instances, asked })
  await takeOverLines(tx, { endedId: ended.id, id, madeIds })
  await tellOf(tx, ended, 'subscription.reinstated', {
    now: ended.test_clock_now_at ?? asked.now,
    data: { subscription: encodeId('subscription', id), actor: asked.actor },
  })
  return { orderId, subscriptionId: id }
}

async function refuseStanding(tx: Tx, { id, phase, activated_at: activatedAt }: Subscription): Promise<void> {
  if (phase !== 'ended') {
    const how =
      phase === 'unbuilding'
        ? 'It is being taken down: wait until that has ended.'
        : 'Withdraw its cancellation instead, where it has one.'
    throw new BusinessError('action_not_allowed', `The subscription is ${phase}. ${how}`)
  }
  if (activatedAt === null)
    throw new BusinessError('action_not_allowed', 'It was never active: order it again instead.')
  const live = await tx
    .selectFrom('subscriptions')
    .select('id')
    .where('reinstated_from_id', '=', id)
    .where('phase', '<>', 'ended')
    .executeTakeFirst()
  if (live)
    throw new BusinessError('reinstated_already', `It goes on as ${encodeId('subscription', live.id)}.`)
}

/** Its backups stay until the order is there. */
async function lockInstances(tx: Tx, subscriptionId: string, now: string): Promise<EndedInstance[]> {
  const rows = await tx
    .selectFrom('instances')
    .innerJoin('application_versions as version', 'version.id', 'instances.application_version_id')
    .select(['instances.id', 'instances.name', 'instances.variables'])
    .select(['version.application_id', 'version.id as version_id'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('instances.sequence')
    .execute()
  const backups = await tx
    .selectFrom('backups')
    .select(['id', 'instance_id', 'state', 'expires_at'])
    .where(
      'instance_id',
      'in',
      rows.map(({ id }) => id),
    )
    .where('reason', '=', 'last')
    .forUpdate()
    .execute()
  if (backups.some(({ state, expires_at: at }) => state === 'deleted' || (at !== null && at <= now)))
    throw new BusinessError('backup_expired', 'What it held was kept for its time, and is not kept any more.')
  const kept = backups.filter(({ state }) => state === 'kept')
  if (kept.length === 0)
    throw new BusinessError('backup_not_restorable', 'Nothing of it was saved: order it again instead.')
  return rows.map((row) => ({
    id: row.id,
    applicationId: row.application_id,
    versionId: row.version_id,
    name: row.name,
    variables: row.variables,
    backupId: kept.find(({ instance_id: instanceId }) => instanceId === row.id)?.id ?? null,
  }))
}

interface Reinstatement {
  readonly instances: readonly EndedInstance[]
  readonly asked: AskedReinstatement
}

/** What it was sold as, in its environment; it was paid, accepted and tried before. */
async function orderAgain(tx: Tx, ended: Subscription, { instances, asked }: Reinstatement) {
  const line = await tx
    .selectFrom('order_lines')
    .selectAll()
    .where('id', '=', ended.order_line_id)
    .executeTakeFirstOrThrow()
  const { terms, ...agreed } = line.agreed
  return await confirmOrder(
    tx,
    {
      customerId: ended.customer_id,
      lines: [
        {
          ...(line.kit_id === null ? { productId: line.product_id ?? '' } : { kitId: line.kit_id }),
          quantity: line.quantity,
          agreed: { ...agreed, tags: ended.tags, terms: { ...terms, trialDays: 0 } },
        },
      ],
      testClockId: ended.test_clock_id,
      currency: ended.currency,
      channel: asked.channel,
      actor: asked.actor,
      now: asked.now,
      purchaseOrderReference: ended.purchase_order_reference,
      hasOwnAnchor: ended.has_own_anchor,
      isBilledElsewhere: ended.is_billed_elsewhere,
      leastAmount: ended.least_amount,
      greatestAmount: ended.greatest_amount,
      environment: { kind: 'existing', environmentId: ended.environment_id },
      restoreFromBackupId: instances.find(({ backupId }) => backupId !== null)?.backupId ?? null,
      installationKey: asked.installationKey,
    },
    { isHandedOver: true },
  )
}

/** The new instances are what the ended ones were. @returns the new ones by the ids of the ended */
async function followInstances(
  tx: Tx,
  subscriptionId: string,
  { instances, asked }: Reinstatement,
): Promise<Map<string, string>> {
  const made = await tx
    .selectFrom('instances')
    .innerJoin('application_versions as version', 'version.id', 'instances.application_version_id')
    .select(['instances.id', 'version.application_id'])
    .where('subscription_id', '=', subscriptionId)
    .execute()
  const ids = new Map<string, string>()
  for (const ended of instances) {
    const own = made.find(({ application_id: applicationId }) => applicationId === ended.applicationId)
    if (own === undefined || made.length !== instances.length) {
      const detail =
        'It is not sold with the same applications any more: order what there is, with restore_from.'
      throw new BusinessError('backup_not_restorable', detail)
    }
    ids.set(ended.id, own.id)
    await tx
      .updateTable('instances')
      .set({
        name: ended.name,
        application_version_id: ended.versionId,
        variables: JSON.stringify(ended.variables),
        restored_from_backup_id: ended.backupId,
      })
      .where('id', '=', own.id)
      .execute()
    await takeOverSecrets(tx, ended.id, own.id, asked.installationKey)
  }
  return ids
}

/** What it generated and what was said to it in secret: its data knows them. */
async function takeOverSecrets(
  tx: Tx,
  fromId: string,
  toId: string,
  key: InstallationKey | null,
): Promise<void> {
  const sealed = await listSecrets(tx, fromId)
  if (key === null && sealed.length > 0)
    throw new Error('secrets are opened with the key file, which was not given')
  if (key === null) return
  const opened = sealed.map((secret) => [secret.name, open(key, fromId, secret)])
  await keepInstanceSecrets(tx, toId, Object.fromEntries(opened), key)
}

/** Its lines are those that were in force when it ended, at their prices; what was paid once is not sold again. */
async function takeOverLines(
  tx: Tx,
  { endedId, id, madeIds }: { endedId: string; id: string; madeIds: ReadonlyMap<string, string> },
): Promise<void> {
  const lines = await listLast(tx, endedId)
  await tx.deleteFrom('subscription_lines').where('subscription_id', '=', id).execute()
  const taken = new Map(lines.map((line) => [line.first_line_id, newId()]))
  for (const line of lines.toSorted((first, second) => first.position - second.position)) {
    const lineId = taken.get(line.first_line_id) ?? ''
    const instanceId = madeIds.get(line.instance_id ?? '') ?? null
    const { billed_until: _billed, created_at: _created, ...kept } = line
    await tx
      .insertInto('subscription_lines')
      .values({
        ...kept,
        id: lineId,
        first_line_id: lineId,
        subscription_id: id,
        document_id: null,
        instance_id: instanceId,
        price: JSON.stringify(line.price),
        terms: JSON.stringify(await readTermsLeft(tx, line, line.ends_on ?? line.starts_on)),
        conversion: line.conversion && JSON.stringify(line.conversion),
        main_line_id: taken.get(line.main_line_id ?? '') ?? null,
        opened_by: null,
        closed_by: null,
        starts_on: null,
        ends_on: null,
      })
      .execute()
    if (line.limit_code !== null && instanceId !== null)
      await noteSoldLimit(tx, { instanceId, code: line.limit_code, quantity: line.quantity })
  }
}

async function listLast(tx: Tx, subscriptionId: string): Promise<LineRow[]> {
  const rows = await tx
    .selectFrom('subscription_lines')
    .selectAll()
    .$narrowType<{ starts_on: string; ends_on: string }>()
    .where('subscription_id', '=', subscriptionId)
    .where('interval_unit', 'is not', null)
    .where('starts_on', 'is not', null)
    .where('ends_on', 'is not', null)
    .orderBy('starts_on')
    .orderBy('id')
    .execute()
  // What is metered ends a day later: the day of the end is counted whole.
  const paid = rows.filter((row) => row.billing_type !== 'usage')
  const ends = (paid.length === 0 ? rows : paid).map((row) => row.ends_on)
  const lastDay = ends.toSorted(compareDates).at(-1) ?? ''
  const last = rows.filter((row) => compareDates(row.ends_on, lastDay) >= 0)
  return [...new Map(last.map((row) => [row.first_line_id, { ...row, billed_until: null }])).values()]
}
