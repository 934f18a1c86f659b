import { noAnswers, partAnswers, type KeptAnswers } from '#domain/answers.ts'
import { planAdditions, type PlannedAddition } from '#domain/addition.ts'
import { dateIn } from '#domain/calendar.ts'
import { chooseDiscounted, unknownCode } from '#domain/discount-code.ts'
import { checkBilledElsewhere } from '#domain/deployment.ts'
import type { AskedEnvironment } from '#domain/environment.ts'
import { fieldError } from '#domain/errors.ts'
import { checkExternalIds } from '#domain/external-id.ts'
import type { OrderChannel } from '#domain/order-hold.ts'
import type { DecidedLink } from '#domain/link.ts'
import { currencyExponent } from '#domain/money.ts'
import { planStart, type AskedStart } from '#domain/order-start.ts'
import { planOrder, type Catalog, type OrderRequestLine, type PlannedSubscription } from '#domain/order.ts'
import { readCatalog, readPriceLists } from './catalog.ts'
import { readTogether, type Db } from './database.ts'
import { refuseToldElsewhere } from './deployment.ts'
import { checkAdditions } from './order-addition.ts'
import {
  applicationIdsOf,
  productsOf,
  readApplications,
  refuseUnbuildable,
  withAskedVariables,
  withParts,
  type Applications,
} from './order-application.ts'
import type { InstallationKey } from './sealing.ts'
import { refuseOutOfStock, wantedOf } from './stock.ts'
import { findDiscountByCode, type CodedDiscount } from './discount.ts'
import { planOrderLinks } from './order-link.ts'
import type { AskedTakeOver } from './taken-over.ts'
import { readOrderEnvironment, type OrderEnvironment } from './environment.ts'
import { readGriddedCatalog } from './price-grid.ts'

export interface OrderRequest {
  readonly customerId: string
  readonly lines: readonly OrderRequestLine[]
  readonly testClockId: string | null
  /** Null: the customer's own. */
  readonly currency: string | null
  readonly channel: OrderChannel
  readonly actor: string
  /** The real instant; an order on a test clock happens at the clock's. */
  readonly now: string
  /** Left out: as soon as the application is there. */
  readonly starts?: AskedStart | null
  readonly purchaseOrderReference?: string | null
  readonly discountCode?: string | null
  /** What each subscription comes to at least and at most in a period, in major units; null is without. */
  readonly leastAmount?: string | null
  readonly greatestAmount?: string | null
  /** Periods are counted from its own first day, on documents of its own. */
  readonly hasOwnAnchor?: boolean
  /** By which another system knows the order. */
  readonly externalId?: string | null
  /** Null: the customer's own, made with the first order. */
  readonly environment?: AskedEnvironment | null
  /** What the new instance of its application begins with. */
  readonly restoreFromBackupId?: string | null
  /** What runs already and becomes the new instance of its application. */
  readonly takeOver?: AskedTakeOver | null
  /** The draft that it was kept as, which holds its names already. */
  readonly draftId?: string | null
  /** Seals what is said in secret; null where nothing is. */
  readonly installationKey?: InstallationKey | null
  /** It was another customer's: nothing more of it is sold, and nothing is asked. */
  readonly isHandedOver?: boolean
  /** Another installation bills it: it is deployed here, and nothing of it is charged. */
  readonly isBilledElsewhere?: boolean
}

export interface OrderContext {
  readonly customer: { id: string; code: string; timeZone: string }
  readonly installationId: string
  readonly environment: OrderEnvironment
  readonly currency: string
  readonly nowAt: string
  /** The day of the order, where the customer is. */
  readonly on: string
  /** The first day of service that was asked for. */
  readonly startsOn: string | null
  readonly planned: readonly PlannedSubscription[]
  /** Lines that join subscriptions of the customer. */
  readonly additions: readonly PlannedAddition[]
  /** What each line of the request keeps of its answers. */
  readonly answers: readonly KeptAnswers[]
  readonly discount: ChosenDiscount | null
  readonly applications: Applications
  /** By line of the request. */
  readonly preferredServerIds: readonly (string | null)[]
  /** Between the instances that it makes, and with those that there are. */
  readonly links: readonly DecidedLink[]
}

/** A discount that the order names by its code, and the places of the subscriptions that get it. */
export interface ChosenDiscount {
  readonly offered: CodedDiscount
  readonly subscriptionIndexes: readonly number[]
}

/**
 * Reads what an order is decided from, and plans it: preview and confirmation decide alike.
 * @throws what `planOrder`, `planStart` and `chooseDiscounted` refuse, and `customer_unknown`, `currency_mismatch`,
 *   `not_found` for the test clock
 */
