import { sql, type Selectable } from 'kysely'
import { BusinessError, fieldError } from '#domain/errors.ts'
import type { OneOffCharge } from '#domain/invoice/lines.ts'
import type { Price } from '#domain/pricing/price.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import type { OneOffChargesTable } from './tables/invoice.ts'

export interface NewOneOffCharge {
  readonly customerId: string
  readonly subscriptionId: string | null
  readonly testClockId: string | null
  readonly productId: string | null
  readonly currency: string
  readonly description: string
  readonly quantity: string
  readonly unit: string
  readonly price: Price
  readonly taxCategory: string
  readonly reference: string | null
  /** From which day on a document takes it. */
  readonly chargedOn: string
  /** Left out: it is charged. */
  readonly isText?: boolean
}

/** A one-off for the customer's next invoice. @throws `billed_elsewhere` */
export async function insertOneOffCharge(db: Db, charge: NewOneOffCharge): Promise<string> {
  await refuseBilledElsewhere(db, charge.subscriptionId)
  const id = newId()
  await db
    .insertInto('one_off_charges')
    .values({
      id,
      customer_id: charge.customerId,
      subscription_id: charge.subscriptionId,
      test_clock_id: charge.testClockId,
      product_id: charge.productId,
      currency: charge.currency,
      description: charge.description,
      quantity: charge.quantity,
      unit: charge.unit,
      price: JSON.stringify(charge.price),
      tax_category: charge.taxCategory,
      reference: charge.reference,
      charged_on: charge.chargedOn,
      is_text: charge.isText ?? false,
      withdrawn_at: null,
    })
    .execute()
  return id
}

async function refuseBilledElsewhere(db: Db, subscriptionId: string | null): Promise<void> {
  if (subscriptionId === null) return
  const sold = await db
    .selectFrom('subscriptions')
    .select('is_billed_elsewhere')
    .where('id', '=', subscriptionId)
    .executeTakeFirst()
  if (sold?.is_billed_elsewhere !== true) return
  const detail = 'Another system bills the subscription: nothing of it is charged here.'
  throw fieldError('/subscription', 'billed_elsewhere', detail)
}

/**
 * Takes a charge back that no invoice holds yet; withdrawn already, it stays so. A bill that has it in hand is waited for.
 * @throws `not_found`, `charge_billed`
 */
export async function withdrawOneOffCharge(tx: Tx, id: string, now: string): Promise<void> {
  const charge = await tx
    .selectFrom('one_off_charges')
    .select('withdrawn_at')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!charge) throw new BusinessError('not_found', 'There is no such charge.')
  if (charge.withdrawn_at !== null) return
  const line = await tx
    .selectFrom('invoice_lines')
    .innerJoin('invoices', 'invoices.id', 'invoice_lines.invoice_id')
    .select('number')
    .where('one_off_charge_id', '=', id)
    .where('finalized_at', 'is not', null)
    .executeTakeFirst()
  if (line) throw new BusinessError('charge_billed', `The charge is on ${line.number}.`)
  await tx.updateTable('one_off_charges').set({ withdrawn_at: now }).where('id', '=', id).execute()
}

export interface WaitingCharge {
  readonly charge: OneOffCharge
  readonly customerId: string
  readonly testClockId: string | null
  readonly currency: string
}

/**
 * One-offs that wait for the customers' next documents, oldest first. Those that another bill has in hand at this moment are
 * passed by: that one bills them, and the database lets none stand on two.
 */
export async function readWaitingCharges(
  db: Db,
  customerIds: readonly string[],
  { isLocked }: { isLocked: boolean },
): Promise<WaitingCharge[]> {
  if (customerIds.length === 0) return []
  const query = db
    .selectFrom('one_off_charges as charge')
    .selectAll('charge')
    .where('charge.customer_id', '=', sql<string>`any(${customerIds}::uuid[])`)
    .where('charge.withdrawn_at', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('invoice_lines')
            .select('invoice_lines.id')
            .whereRef('invoice_lines.one_off_charge_id', '=', 'charge.id'),
        ),
      ),
    )
    .orderBy('charge.id')
  const rows = await (isLocked ? query.forNoKeyUpdate('charge').skipLocked() : query).execute()
  return rows.map((row) => ({
    charge: toCharge(row),
    customerId: row.customer_id,
    testClockId: row.test_clock_id,
    currency: row.currency,
  }))
}

/** Charges that an invoice held, to be billed anew; those that were withdrawn since are left out. */
export async function readCharges(db: Db, ids: readonly string[]): Promise<OneOffCharge[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('one_off_charges')
    .selectAll()
    .where('id', 'in', ids)
    .where('withdrawn_at', 'is', null)
    .orderBy('id')
    .execute()
  return rows.map(toCharge)
}

function toCharge(row: Selectable<OneOffChargesTable>): OneOffCharge {
  return {
    id: row.id,
    subscriptionId: row.subscription_id,
    productId: row.product_id,
    // The customer finds his order on the invoice by its own number.
    description: row.reference === null ? row.description : `${row.description} (${row.reference})`,
    quantity: row.quantity,
    unit: row.unit,
    price: row.price,
    taxCategory: row.tax_category,
    chargedOn: row.charged_on,
    isText: row.is_text,
  }
}
