import Big from 'big.js'
import { sql } from 'kysely'
import { fieldError } from '#domain/errors.ts'
import { checkStock, gatherWanted, type Stock, type Wanted } from '#domain/stock.ts'
import type { PlannedLine } from '#domain/order.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'

/** What lines take of their products. What is metered has no quantity to take. */
export function wantedOf(lines: readonly PlannedLine[]): Wanted[] {
  return lines
    .filter(({ product }) => product.billingType !== 'usage')
    .map(({ product, quantity, orderLineIndex }) => ({
      productId: product.id,
      productCode: product.code,
      quantity,
      pointer: `/lines/${orderLineIndex}/quantity`,
    }))
}

/** Refuses what is not there now; nothing is taken. @throws `out_of_stock`, `customer_limit_reached` */
export async function refuseOutOfStock(db: Db, wanted: readonly Wanted[], customerId: string): Promise<void> {
  const gathered = gatherWanted(wanted)
  const stocks = await readStocks(db, gathered, customerId)
  for (const one of gathered) {
    const stock = stocks.get(one.productId)
    if (stock) checkStock(one, stock)
  }
}

export interface SoldSubscription {
  readonly subscriptionId: string
  readonly wanted: readonly Wanted[]
}

/**
 * Takes what subscriptions were sold. The rows of the stocks stay locked to the end of the transaction: of two who want the
 * last one, one gets it.
 * @throws `out_of_stock`, `customer_limit_reached`
 */
export async function takeStock(
  tx: Tx,
  sold: readonly SoldSubscription[],
  customerId: string,
): Promise<void> {
  const gathered = gatherWanted(sold.flatMap(({ wanted }) => wanted))
  const locked = await tx
    .selectFrom('stocks')
    .select('product_id')
    .where('product_id', '=', sql<string>`any(${gathered.map(({ productId }) => productId)}::uuid[])`)
    .orderBy('product_id')
    .forUpdate()
    .execute()
  if (locked.length === 0) return
  await refuseOutOfStock(tx, gathered, customerId)
  const isKept = new Set(locked.map((row) => row.product_id))
  for (const { productId, quantity } of gathered.filter((one) => isKept.has(one.productId))) {
    await tx
      .updateTable('stocks')
      .set({ taken_quantity: sql<string>`taken_quantity + ${quantity}::numeric` })
      .where('product_id', '=', productId)
      .execute()
  }
  const takings = sold.flatMap(({ subscriptionId, wanted }) =>
    wanted
      .filter(({ productId }) => isKept.has(productId))
      .map(({ productId, quantity }) => ({
        id: newId(),
        product_id: productId,
        customer_id: customerId,
        subscription_id: subscriptionId,
        quantity,
        returned_at: null,
      })),
  )
  await tx.insertInto('stock_takings').values(takings).execute()
}

async function readStocks(
  db: Db,
  wanted: readonly Wanted[],
  customerId: string,
): Promise<ReadonlyMap<string, Stock>> {
  const rows = await db
    .selectFrom('stocks')
    .selectAll()
    .select(
      sql<string>`coalesce((select sum(quantity) from stock_takings taking
        where taking.product_id = stocks.product_id and taking.customer_id = ${customerId}::uuid
          and taking.returned_at is null), 0)::text`.as('held_by_customer'),
    )
    .where('product_id', '=', sql<string>`any(${wanted.map(({ productId }) => productId)}::uuid[])`)
    .execute()
  return new Map(
    rows.map((row) => [
      row.product_id,
      {
        quantity: row.quantity,
        takenQuantity: row.taken_quantity,
        limitPerCustomer: row.limit_per_customer,
        heldByCustomer: row.held_by_customer,
      },
    ]),
  )
}

export interface StockChange {
  readonly quantity?: string | null
  readonly limitPerCustomer?: string | null
  /** Whether what is taken goes back when its subscription ends. */
  readonly isReturned?: boolean
}

/**
 * Says how much there is of a product, and how much of it a customer can have; what is left out stays.
 * @throws `field_invalid` for less than is taken
 */
export async function setStock(tx: Db, productId: string, change: StockChange): Promise<void> {
  const columns = {
    ...(change.quantity === undefined ? {} : { quantity: change.quantity }),
    ...(change.limitPerCustomer === undefined ? {} : { limit_per_customer: change.limitPerCustomer }),
    ...(change.isReturned === undefined ? {} : { is_returned: change.isReturned }),
  }
  await tx
    .insertInto('stocks')
    .values({ product_id: productId, quantity: null, limit_per_customer: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { taken_quantity: taken } = await tx
    .selectFrom('stocks')
    .select('taken_quantity')
    .where('product_id', '=', productId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (change.quantity != null && new Big(change.quantity).lt(taken))
    throw fieldError('/quantity', 'field_invalid', `${taken} are taken; there cannot be fewer.`)
  if (Object.keys(columns).length > 0)
    await tx.updateTable('stocks').set(columns).where('product_id', '=', productId).execute()
}

/** What was handed over is the taker's, and goes back when his subscription ends. */
export async function handOverStock(
  tx: Tx,
  from: { subscriptionId: string; productId: string },
  to: { subscriptionId: string; customerId: string },
): Promise<void> {
  await tx
    .updateTable('stock_takings')
    .set({ subscription_id: to.subscriptionId, customer_id: to.customerId })
    .where('subscription_id', '=', from.subscriptionId)
    .where('product_id', '=', from.productId)
    .where('returned_at', 'is', null)
    .execute()
}
