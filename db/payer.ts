import { fieldError } from '#domain/errors.ts'
import type { Db } from './database.ts'

/** Who pays for a customer: the payer, or the customer. */
export async function readPayerId(db: Db, customerId: string): Promise<string> {
  const { payer_id: payerId } = await db
    .selectFrom('customers')
    .select('payer_id')
    .where('id', '=', customerId)
    .executeTakeFirstOrThrow()
  return payerId ?? customerId
}

/**
 * A payer pays for himself, and who pays for others has nobody who pays for him: nobody has to follow a chain. Both rows are
 * locked in one order, so that of two that are changed at once the second sees the first; the database holds it as well.
 * @param customerId null: of a customer that is not there yet
 * @throws `payer_invalid`
 */
export async function checkPayer(db: Db, customerId: string | null, payerId: string): Promise<void> {
  if (payerId === customerId) throw refusal('A customer without a payer pays already: leave it out.')
  await db
    .selectFrom('customers')
    .select('id')
    .where('id', 'in', customerId === null ? [payerId] : [payerId, customerId])
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  if ((await readPayerId(db, payerId)) !== payerId) throw refusal('Somebody else pays for that customer.')
  if (customerId === null) return
  const served = await db
    .selectFrom('customers')
    .select('code')
    .where('payer_id', '=', customerId)
    .executeTakeFirst()
  if (served) throw refusal(`This customer pays for ${served.code}.`)
}

function refusal(detail: string): Error {
  return fieldError('/payer', 'payer_invalid', detail)
}
