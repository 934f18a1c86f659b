import { sql } from 'kysely'
import type { OfferedDiscount } from '#domain/discount-code.ts'
import { fieldError, type BusinessError } from '#domain/errors.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { refuseTakenCode } from './unique.ts'

export interface NewDiscount {
  /** Whoever knows it may use it; null: an operator gives the discount. */
  readonly code: string | null
  readonly name: string
  /** One of the two; the amount in minor units of the currency. */
  readonly percent: string | null
  readonly amount: { readonly amountMinor: number; readonly currency: string } | null
  readonly scope: 'line' | 'document'
  readonly productId: string | null
  readonly periodCount: number | null
  readonly startsOn: string | null
  readonly endsOn: string | null
  readonly maximumUses: number | null
  readonly isOncePerCustomer: boolean
}

/** @throws `code_taken` */
export async function insertDiscount(db: Db, discount: NewDiscount): Promise<string> {
  const id = newId()
  await refuseTakenCode(discount.code ?? '', async () =>
    db
      .insertInto('discounts')
      .values({
        id,
        code: discount.code,
        name: discount.name,
        percent: discount.percent,
        amount_minor: discount.amount?.amountMinor ?? null,
        currency: discount.amount?.currency ?? null,
        scope: discount.scope,
        product_id: discount.productId,
        period_count: discount.periodCount,
        valid_in: `[${discount.startsOn ?? ''},${discount.endsOn ?? ''})`,
        maximum_uses: discount.maximumUses,
        is_once_per_customer: discount.isOncePerCustomer,
        archived_at: null,
      })
      .execute(),
  )
  return id
}

export async function findDiscountByCode(db: Db, code: string): Promise<CodedDiscount | undefined> {
  return await db
    .selectFrom('discounts')
    .select(['id', 'code', 'name', 'scope', 'percent', 'currency', 'product_id as productId'])
    .select('amount_minor as amountMinor')
    .select([
      sql<string | null>`lower(valid_in)`.as('startsOn'),
      sql<string | null>`upper(valid_in)`.as('endsOn'),
      sql<boolean>`archived_at is not null`.as('isArchived'),
    ])
    .where('code', '=', code)
    .executeTakeFirst()
}
export interface CodedDiscount extends OfferedDiscount {
  readonly id: string
  readonly name: string
  readonly scope: 'line' | 'document'
  readonly amountMinor: number | null
}

/** Whose discount it becomes, from which day on; null: of all that the customer has. */
export interface DiscountUse {
  readonly customerId: string
  readonly subscriptionIds: readonly (string | null)[]
  readonly startsOn: string
  /** Of the field that named it. */
  readonly pointer: string
}

/**
 * Uses a discount once. The row is held until the caller's transaction ends, so that of a hundred uses the hundred and
 * first is refused, however many come at once.
 * @throws `discount_code_used_up`
 */
export async function takeDiscount(tx: Tx, discountId: string, use: DiscountUse): Promise<void> {
  const taken = await tx
    .updateTable('discounts')
    .set((eb) => ({ use_count: eb('use_count', '+', 1) }))
    .where('id', '=', discountId)
    .where((eb) => eb.or([eb('maximum_uses', 'is', null), eb('use_count', '<', eb.ref('maximum_uses'))]))
    .returning('is_once_per_customer')
    .executeTakeFirst()
  if (!taken) throw usedUp('It was used as often as it can be.', use.pointer)
  if (taken.is_once_per_customer && (await isApplied(tx, discountId, use.customerId))) {
    throw usedUp('The customer has used it already, and each customer can use it once.', use.pointer)
  }
  await tx
    .insertInto('applied_discounts')
    .values(
      use.subscriptionIds.map((subscriptionId) => ({
        id: newId(),
        discount_id: discountId,
        customer_id: use.customerId,
        subscription_id: subscriptionId,
        valid_in: `[${use.startsOn},)`,
      })),
    )
    .execute()
}

async function isApplied(tx: Tx, discountId: string, customerId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('applied_discounts')
    .select('id')
    .where('discount_id', '=', discountId)
    .where('customer_id', '=', customerId)
    .executeTakeFirst()
  return row !== undefined
}

function usedUp(detail: string, pointer: string): BusinessError {
  return fieldError(pointer, 'discount_code_used_up', detail)
}
