import type { PlannedAddition } from '#domain/addition.ts'
import type { KeptAnswers } from '#domain/answers.ts'
import { CONTAINER_CEILING, planSale, type PlannedInstance } from '#domain/build-plan.ts'
import { encodeId } from '#domain/identifier.ts'
import type { DecidedLink } from '#domain/link.ts'
import type { PlannedHold } from '#domain/order-hold.ts'
import type { PlannedLine, PlannedSubscription } from '#domain/order.ts'
import {
  discountAmounts,
  totalAmounts,
  totalRecurring,
  type OrderDiscount,
  type OrderedAmount,
  type OrderTotal,
  type RecurringTotal,
} from '#domain/order-total.ts'
import { lineSentence, type SaidLine } from '#domain/pricing/sentence.ts'
import { valuesFor, type VariableValues } from '#domain/variable.ts'
import type { Placement } from '#domain/placement.ts'
import type { QuotedTotals } from '#domain/quote.ts'
import { readTogether, type Db } from './database.ts'
import { refuseUsedTrials } from './trial.ts'
import {
  linesOfAdditions,
  readOrderContext,
  type ChosenDiscount,
  type OrderContext,
  type OrderRequest,
} from './order-context.ts'
import { provisionalId } from './order-link.ts'
import { foreseeHolds } from './order-hold.ts'
import { readBilledCustomer } from './one-off-bill.ts'
import { planPlacements } from './placement.ts'
import { findRestored } from './restorable-backup.ts'
import { readTaxTerms } from './tax-terms.ts'

export interface OrderPreview {
  readonly currency: string
  /** The day of the order, where the customer is. */
  readonly on: string
  /** The first day of service that was asked for; null: as soon as the application is there. */
  readonly startsOn: string | null
  readonly discount: { readonly code: string; readonly name: string } | null
  readonly subscriptions: readonly PreviewedSubscription[]
  /** Lines that join subscriptions, which pay for a part of their period first. */
  readonly additions: readonly PlannedAddition[]
  /** What each line of the request keeps of its answers. */
  readonly answers: readonly KeptAnswers[]
  /** Due at activation, after the discount: one-time fees and the first period of what is paid in advance. */
  readonly totalNowMinor: number
  /** Fixed amount of one period of every recurring line, as long as the discount lasts, whatever its interval: what was agreed. */
  readonly totalPerPeriodMinor: number
  /** What is due at activation, with its tax. */
  readonly dueNow: OrderTotal
  /** What comes again, each interval by itself, as long as the discount lasts. */
  readonly recurring: readonly RecurringTotal[]
  readonly metered: readonly string[]
  /** What it would wait for before anything of it is built. */
  readonly holds: readonly PlannedHold[]
}

export interface PreviewedSubscription {
  readonly title: string
  readonly lines: readonly PlannedLine[]
  readonly buildSteps: readonly string[]
  /** What its applications want of others. */
  readonly links: readonly { readonly application: string; readonly link: DecidedLink }[]
  /** What its applications are told; null stands for a secret. */
  readonly variables: VariableValues
  /** Of its first application; null: it has none, or no server can take it. */
  readonly server: string | null
  /** Where its applications would go, with what is to be said of every server. */
  readonly placements: readonly Placement[]
}

/**
 * What an order would become; nothing is saved. Confirming uses the same plan.
 * @throws what `readOrderContext` refuses, and `tax_rate_missing`, `tax_answer_missing`
 */
export async function previewOrder(db: Db, request: OrderRequest): Promise<OrderPreview> {
  const context = await readOrderContext(db, request)
  await refuseUsedTrials(db, context, request.testClockId)
  const [customer, taxTermsOf] = await readTogether(
    db,
    async () => readBilledCustomer(db, request.customerId),
    async () => readTaxTerms(db, [request.customerId]),
  )
  const terms = taxTermsOf(customer)
  const on = context.startsOn ?? context.on
  const placements = await planPlacements(db, {
    ...context,
    restored: await findRestored(db, request.restoreFromBackupId),
  })
  const { lines, dueNow, recurring, discount } = amountsOf(context)
  const due = totalAmounts(discountAmounts(dueNow, discount), terms, on)
  return {
    ...totalOrder(context),
    holds: await foreseeHolds(db, {
      ...request,
      currency: context.currency,
      planned: context.planned,
      dueMinor: due.totalMinor,
      now: context.nowAt,
    }),
    currency: context.currency,
    on: context.on,
    startsOn: context.startsOn,
    discount: context.discount && {
      code: context.discount.offered.code ?? '',
      name: context.discount.offered.name,
    },
    additions: context.additions,
    answers: context.answers,
    subscriptions: context.planned.map((subscription, index) => ({
      ...previewSubscription(subscription, index, context),
      ...previewPlacements(placements.filter(({ subscriptionIndex }) => subscriptionIndex === index)),
      links: linksOf(subscription, index, context),
    })),
    dueNow: due,
    recurring: totalRecurring(recurring, discount, { terms, on }),
    metered: lines
      .filter((line) => line.product.billingType === 'usage')
      .map((line) => describePrice(line, context.currency)),
  }
}

