import { asyncLocalStorage, type Context } from '@temporalio/activity'
import { createBillingRunActivities } from '#activities/billing-run.ts'
import { createBillingActivities, type BilledPeriod } from '#activities/billing.ts'
import type { DatabaseDependencies } from '#activities/dependencies.ts'
import { insertCustomer } from '#db/customer.ts'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { isTransient } from '#db/transient.ts'
import { encodeId } from '#domain/identifier.ts'
import { pushUsage, type Seller } from '#test/support/seller.ts'

const dayMs = 86_400_000

export interface SoldDocument {
  readonly subscriptionId: string
  readonly documentId: string
}

/**
 * So many customers with a document each, that were sold Config 1 so many days ago and used something since. Their
 * documents live in real time, so that billing runs find them.
 */
export async function sellFleet(seller: Seller, count: number, daysAgo: number): Promise<SoldDocument[]> {
  const then = Date.now() - daysAgo * dayMs
  const fleet: SoldDocument[] = []
  for (let index = 0; index < count; index += 1) {
    const code = `fleet-${index}`
    const facts = { name: code, email: null, address: null, currency: 'USD', timeZone: 'UTC' }
    await insertCustomer(seller.db, { code, ...facts, priceListId: null })
    const sold = { kit: 'odoo-config-1', customer: code, now: new Date(then).toISOString() }
    const subscriptionId = await seller.sell(sold)
    const occurredAt = new Date(then + (5 + (index % 20)) * dayMs).toISOString()
    await pushUsage(seller.db, { subscriptionId, metric: 'network', quantity: `${index + 1}.25`, occurredAt })
    const line = await seller.db
      .selectFrom('subscription_lines')
      .select('document_id')
      .where('subscription_id', '=', subscriptionId)
      .executeTakeFirstOrThrow()
    fleet.push({ subscriptionId, documentId: line.document_id ?? '' })
  }
  return fleet
}

/** The activities that bill, called as Temporal calls them: what may succeed later is tried again, for as long as it takes. */
export function callersOf(db: Db) {
  // Billing asks for the database alone.
  const dependencies = { db } as DatabaseDependencies
  const runs = createBillingRunActivities(dependencies)
  const activities = createBillingActivities(dependencies)
  return {
    run: async (now: string): Promise<void> => {
      const workflowId = `billing-run/${newId()}`
      const context = {
        info: { workflowExecution: { workflowId } },
        heartbeat: () => {},
      } as unknown as Context
      await persist(async () =>
        asyncLocalStorage.run(context, async () => {
          await runs.billDueDocuments({ nowMs: Date.parse(now), after: null, limit: 1_000 })
        }),
      )
    },
    /** What a subscription does with its document: period by period, until none is due. */
    bill: async (documentId: string, now: string): Promise<void> => {
      const { next_period_index: from } = await persist(async () =>
        db
          .selectFrom('subscription_documents')
          .select('next_period_index')
          .where('id', '=', documentId)
          .executeTakeFirstOrThrow(),
      )
      let next: { periodIndex: number } | null = { periodIndex: from }
      while (next !== null) {
        const key: { documentId: string; periodIndex: number; nowMs: number } = {
          documentId: encodeId('document', documentId),
          periodIndex: next.periodIndex,
          nowMs: Date.parse(now),
        }
        const billed: BilledPeriod = await persist(async () => activities.billPeriod(key))
        next = billed.next !== null && billed.next.dueAtMs <= Date.parse(now) ? billed.next : null
      }
    },
  }
}

const persistenceMs = 120_000

/** Tries again what failed for no fault of its own. */
export async function persist<T>(attempt: () => Promise<T>): Promise<T> {
  const until = Date.now() + persistenceMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!isTransient(error) || Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** What each document was billed, whatever numbers it got: the same after any disturbance. */
export async function readBilled(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('invoices')
    .innerJoin('invoice_lines', 'invoice_lines.invoice_id', 'invoices.id')
    .innerJoin('customers', 'customers.id', 'invoices.customer_id')
    .select(['customers.code', 'billing_key', 'position', 'invoice_lines.kind', 'service_period'])
    .select(['quantity', 'amount_minor', 'invoice_lines.tax_minor', 'total_minor'])
    .execute()
  return rows
    .map((row) =>
      [row.code, row.billing_key.split('/').at(-1), row.position, row.kind, row.service_period, row.quantity]
        .concat([row.amount_minor, row.tax_minor, row.total_minor])
        .join(' '),
    )
    .toSorted()
}
