import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { noAnswers, type Answers } from '#domain/answers.ts'
import type { OrderRequestLine, PlannedSubscription } from '#domain/order.ts'
import type { QuotedTotals } from '#domain/quote.ts'
import type { Acceptance } from '#domain/service-terms.ts'
import { valuesFor } from '#domain/variable.ts'
import { reserveCapacity } from './capacity.ts'
import type { Tx } from './database.ts'
import { insertDeployments } from './deployment.ts'
import { takeDiscount } from './discount.ts'
import { placeInEnvironment } from './environment.ts'
import { insertEvent } from './event.ts'
import { setExternalId } from './external-id.ts'
import { newId } from './identifier.ts'
import { takePort } from './port.ts'
import { openOrderHolds } from './order-hold.ts'
import { insertAdditions } from './order-addition.ts'
import { readOrderContext, type OrderContext, type OrderRequest } from './order-context.ts'
import { insertPlannedLines } from './order-line.ts'
import { insertOrderLinks, linkedSequence, provisionalId } from './order-link.ts'
import { describePrice, totalOrder } from './order-preview.ts'
import { insertWorkflowStart } from './outbox.ts'
import { placeOrder, type ServersOfApplications } from './placement.ts'
import { forgetOrderSecrets, keepInstanceSecrets } from './order-secret.ts'
import { lockRestorable, type RestorableBackup } from './restorable-backup.ts'
import { takeStock, wantedOf } from './stock.ts'
import { takeSubnet } from './subnet.ts'
import { keepAcceptance } from './service-terms.ts'
import { insertTakenOver, refuseTakeOver } from './taken-over.ts'
import { useTrials } from './trial.ts'

/** How an order is confirmed, where it is not simply placed. */
export interface Confirmation {
  /** The order is there as a draft, locked by the caller, with the lines of the request. */
  readonly draftId?: string | null
  /** It was built and paid before: nothing of it is waited for. */
  readonly isHandedOver?: boolean
  /** The terms of service that were accepted with it. */
  readonly accepted?: Acceptance | null
  /** Refuses what the order comes to, where something else was seen or quoted. */
  readonly checkTotals?: ((totals: QuotedTotals, currency: string) => void) | undefined
}

/**
 * Sells: order, subscriptions, instances and the start of their workflows in the caller's one transaction.
 * @throws what `readOrderContext` and `checkTotals` refuse, and `out_of_stock`, `customer_limit_reached`, `discount_code_used_up`,
 *   `backup_not_restorable`, `external_id_taken`, `no_server_for_application`, `ports_exhausted`, `subnets_exhausted`, `terms_not_accepted`, `trial_used`
 */
export async function confirmOrder(
  tx: Tx,
  request: OrderRequest,
  { draftId = null, isHandedOver = false, accepted = null, checkTotals }: Confirmation = {},
): Promise<{ orderId: string; subscriptionIds: string[] }> {
  const context = await readOrderContext(tx, { ...request, isHandedOver })
  // What is sold below is what was totalled here: prices are read once.
  checkTotals?.(totalOrder(context), context.currency)
  const { orderId, orderLineIds } =
    draftId === null
      ? await insertOrder(tx, request, context)
      : await markConfirmed(tx, draftId, context.nowAt)
  if (!isHandedOver) {
    const order = { id: orderId, customerId: context.customer.id, channel: request.channel }
    await keepAcceptance(tx, order, accepted, request.now)
  }
  const restorable = await lockRestorable(tx, request.restoreFromBackupId, context)
  const environmentId = await placeInEnvironment(tx, context, { orderId, now: request.now })
  const { takeOver = null } = request
  const servers = await placeOrder(tx, { ...context, restored: restorable, takenOver: takeOver })
  if (takeOver !== null) await refuseTakeOver(tx, takeOver, context)
  const subscriptionIds: string[] = []
  const instances = new Map<string, string>()
  for (const [index, planned] of context.planned.entries()) {
    const orderLineId = orderLineIds[planned.orderLineIndex] ?? ''
    const sold = await insertSubscription(tx, planned, {
      ...context,
      request,
      subscriptionIndex: index,
      orderId,
      orderLineId,
      environmentId,
      restorable,
      servers: servers[index] ?? new Map(),
      isHandedOver,
    })
    subscriptionIds.push(sold.id)
    for (const [applicationId, id] of sold.instances)
      instances.set(provisionalId({ subscriptionIndex: index, applicationId }), id)
  }
  await insertOrderLinks(tx, context.links, instances)
  await insertAdditions(tx, context.additions, {
    orderId,
    actor: request.actor,
    testClockId: request.testClockId,
    customerId: context.customer.id,
    nowAt: context.nowAt,
    on: context.on,
    startsOn: context.startsOn,
  })
  await useTrials(tx, context, { orderId, testClockId: request.testClockId })
  if (!isHandedOver && request.testClockId === null) await takeStocks(tx, subscriptionIds, context)
  await useDiscount(tx, subscriptionIds, context)
  const { planned, nowAt } = context
  if (!isHandedOver) await openOrderHolds(tx, { orderId, subscriptionIds, planned, nowAt })
  return { orderId, subscriptionIds }
}

