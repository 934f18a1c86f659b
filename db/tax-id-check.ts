import { sql } from 'kysely'
import type { TaxIdAnswer } from '#domain/tax-id.ts'
import { waitAfterFailuresMs } from '#domain/tax-id.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { closeTasks, openTask } from './task.ts'

/** A customer whose tax id is not known to be valid yet. */
export interface UncheckedTaxId {
  readonly customerId: string
  readonly code: string
  readonly name: string
  readonly country: string
  readonly taxId: string
}

/**
 * Businesses in the EU, but not in the seller's country, whose tax id no register confirmed or refused yet: those whose
 * turn it is, longest waiting first. A register that was not reached is asked again, later each time.
 */
export async function listUncheckedTaxIds(db: Db, now: string, limit: number): Promise<UncheckedTaxId[]> {
  const { rows } = await sql<UncheckedTaxId & { failures: number; last_checked_at: string | null }>`
    select customer.id as "customerId", customer.code, customer.name, customer.country, customer.tax_id as "taxId",
      coalesce(tried.failures, 0)::int as failures, tried.last_checked_at
    from customers customer
    cross join lateral (
      select count(*) as failures, max(checked_at) as last_checked_at, bool_or(answer = 'invalid') as is_refused
      from tax_id_checks where customer_id = customer.id and tax_id = customer.tax_id
    ) tried
    where customer.is_business and customer.tax_id is not null and customer.tax_id_verified_at is null
      and customer.country is not null and tried.is_refused is not true
      and customer.country is distinct from (select seller ->> 'country' from installation)
    order by tried.last_checked_at nulls first, customer.id`.execute(db)
  return rows
    .filter(
      ({ failures, last_checked_at: last }) =>
        last === null || Date.parse(last) + waitAfterFailuresMs(failures) <= Date.parse(now),
    )
    .slice(0, limit)
}

/** The seller's own country and tax id, for which a register gives a consultation number. */
export async function readRequester(db: Db): Promise<{ country: string | null; taxId: string | null }> {
  const { seller } = await db.selectFrom('installation').select('seller').executeTakeFirstOrThrow()
  return { country: seller.country ?? null, taxId: seller.taxId }
}

/** What was answered, or why nothing was. */
export type CheckedTaxId = { readonly answer: TaxIdAnswer } | { readonly failure: string }

/**
 * Keeps an answer, and what follows: a valid id is verified from now on, so that the next bills are without tax; of any
 * other the customer has one task. An answer to an id that was changed meanwhile is kept, and nothing follows.
 */
export async function recordTaxIdCheck(
  tx: Tx,
  of: UncheckedTaxId,
  checked: CheckedTaxId,
  now: string,
): Promise<void> {
  const answer = 'failure' in checked ? 'unreachable' : checked.answer.isValid ? 'valid' : 'invalid'
  await tx
    .insertInto('tax_id_checks')
    .values({
      id: newId(),
      customer_id: of.customerId,
      tax_id: of.taxId,
      answer,
      consultation_number: 'answer' in checked ? checked.answer.consultationNumber : null,
      registered_name: 'answer' in checked ? checked.answer.name : null,
      failure: 'failure' in checked ? checked.failure : null,
      checked_at: now,
    })
    .execute()
  const current = await tx
    .selectFrom('customers')
    .select('tax_id')
    .where('id', '=', of.customerId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (current?.tax_id !== of.taxId) return
  if (answer !== 'valid') return await openTask(tx, taskOf(of, checked))
  await tx.updateTable('customers').set({ tax_id_verified_at: now }).where('id', '=', of.customerId).execute()
  await closeTaxIdTask(tx, of.customerId, 'the register confirmed the tax id')
}

export async function closeTaxIdTask(db: Db, customerId: string, reason: string): Promise<void> {
  await closeTasks(db, { kind: 'customer', id: customerId, reason }, ['tax_id_unverified'])
}

function taskOf({ customerId, code, name, taxId }: UncheckedTaxId, checked: CheckedTaxId) {
  const detail =
    'failure' in checked
      ? `The register of ${taxId} was not reached (${checked.failure}). ${code} is taxed until it answers; it is asked again by itself.`
      : `The register does not know ${taxId}. ${code} is taxed: ask for the right tax id, and change it.`
  return {
    kind: 'tax_id_unverified',
    subjectKind: 'customer',
    subjectId: customerId,
    subject: name,
    detail,
  } as const
}
