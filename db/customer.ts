import type { Db } from './database.ts'
import { newId } from './identifier.ts'
import { refuseTakenCode } from './unique.ts'

export interface NewCustomer {
  readonly code: string
  readonly name: string
  readonly email: string | null
  readonly address: string | null
  readonly currency: string
  readonly timeZone: string
  readonly priceListId: string | null
}

/** The customer's environment comes with its first order. @throws `code_taken` */
export async function insertCustomer(db: Db, customer: NewCustomer): Promise<string> {
  const id = newId()
  await refuseTakenCode(customer.code, async () =>
    db
      .insertInto('customers')
      .values({
        id,
        code: customer.code,
        name: customer.name,
        email: customer.email,
        address: customer.address,
        currency: customer.currency,
        time_zone: customer.timeZone,
        price_list_id: customer.priceListId,
      })
      .execute(),
  )
  return id
}