async function insertOrder(tx: Tx, request: OrderRequest, context: OrderContext): Promise<WrittenOrder> {
  const orderId = newId()
  await tx
    .insertInto('orders')
    .values({
      id: orderId,
      customer_id: context.customer.id,
      test_clock_id: request.testClockId,
      currency: context.currency,
      channel: request.channel,
      actor: request.actor,
      confirmed_at: context.nowAt,
      cancelled_at: null,
      expires_on: null,
      quote: null,
    })
    .execute()
  await setExternalId(tx, 'order', { id: orderId, externalId: request.externalId })
  const answers = context.answers.map(({ plain }) => plain)
  return { orderId, orderLineIds: await insertOrderLines(tx, orderId, request.lines, answers) }
}

interface WrittenOrder {
  readonly orderId: string
  /** In the order of the request. */
  readonly orderLineIds: readonly string[]
}

/** The draft's lines are those of the request. */
async function markConfirmed(tx: Tx, orderId: string, nowAt: string): Promise<WrittenOrder> {
  await tx.updateTable('orders').set({ confirmed_at: nowAt }).where('id', '=', orderId).execute()
  await forgetOrderSecrets(tx, orderId)
  const lines = await tx
    .selectFrom('order_lines')
    .select('id')
    .where('order_id', '=', orderId)
    .orderBy('position')
    .execute()
  return { orderId, orderLineIds: lines.map(({ id }) => id) }
}

/**
 * Late, because whoever wants the same waits from here on. What lives by a test clock is not real: it is refused as an order
 * would be, and takes nothing.
 */
async function takeStocks(
  tx: Tx,
  subscriptionIds: readonly string[],
  { planned, additions, customer }: OrderContext,
): Promise<void> {
  const sold = [
    ...planned.map(({ lines }, index) => ({
      subscriptionId: subscriptionIds[index] ?? '',
      wanted: wantedOf(lines),
    })),
    ...additions.map(({ subscriptionId, line, options }) => ({
      subscriptionId,
      wanted: wantedOf([line, ...options]),
    })),
  ]
  await takeStock(tx, sold, customer.id)
}

/** Last, because it holds the discount's row until the order is there. */
async function useDiscount(tx: Tx, subscriptionIds: readonly string[], context: OrderContext): Promise<void> {
  const { discount } = context
  if (discount === null) return
  await takeDiscount(tx, discount.offered.id, {
    customerId: context.customer.id,
    subscriptionIds: discount.subscriptionIndexes.flatMap((index) => subscriptionIds[index] ?? []),
    startsOn: context.startsOn ?? context.on,
    pointer: '/discount_code',
  })
}

export async function insertOrderLines(
  tx: Tx,
  orderId: string,
  lines: readonly OrderRequestLine[],
  answers: readonly Answers[],
): Promise<string[]> {
  const rows = lines.map((line, position) => ({
    id: newId(),
    order_id: orderId,
    position,
    product_id: line.productId ?? null,
    kit_id: line.kitId ?? null,
    quantity: line.quantity,
    subscription_id: line.joins ?? null,
    external_id: line.externalId ?? null,
    answers: JSON.stringify(answers[position] ?? noAnswers),
    agreed: JSON.stringify(line.agreed ?? {}),
    preferred_server_id: line.preferredServerId ?? null,
  }))
  await tx.insertInto('order_lines').values(rows).execute()
  return rows.map((row) => row.id)
}

type SubscriptionContext = OrderContext & {
  readonly request: OrderRequest
  readonly subscriptionIndex: number
  readonly orderId: string
  readonly orderLineId: string
  readonly environmentId: string
  readonly restorable: RestorableBackup | null
  readonly servers: ServersOfApplications
  readonly isHandedOver: boolean
}

