import { dateIn } from '#domain/calendar.ts'
import { planBuild, type PlannedInstance } from '#domain/build-plan.ts'
import { CONTAINER_CEILING } from '#domain/build-plan.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { formatMoney, currencyExponent } from '#domain/money.ts'
import {
  planOrder,
  type OrderRequestLine,
  type PlannedLine,
  type PlannedSubscription,
} from '#domain/order.ts'
import type { ApplicationDefinition } from '#domain/application.ts'
import { readCatalog, readPriceList } from './catalog.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { takePort } from './instance.ts'
import { insertWorkflowStart } from './outbox.ts'

export interface OrderRequest {
  readonly customerId: string
  readonly lines: readonly OrderRequestLine[]
  readonly testClockId: string | null
  /** Null: the customer's own. */
  readonly currency: string | null
  readonly channel: 'api' | 'console' | 'command_line'
  readonly actor: string
  /** The real instant; an order on a test clock happens at the clock's. */
  readonly now: string
}

export interface OrderPreview {
  readonly currency: string
  readonly subscriptions: readonly PreviewedSubscription[]
  /** Due at activation: one-time fees and the first period of what is paid in advance. */
  readonly totalNowMinor: number
  /** Fixed amount of one period of every recurring line. */
  readonly totalPerPeriodMinor: number
  readonly metered: readonly string[]
}

export interface PreviewedSubscription {
  readonly title: string
  readonly lines: readonly PlannedLine[]
  readonly buildSteps: readonly string[]
  readonly server: string | null
}

interface OrderContext {
  readonly customer: { id: string; code: string; timeZone: string }
  readonly installationId: string
  readonly currency: string
  readonly nowAt: string
  readonly planned: readonly PlannedSubscription[]
  readonly applications: ReadonlyMap<
    string,
    { code: string; versionId: string; definition: ApplicationDefinition }
  >
  readonly server: { id: string; code: string } | null
}

/** What an order would become; nothing is saved. Confirming uses the same plan. */
export async function previewOrder(db: Db, request: OrderRequest): Promise<OrderPreview> {
  const context = await readContext(db, request)
  const lines = context.planned.flatMap((subscription) => subscription.lines)
  const isDueNow = (line: PlannedLine) => line.interval === null || line.product.billingTiming === 'advance'
  const sum = (some: readonly PlannedLine[]) => some.reduce((total, line) => total + line.amountMinor, 0)
  return {
    currency: context.currency,
    subscriptions: context.planned.map((subscription) => previewSubscription(subscription, context)),
    totalNowMinor: sum(lines.filter(isDueNow)),
    totalPerPeriodMinor: sum(lines.filter((line) => line.interval !== null)),
    metered: lines
      .filter((line) => line.product.billingType === 'usage')
      .map((line) => describePrice(line, context.currency)),
  }
}

/** A price as one sentence: `5 users for 5.00 USD a month`, `Network Usage: 1 USD per GiB, billed after each month`. */
function describePrice(line: PlannedLine, currency: string): string {
  const per =
    line.interval === null
      ? 'once'
      : `every ${line.interval.count === 1 ? '' : `${line.interval.count} `}${line.interval.unit.replaceAll('_', ' ')}`
  if (line.product.billingType === 'usage') {
    return `${line.product.name}: ${line.price.unitPrice} ${currency} per ${line.product.unit}, billed after each ${per.replace('every ', '')}`
  }
  return `${line.product.name}: ${line.quantity} ${line.product.unit} for ${formatMoney(line.amountMinor, currency)}, ${per}`
}

function previewSubscription(
  subscription: PlannedSubscription,
  context: OrderContext,
): PreviewedSubscription {
  const steps = subscription.applicationIds.flatMap((id) => {
    const application = context.applications.get(id)
    if (!application) return []
    const sample: PlannedInstance = {
      installation: encodeId('installation', context.installationId),
      customer: encodeId('customer', context.customer.id),
      subscription: 'preview',
      instance: 'preview',
      application: application.code,
      generation: 1,
      environmentPrefix: environmentPrefix(context.customer, context.installationId),
      name: `${application.code}-preview`.slice(0, 40),
      hostPort: 1,
      ceiling: CONTAINER_CEILING,
    }
    return planBuild(application.definition, sample).map((step) => step.title)
  })
  return {
    title: subscription.title,
    lines: subscription.lines,
    buildSteps: steps,
    server: steps.length > 0 ? (context.server?.code ?? null) : null,
  }
}

