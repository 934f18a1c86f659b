import { CONTAINER_CEILING, planBuild, type PlannedInstance } from '#domain/build-plan.ts'
import { encodeId } from '#domain/identifier.ts'
import { formatMoney } from '#domain/money.ts'
import type { PlannedLine, PlannedSubscription } from '#domain/order.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import type { Db } from './database.ts'
import { environmentPrefix, readOrderContext, type OrderContext, type OrderRequest } from './order-context.ts'

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

/** What an order would become; nothing is saved. Confirming uses the same plan. */
export async function previewOrder(db: Db, request: OrderRequest): Promise<OrderPreview> {
  const context = await readOrderContext(db, request)
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

/** A price as one sentence: `User: 5 user for 5.00 USD, every month`, `Network: 1.00 USD per GiB, billed after each month`. */
export function describePrice(line: PlannedLine, currency: string): string {
  const per =
    line.interval === null
      ? 'once'
      : `every ${line.interval.count === 1 ? '' : `${line.interval.count} `}${line.interval.unit.replaceAll('_', ' ')}`
  if (line.product.billingType === 'usage') {
    const price = describePriceModel(line.price.price, currency, line.product.unit)
    return `${line.product.name}: ${price}, billed after each ${per.replace('every ', '')}`
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
