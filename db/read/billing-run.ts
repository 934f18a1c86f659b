import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export async function listBillingRuns(db: Db, page: PageRequest) {
  return await onPage(db.selectFrom('billing_runs').selectAll(), page, 'billing_runs.id').execute()
}
export type BillingRunRow = Awaited<ReturnType<typeof listBillingRuns>>[number]

export async function getBillingRun(db: Db, id: string): Promise<BillingRunRow> {
  return await db.selectFrom('billing_runs').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

const shownExceptions = 1_000

/** Who was not billed and why, the parked first; whether the reason still stands is told by the document itself. */
export async function listBillingRunExceptions(db: Db, billingRunId: string) {
  return await db
    .selectFrom('billing_run_exceptions as exception')
    .innerJoin('subscription_documents as document', 'document.id', 'exception.document_id')
    .innerJoin('customers as customer', 'customer.id', 'document.customer_id')
    .select(['exception.document_id', 'exception.outcome', 'exception.reason'])
    .select(['document.parked_reason', 'document.due_on'])
    .select([
      'customer.id as customer_id',
      'customer.code as customer_code',
      'customer.name as customer_name',
    ])
    .where('exception.billing_run_id', '=', billingRunId)
    .orderBy('exception.outcome')
    .orderBy('exception.document_id')
    .limit(shownExceptions)
    .execute()
}
export type BillingRunExceptionRow = Awaited<ReturnType<typeof listBillingRunExceptions>>[number]

/** Whose documents they are. */
export async function listDocumentCustomers(db: Db, documentIds: readonly string[]) {
  if (documentIds.length === 0) return []
  return await db
    .selectFrom('subscription_documents as document')
    .innerJoin('customers as customer', 'customer.id', 'document.customer_id')
    .select(['document.id as document_id', 'customer.id', 'customer.code', 'customer.name'])
    .where('document.id', 'in', documentIds)
    .execute()
}
export type DocumentCustomerRow = Awaited<ReturnType<typeof listDocumentCustomers>>[number]