/**
 * Sells: order, subscriptions, instances and the start of their workflows in the caller's one transaction.
 * @throws what `planOrder` refuses, and `customer_unknown`, `currency_mismatch`, `no_server_for_application`, `ports_exhausted`
 */
export async function confirmOrder(
  tx: Tx,
  request: OrderRequest,
): Promise<{ orderId: string; subscriptionIds: string[] }> {
  const context = await readContext(tx, request)
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
    })
    .execute()
  const orderLineIds = await insertOrderLines(tx, orderId, request.lines)
  const environmentId = await ensureEnvironment(tx, context)
  const subscriptionIds: string[] = []
  for (const planned of context.planned) {
    const orderLineId = orderLineIds[planned.orderLineIndex] ?? ''
    subscriptionIds.push(
      await insertSubscription(tx, planned, { ...context, request, orderId, orderLineId, environmentId }),
    )
  }
  return { orderId, subscriptionIds }
}

async function readContext(db: Db, request: OrderRequest): Promise<OrderContext> {
  const customer = await db
    .selectFrom('customers')
    .selectAll()
    .where('id', '=', request.customerId)
    .executeTakeFirst()
  if (!customer) throw fieldError('/customer', 'customer_unknown', 'There is no such customer.')
  const currency = request.currency ?? customer.currency
  currencyExponent(currency)
  if (currency !== customer.currency) {
    throw fieldError(
      '/currency',
      'currency_mismatch',
      `The customer is billed in ${customer.currency}, not in ${currency}.`,
    )
  }
  const clock = request.testClockId
    ? await db
        .selectFrom('test_clocks')
        .select('now_at')
        .where('id', '=', request.testClockId)
        .executeTakeFirst()
    : undefined
  if (request.testClockId && !clock)
    throw fieldError('/test_clock', 'not_found', 'There is no such test clock.')
  const nowAt = clock?.now_at ?? request.now
  const [catalog, installation, server] = await Promise.all([
    readCatalog(db),
    db.selectFrom('installation').select('id').executeTakeFirstOrThrow(),
    db.selectFrom('servers').select(['id', 'code']).orderBy('id').executeTakeFirst(),
  ])
  const priceList = customer.price_list_id ? await readPriceList(db, customer.price_list_id) : null
  const planned = planOrder(request.lines, catalog, {
    currency,
    on: dateIn(customer.time_zone, nowAt),
    priceList,
  })
  return {
    customer: { id: customer.id, code: customer.code, timeZone: customer.time_zone },
    installationId: installation.id,
    currency,
    nowAt,
    planned,
    applications: await readApplications(
      db,
      planned.flatMap((subscription) => subscription.applicationIds),
    ),
    server: server ?? null,
  }
}

/** The newest version of each application. */
async function readApplications(db: Db, ids: readonly string[]): Promise<OrderContext['applications']> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('application_versions')
    .innerJoin('applications', 'applications.id', 'application_versions.application_id')
    .distinctOn('application_versions.application_id')
    .select(['applications.id', 'applications.code', 'application_versions.id as version_id', 'definition'])
    .where('application_versions.application_id', 'in', ids)
    .orderBy('application_versions.application_id')
    .orderBy('application_versions.version', 'desc')
    .execute()
  return new Map(
    rows.map((row) => [row.id, { code: row.code, versionId: row.version_id, definition: row.definition }]),
  )
}

async function insertOrderLines(
  tx: Tx,
  orderId: string,
  lines: readonly OrderRequestLine[],
): Promise<string[]> {
  const rows = lines.map((line, position) => ({
    id: newId(),
    order_id: orderId,
    position,
    product_id: line.productId ?? null,
    kit_id: line.kitId ?? null,
    quantity: line.quantity,
  }))
  await tx.insertInto('order_lines').values(rows).execute()
  return rows.map((row) => row.id)
}

/**
 * The installation's last characters keep two installations on one Docker engine apart, the customer's own two customers
 * whose long codes begin alike.
 */
function environmentPrefix(customer: { id: string; code: string }, installationId: string): string {
  const { id, code } = customer
  const name = code.length <= 31 ? code : `${code.slice(0, 22)}-${encodeId('customer', id).slice(-8)}`
  return `${name}-${encodeId('installation', installationId).slice(-8)}`
}