export async function readOrderContext(db: Db, request: OrderRequest): Promise<OrderContext> {
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
  const on = dateIn(customer.time_zone, nowAt)
  const [sold, installation] = await readTogether(
    db,
    async () => readCatalog(db, on),
    async () => db.selectFrom('installation').select('id').executeTakeFirstOrThrow(),
  )
  const lists = await readPriceLists(db, customer.price_list_id === null ? [] : [customer.price_list_id], [
    currency,
  ])
  const priceList = lists.get(customer.price_list_id ?? '') ?? null
  const applications = await readApplications(db, applicationIdsOf(request.lines, sold))
  const catalog = withAskedVariables(sold, applications)
  const pricedByGrids = await readGriddedCatalog(db, catalog, currency)
  const planFrom = (startsOn: string) => {
    const priced =
      request.isHandedOver === true ? askingNothing(pricedByGrids(startsOn)) : pricedByGrids(startsOn)
    const isFromShop = request.channel === 'shop'
    const terms = {
      customerId: customer.id,
      currency,
      on,
      startsOn,
      priceList,
      otherLists: lists,
      isFromShop,
    }
    return {
      planned: planOrder(request.lines, priced, terms),
      additions: planAdditions(request.lines, priced, terms),
    }
  }
  const { additions, startsOn, ...sale } = planStarting(planFrom, request.starts ?? null, on)
  const planned = withParts(sale.planned, applications)
  checkExternalIds(request.lines, planned)
  if (request.isBilledElsewhere === true && request.isHandedOver !== true)
    checkBilledElsewhere(planned, additions)
  await checkAdditions(db, additions, { ...request, on })
  await refuseToldElsewhere(db, planned, additions)
  if (request.isHandedOver !== true)
    await refuseOutOfStock(db, wantedOf([...linesOf(planned), ...linesOfAdditions(additions)]), customer.id)
  if (request.isHandedOver !== true) refuseUnbuildable(planned, applications)
  const environment = await readOrderEnvironment(db, request, { customer, installationId: installation.id })
  const linked =
    request.isHandedOver === true
      ? { planned, links: [] }
      : await planOrderLinks(
          db,
          request,
          { planned, applications },
          {
            customerId: customer.id,
            prefix: environment.prefix,
          },
        )
  return {
    customer: { id: customer.id, code: customer.code, timeZone: customer.time_zone },
    installationId: installation.id,
    environment,
    currency,
    nowAt,
    on,
    startsOn,
    ...linked,
    additions,
    answers: request.lines.map((line) => partAnswers(line.answers ?? noAnswers, productsOf(line, catalog))),
    discount: await chooseDiscount(db, request.discountCode ?? null, { currency, on, planned }),
    applications,
    preferredServerIds: request.lines.map((line) => line.preferredServerId ?? null),
  }
}

/** What is handed over is as it was. */
function askingNothing(catalog: Catalog): Catalog {
  const products = [...catalog.products].map(
    ([id, product]) =>
      [id, { ...product, options: [], orderFields: [], form: [], askedVariables: [], addOnOf: [] }] as const,
  )
  return { ...catalog, products: new Map(products) }
}

function linesOf(planned: readonly PlannedSubscription[]) {
  return planned.flatMap(({ lines }) => lines)
}

/** Lines that join subscriptions, with those of their options. */
export function linesOfAdditions(additions: readonly PlannedAddition[]) {
  return additions.flatMap(({ line, options }) => [line, ...options])
}

/** What recurs decides of which period a start is the start, and the start which prices hold. */
function planStarting(
  planFrom: (startsOn: string) => OrderPlan,
  asked: AskedStart | null,
  today: string,
): OrderPlan & { startsOn: string | null } {
  const plan = planFrom(today)
  if (asked === null) return { ...plan, startsOn: null }
  const lines = [...linesOf(plan.planned), ...linesOfAdditions(plan.additions)]
  const recurring = lines.find((line) => line.product.recurrence !== null)
  const startsOn = planStart(asked, today, recurring?.product.recurrence?.unit ?? 'month')
  return { ...(startsOn === today ? plan : planFrom(startsOn)), startsOn }
}

interface OrderPlan {
  readonly planned: readonly PlannedSubscription[]
  readonly additions: readonly PlannedAddition[]
}

async function chooseDiscount(
  db: Db,
  code: string | null,
  order: { currency: string; on: string; planned: readonly PlannedSubscription[] },
): Promise<ChosenDiscount | null> {
  if (code === null) return null
  const offered = await findDiscountByCode(db, code)
  if (!offered) throw unknownCode(`There is no discount code ${code}.`)
  const productIds = order.planned.map(({ lines }) => lines.map((line) => line.product.id))
  return { offered, subscriptionIndexes: chooseDiscounted(offered, { ...order, productIds }) }
}