/** What an order comes to, as it was seen, quoted or is confirmed: at activation, and in each period. */
export function totalOrder(context: OrderContext): QuotedTotals {
  const { dueNow, recurring, discount } = amountsOf(context)
  return { totalNowMinor: sumNet(dueNow, discount), totalPerPeriodMinor: sumNet(recurring, discount) }
}

function amountsOf(context: OrderContext) {
  const added = linesOfAdditions(context.additions).map((line) => ({ line, index: -1 }))
  const sold = context.planned.flatMap(({ lines }, index) => lines.map((line) => ({ line, index })))
  const all = [...sold, ...added]
  const isDueNow = (line: PlannedLine) => line.interval === null || line.product.billingTiming === 'advance'
  return {
    lines: all.map(({ line }) => line),
    dueNow: sold.filter(({ line }) => isDueNow(line)).map(({ line, index }) => toAmount(line, index)),
    recurring: all
      .filter(({ line }) => line.interval !== null)
      .map(({ line, index }) => toAmount(line, index)),
    discount: toOrderDiscount(context.discount),
  }
}

function toAmount(line: PlannedLine, subscriptionIndex: number): OrderedAmount {
  const { product, interval, amountMinor } = line
  return {
    subscriptionIndex,
    productId: product.id,
    taxCategory: product.taxCategory,
    interval,
    isMetered: product.billingType === 'usage',
    amountMinor,
  }
}

function toOrderDiscount(chosen: ChosenDiscount | null): OrderDiscount | null {
  return chosen && { ...chosen.offered, subscriptionIndexes: chosen.subscriptionIndexes }
}

function sumNet(amounts: readonly OrderedAmount[], discount: OrderDiscount | null): number {
  return discountAmounts(amounts, discount).reduce((sum, { amountMinor }) => sum + amountMinor, 0)
}

/** What a line costs, with its name: `User: 5 users included in 5.00 USD a month`. */
export function describePrice(line: PlannedLine, currency: string): string {
  return `${line.product.name}: ${lineSentence(saidLine(line, currency))}`
}

/** A planned line as its sentence is said from. */
export function saidLine({ product, price, quantity, amountMinor }: PlannedLine, currency: string): SaidLine {
  const { name, unit, billingType, recurrence } = product
  return { name, unit, billingType, recurrence, price: price.price, currency, quantity, amountMinor }
}

function previewSubscription(
  subscription: PlannedSubscription,
  subscriptionIndex: number,
  context: OrderContext,
): Omit<PreviewedSubscription, 'server' | 'placements' | 'links'> {
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
      environmentPrefix: context.environment.prefix,
      name: `${application.code}-preview`.slice(0, 40),
      hostPort: 1,
      ceiling: CONTAINER_CEILING,
      variables: valuesFor(application.definition, subscription.variables),
      links: context.links
        .filter(({ instance }) => instance === provisionalId({ subscriptionIndex, applicationId: id }))
        .flatMap(sampleLink),
    }
    return planSale(application.definition, sample).map((step) => step.title)
  })
  return {
    title: subscription.title,
    lines: subscription.lines,
    buildSteps: steps,
    variables: subscription.variables,
  }
}

/** What it is made with is known once it is sold; what it is, before. */
function sampleLink({ want, chosen }: DecidedLink): NonNullable<PlannedInstance['links']> {
  if (chosen === null || !want.isRequired) return []
  const { offering, reason } = chosen
  const { kind, name, services } = want
  const offer = { instance: 'preview', name: offering.name, container: 'preview', host: 'preview' }
  return [{ link: 'preview', kind, name, reason, services, variables: {}, isAcross: false, offer }]
}

function previewPlacements(
  placements: readonly Placement[],
): Pick<PreviewedSubscription, 'server' | 'placements'> {
  const chosen = placements[0]?.servers.find(({ isChosen }) => isChosen)
  return { server: chosen?.server ?? null, placements }
}

function linksOf(
  { applicationIds }: PlannedSubscription,
  subscriptionIndex: number,
  { applications, links }: OrderContext,
): PreviewedSubscription['links'] {
  return applicationIds.flatMap((applicationId) =>
    links
      .filter(({ instance }) => instance === provisionalId({ subscriptionIndex, applicationId }))
      .map((link) => ({ application: applications.get(applicationId)?.code ?? '', link })),
  )
}