/** The customer's default environment, made with the first order. Two first orders at once make one. */
async function ensureEnvironment(tx: Tx, context: OrderContext): Promise<string> {
  await tx
    .insertInto('environments')
    .values({
      id: newId(),
      customer_id: context.customer.id,
      prefix: environmentPrefix(context.customer, context.installationId),
    })
    // No index is named: of two at once, either of the two unique keys may be the one that they meet at.
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const row = await tx
    .selectFrom('environments')
    .select('id')
    .where('customer_id', '=', context.customer.id)
    .where('is_default', '=', true)
    .executeTakeFirstOrThrow()
  return row.id
}

type SubscriptionContext = OrderContext & {
  readonly request: OrderRequest
  readonly orderId: string
  readonly orderLineId: string
  readonly environmentId: string
}

async function insertSubscription(
  tx: Tx,
  planned: PlannedSubscription,
  context: SubscriptionContext,
): Promise<string> {
  const id = newId()
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
      title: planned.title,
      currency: context.currency,
    })
    .execute()
  const instances = await insertInstances(tx, id, planned, context)
  await insertLines(tx, id, planned, instances)
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
  return id
}

async function insertInstances(
  tx: Tx,
  subscriptionId: string,
  planned: PlannedSubscription,
  context: SubscriptionContext,
): Promise<Map<string, string>> {
  const made = new Map<string, string>()
  for (const [sequence, applicationId] of planned.applicationIds.entries()) {
    const application = context.applications.get(applicationId)
    if (!application)
      throw new BusinessError('application_unknown', 'An application of this product has no version yet.')
    if (!context.server) {
      throw new BusinessError(
        'no_server_for_application',
        `No server can take ${application.code}: none is there yet. Add one first.`,
      )
    }
    const id = newId()
    await tx
      .insertInto('instances')
      .values({
        id,
        subscription_id: subscriptionId,
        environment_id: context.environmentId,
        server_id: context.server.id,
        application_version_id: application.versionId,
        sequence,
        name: `${application.code.slice(0, 30)}-${encodeId('instance', id).slice(-8)}`,
        host_port: application.definition.public ? await takePort(tx, context.server.id) : null,
        destroyed_at: null,
      })
      .execute()
    made.set(applicationId, id)
  }
  return made
}

async function insertLines(
  tx: Tx,
  subscriptionId: string,
  planned: PlannedSubscription,
  instances: ReadonlyMap<string, string>,
): Promise<void> {
  const [firstInstance] = instances.values()
  for (const [position, line] of planned.lines.entries()) {
    const id = newId()
    const ownApplication = line.product.applicationIds.find((applicationId) => instances.has(applicationId))
    const instanceId = (ownApplication ? instances.get(ownApplication) : firstInstance) ?? null
    await tx
      .insertInto('subscription_lines')
      .values({
        id,
        first_line_id: id,
        subscription_id: subscriptionId,
        document_id: null,
        product_id: line.product.id,
        instance_id: instanceId,
        position,
        billing_type: line.product.billingType,
        billing_timing: line.product.billingTiming,
        interval_count: line.interval?.count ?? null,
        interval_unit: line.interval?.unit ?? null,
        description: line.product.name,
        quantity: line.quantity,
        unit: line.product.unit,
        unit_price: line.price.unitPrice,
        metric: line.product.metric,
        limit_code: line.product.limitCode,
        starts_on: null,
        ends_on: null,
      })
      .execute()
    if (line.product.limitCode && instanceId)
      await setSoldLimit(tx, instanceId, line.product.limitCode, line.quantity)
  }
}

async function setSoldLimit(tx: Tx, instanceId: string, code: string, quantity: string): Promise<void> {
  await tx
    .insertInto('limits')
    .values({
      instance_id: instanceId,
      code,
      sold_quantity: quantity,
      in_force_quantity: null,
      in_force_at: null,
    })
    .onConflict((conflict) =>
      conflict.columns(['instance_id', 'code']).doUpdateSet({ sold_quantity: quantity }),
    )
    .execute()
}

async function insertStart(
  tx: Tx,
  subscriptionId: string,
  planned: PlannedSubscription,
  context: SubscriptionContext,
): Promise<void> {
  const publicId = encodeId('subscription', subscriptionId)
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
      ...(context.server && planned.applicationIds.length > 0
        ? { Server: encodeId('server', context.server.id) }
        : {}),
    },
    summary: `${planned.title} for ${encodeId('customer', context.customer.id)}`,
    details: [
      `Sold as ${sold} by order ${encodeId('order', context.orderId)}.`,
      ...planned.lines.map((line) => `- ${describePrice(line, context.currency)}`),
    ].join('\n'),
  })
}