async function insertSubscription(
  tx: Tx,
  planned: PlannedSubscription,
  context: SubscriptionContext,
): Promise<{ id: string; instances: ReadonlyMap<string, string> }> {
  const id = newId()
  const agreed = context.request.lines[planned.orderLineIndex]?.agreed ?? {}
  await tx
    .insertInto('subscriptions')
    .values({
      id,
      order_id: context.orderId,
      order_line_id: context.orderLineId,
      customer_id: context.customer.id,
      environment_id: context.environmentId,
      test_clock_id: context.request.testClockId,
      product_id: planned.productId,
      kit_id: planned.kitId,
      kit_version: planned.kitVersion,
      title: planned.title,
      currency: context.currency,
      // What was asked for; activation decides.
      starts_on: context.startsOn,
      purchase_order_reference: context.request.purchaseOrderReference ?? null,
      has_own_anchor: context.request.hasOwnAnchor ?? false,
      least_amount: context.request.leastAmount ?? null,
      greatest_amount: context.request.greatestAmount ?? null,
      is_billed_elsewhere: context.request.isBilledElsewhere ?? false,
      tags: agreed.tags ?? [],
      notes: agreed.notes ?? null,
    })
    .execute()
  await setExternalId(tx, 'subscription', {
    id,
    externalId: context.request.lines[planned.orderLineIndex]?.externalId,
    pointer: `/lines/${planned.orderLineIndex}/external_id`,
  })
  const instances = await insertInstances(tx, id, planned, context)
  await insertPlannedLines(tx, id, planned, instances)
  // What is handed over goes on where it is.
  if (!context.isHandedOver)
    await insertDeployments(tx, id, { isOnTestClock: context.request.testClockId !== null })
  await insertEvent(tx, {
    kind: 'order.confirmed',
    customerId: context.customer.id,
    subscriptionId: id,
    businessAt: context.nowAt,
    data: {
      order: encodeId('order', context.orderId),
      title: planned.title,
      actor: context.request.actor,
      channel: context.request.channel,
    },
  })
  await insertStart(tx, id, planned, context)
  return { id, instances }
}

async function insertInstances(
  tx: Tx,
  subscriptionId: string,
  planned: PlannedSubscription,
  context: SubscriptionContext,
): Promise<Map<string, string>> {
  // An instance names its parent, which is written after it.
  const made = new Map(planned.applicationIds.map((applicationId) => [applicationId, newId()]))
  const sequence = linkedSequence(planned, context.subscriptionIndex, context.links)
  for (const [applicationId, id] of made) {
    const application = context.applications.get(applicationId)
    const placed = context.servers.get(applicationId)
    if (!application || !placed)
      throw new BusinessError('application_unknown', 'An application of this product has no version yet.')
    const { serverId, takes, because } = placed
    await takeSubnet(tx, { serverId, environmentId: context.environmentId })
    const asked = context.request.takeOver
    const takeOver = asked?.applicationId === applicationId ? asked : null
    const variables = valuesFor(application.definition, planned.variables)
    await tx
      .insertInto('instances')
      .values({
        id,
        subscription_id: subscriptionId,
        environment_id: context.environmentId,
        server_id: serverId,
        placed_because: because,
        parent_instance_id: made.get(planned.parts?.parents.get(applicationId) ?? '') ?? null,
        application_version_id: application.versionId,
        sequence: sequence.get(applicationId) ?? 0,
        name: `${application.code.slice(0, 30)}-${encodeId('instance', id).slice(-8)}`,
        host_port: takeOver
          ? takeOver.hostPort
          : application.definition.public
            ? await takePort(tx, serverId)
            : null,
        variables: JSON.stringify(variables),
        restored_from_backup_id:
          context.restorable?.applicationId === applicationId ? context.restorable.backupId : null,
        destroyed_at: null,
      })
      .execute()
    await reserveCapacity(tx, { instanceId: id, serverId, takes })
    if (takeOver !== null) await insertTakenOver(tx, id, takeOver)
    await keepInstanceSecrets(
      tx,
      id,
      secretsAmong(variables, planned.secrets),
      context.request.installationKey ?? null,
    )
  }
  return made
}

/** Every instance has those only that its application is told. */
function secretsAmong(
  variables: Readonly<Record<string, string | null>>,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).filter(([name]) => variables[name] === null))
}

async function insertStart(
  tx: Tx,
  subscriptionId: string,
  planned: PlannedSubscription,
  context: SubscriptionContext,
): Promise<void> {
  const publicId = encodeId('subscription', subscriptionId)
  const [server] = context.servers.values()
  const sold = planned.kitId ? encodeId('kit', planned.kitId) : encodeId('product', planned.productId ?? '')
  await insertWorkflowStart(tx, {
    workflow: 'subscription',
    workflowId: `subscription/${publicId}`,
    taskQueue: `installation/${encodeId('installation', context.installationId)}`,
    args: [{ subscriptionId: publicId }],
    keywords: {
      Customer: encodeId('customer', context.customer.id),
      Product: sold,
      Phase: 'ordered',
      ...(server === undefined ? {} : { Server: encodeId('server', server.serverId) }),
    },
    summary: `${planned.title} for ${encodeId('customer', context.customer.id)}`,
    details: [
      `Sold as ${sold} by order ${encodeId('order', context.orderId)}.`,
      ...planned.lines.map((line) => `- ${describePrice(line, context.currency)}`),
    ].join('\n'),
  })
}
