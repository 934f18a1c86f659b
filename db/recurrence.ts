import Big from 'big.js'
import {
  billingInterval,
  compareDates,
  dateIn,
  type BillingInterval,
  type Recurrence,
} from '#domain/calendar.ts'
import { priceForInterval } from '#domain/change.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Catalog, CatalogProduct } from '#domain/order.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { agreePrice } from '#domain/pricing/price-list.ts'
import { defaultTerms } from '#domain/terms.ts'
import { productOfInterval } from '#domain/product-family.ts'
import { quantityOnChange } from '#domain/variant.ts'
import { announce } from './announcement.ts'
import { intervalOf, readCustomerLists, readPeriodEnd } from './asked-plan.ts'
import { readCatalog } from './catalog.ts'
import { once, type CommandKey } from './command.ts'
import type { Db } from './database.ts'
import { dropLine, endLine, listLinesAfter, openLine, type LineChanges, type LineRow } from './line-change.ts'
import { soldAs } from './plan.ts'
import { tellOf } from './subscription.ts'

/**
 * Bills everything of a subscription that recurs by one recurrence, each line from its next period on (C-14): it ends there,
 * and its successor lies on the document of that interval, without overlap or hole. What was planned stays planned, pauses
 * too. Instalments keep their rhythm, for another would change what they come to.
 * @throws `action_not_allowed` where nothing is left to move, `price_missing_in_currency` between days and months
 */
export async function setRecurrence(db: Db, key: CommandKey, recurrence: Recurrence): Promise<void> {
  await once(db, key, 'setRecurrence', async (changes, subscription) => {
    const today = dateIn(subscription.time_zone, key.now)
    const to = billingInterval(recurrence)
    const lines = (await listLinesAfter(changes.tx, subscription.id, today)).filter((line) =>
      isMovable(line, to),
    )
    if (lines.length === 0)
      throw new BusinessError(
        'action_not_allowed',
        'All that recurs and is not paid by instalments has this recurrence.',
      )
    const agree = await readAgreement(changes, { to, today })
    const days: string[] = []
    // From the last on, so that no line meets the one after it.
    for (const line of lines.toReversed()) {
      const from =
        compareDates(line.starts_on, today) > 0
          ? line.starts_on
          : await readPeriodEnd(changes.tx, line, today)
      if (line.ends_on !== null && compareDates(from, line.ends_on) >= 0) continue
      await moveLine(changes, line, { from, sold: agree(line, from) })
      days.push(from)
    }
    const effectiveOn = days.toSorted(compareDates)[0] ?? today
    await tellOf(changes.tx, subscription, 'subscription.recurrence_set', {
      now: key.now,
      data: { count: recurrence.count, unit: recurrence.unit, effective_on: effectiveOn, actor: key.actor },
    })
  })
}

function isMovable(line: LineRow, to: BillingInterval): boolean {
  const interval = intervalOf(line)
  const { periodCount } = { ...defaultTerms, ...line.terms }
  return interval !== null && periodCount === null && !isSame(interval, to)
}

function isSame(one: BillingInterval, other: BillingInterval): boolean {
  return one.unit === other.unit && one.count === other.count
}

type Sold = Partial<ReturnType<typeof soldAs>> & Pick<LineRow, 'quantity' | 'price' | 'price_list_item_id' | 'conversion' | 'interval_count' | 'interval_unit'> // prettier-ignore

async function moveLine(
  changes: LineChanges,
  line: LineRow,
  { from, sold }: { from: string; sold: Sold },
): Promise<void> {
  const isPlanned = from === line.starts_on
  const { id, customer_id, currency } = changes.subscription
  await announce(changes.tx, changes.requestId, [
    {
      subscription: { id, customer_id },
      firstLineId: line.first_line_id,
      before: announcedOf(line, currency),
      after: announcedOf({ ...line, ...sold }, currency),
      effectiveOn: from,
    },
  ])
  if (isPlanned) await dropLine(changes, line)
  else await endLine(changes, line, from)
  const { ends_on, closed_by, opened_by } = line
  await openLine(changes, line, {
    ...sold,
    starts_on: from,
    ends_on,
    closed_by: ends_on === null ? null : closed_by,
    ...(isPlanned ? { opened_by } : {}),
  })
}

function announcedOf(
  line: Pick<LineRow, 'price' | 'unit' | 'interval_count' | 'interval_unit'>,
  currency: string,
) {
  return {
    price: describePriceModel(line.price, currency, line.unit),
    recurrence: `${line.interval_count} ${line.interval_unit}`,
  }
}

/**
 * What a line sells in another interval: the product of its family that is sold so, at its price of that day, by the
 * customer's list where that says more; where there is none such, the same at as much a month.
 */
async function readAgreement(
  { tx, subscription }: LineChanges,
  { to, today }: { to: BillingInterval; today: string },
): Promise<(line: LineRow, on: string) => Sold> {
  const { customer_id: customerId, currency } = subscription
  const catalog = await readCatalog(tx, today)
  const lists = await readCustomerLists(tx, customerId, currency)
  const interval = { interval_count: to.count, interval_unit: to.unit }
  return (line, on) => {
    const product = productOf(catalog, line)
    const target = productOfInterval(catalog, product, to)
    if (target === null) {
      const from = intervalOf(line) ?? to
      const price = priceForInterval(line.price, from, to)
      const { quantity, price_list_item_id, conversion } = line
      return { ...interval, price, quantity, price_list_item_id, conversion }
    }
    const quantity = quantityIn(target, product, line)
    const priced = line.billing_type === 'usage' ? '1' : quantity
    const agreed = agreePrice(target, { ...lists, customerId, currency, quantity: priced, on })
    const { price, priceListItemId, conversion = null } = agreed
    return {
      ...soldAs(target),
      ...interval,
      price,
      quantity,
      conversion,
      price_list_item_id: priceListItemId,
    }
  }
}

function quantityIn(target: CatalogProduct, product: CatalogProduct, line: LineRow): string {
  return line.billing_type === 'usage'
    ? line.quantity
    : quantityOnChange(product, target, new Big(line.quantity)).toFixed()
}

function productOf(catalog: Catalog, line: LineRow): CatalogProduct {
  const product = catalog.products.get(line.product_id)
  if (!product) throw new BusinessError('product_unknown', `The product of ${line.description} is not there.`)
  return product
}
