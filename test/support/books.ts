import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { insertDiscount, takeDiscount } from '#db/discount.ts'
import { insertOneOffCharge } from '#db/one-off-charge.ts'
import { insertPayment } from '#db/payment.ts'
import { changeSubscription } from '#db/plan.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { insertTaxRate } from '#db/tax-rate.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { advanceClock, settleSubscription } from './clock-hand.ts'
import { pushUsage, type Seller } from './seller.ts'
import { storeUsageEvent } from './usage-events.ts'

/** A seller in Germany with two rates, one of them until June, and all that the law wants to read of him and his customers. */
export async function keepTaxRates(db: Db): Promise<void> {
  await sql`
    update installation
    set seller = seller || '{"country": "DE", "address": "Hafen 1, 20457 Hamburg", "taxId": "DE123456789"}'`.execute(
    db,
  )
  await db.updateTable('customers').set({ address: 'Quay 1, Leeds' }).execute()
  const standard = { country: 'DE', region: null, category: 'standard', name: 'VAT' }
  await insertTaxRate(db, { ...standard, ratePercent: '19', startsOn: null, endsOn: '2026-07-01' })
  await insertTaxRate(db, { ...standard, ratePercent: '16', startsOn: '2026-07-01', endsOn: null })
}

/**
 * Books of some months, kept by the functions that the workflows call, in which every kind of line is found: two
 * subscriptions of which one ends early, changes, usage in time and late, a one-off, a discount, a least amount, a change of
 * the tax rate, a credit note and the balance that the next invoices use.
 */
export async function keepBooks(seller: Seller): Promise<void> {
  const { db } = seller
  await keepTaxRates(db)
  const now = '2026-01-31T09:00:00Z'
  const clock = await seller.clock(now)
  const config1 = await seller.sell({ kit: 'odoo-config-1', testClockId: clock, now })
  const customer = await db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', config1)
    .executeTakeFirstOrThrow()
  await giveDiscount(db, customer.customer_id)
  await db.updateTable('subscriptions').set({ least_amount: '18' }).where('id', '=', config1).execute()
  await seller.sell({ product: 'set-up', testClockId: clock, now })
  await use(db, config1, 'network', '7.25', '2026-02-03T00:00:00Z')
  await use(db, config1, 'disk', '2', '2026-02-03T00:00:00Z')

  await advanceClock(db, clock, '2026-03-10T12:00:00Z')
  await changeSubscription(db, command(config1, 'up', '2026-03-10T12:00:00Z'), {
    subscriptionLineId: await firstLineId(db, config1),
    quantity: '12',
  })
  await useLate(db, config1, '2026-02-20T00:00:00Z')
  await insertOneOffCharge(db, {
    customerId: customer.customer_id,
    subscriptionId: null,
    testClockId: clock,
    productId: null,
    currency: 'USD',
    description: 'Restored a backup',
    quantity: '1.5',
    unit: 'hour',
    price: perUnitPrice('79.99'),
    taxCategory: 'standard',
    reference: 'PO-7',
    chargedOn: '2026-03-10',
  })
  await advanceClock(db, clock, '2026-06-15T08:00:00Z')
  const config2 = await seller.sell({ kit: 'odoo-config-2', testClockId: clock, now: '2026-06-15T08:00:00Z' })
  await advanceClock(db, clock, '2026-07-10T10:00:00Z')
  await payAll(db, clock, '2026-07-10T10:00:00Z')
  const end = command(config2, 'end', '2026-07-10T10:00:00Z')
  await cancelSubscription(db, end, { when: 'now', reason: 'moved' })
  await settleSubscription(db, config2, end.now)
  await advanceClock(db, clock, '2026-09-01T00:00:00Z')
  await seller.sell({ kit: 'odoo-config-2', customer: 'north-clinic', now: new Date().toISOString() })
}

async function giveDiscount(db: Db, customerId: string): Promise<void> {
  const discountId = await insertDiscount(db, {
    code: 'SPRING',
    name: 'Spring',
    percent: '12.5',
    amount: null,
    scope: 'document',
    productId: null,
    periodCount: 3,
    startsOn: null,
    endsOn: null,
    maximumUses: 5,
    isOncePerCustomer: true,
  })
  const use = { customerId, subscriptionIds: [null], startsOn: '2026-01-31', pointer: '' }
  await db.transaction().execute(async (tx) => takeDiscount(tx, discountId, use))
}

export function command(subscriptionId: string, requestId: string, now: string) {
  return { subscriptionId, requestId, actor: 'test', now }
}

export async function firstLineId(db: Db, subscriptionId: string): Promise<string> {
  const line = await db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .orderBy('position')
    .orderBy('id')
    .executeTakeFirstOrThrow()
  return line.id
}

/** Everything that is open on a clock is paid in full. */
export async function payAll(db: Db, testClockId: string, receivedAt: string): Promise<void> {
  const { rows } = await sql<{ id: string; currency: string; open_minor: number }>`
    select id, currency, (total_minor - coalesce((select sum(amount_minor) from allocations where invoice_id = invoices.id), 0))::bigint
      as open_minor
    from invoices where kind = 'invoice' and test_clock_id = ${testClockId} order by id`.execute(db)
  for (const { id, currency, open_minor: amountMinor } of rows.filter((row) => row.open_minor > 0)) {
    const payment = {
      invoiceId: id,
      currency,
      amountMinor,
      reference: 'statement 7',
      actor: 'test',
      receivedAt,
    }
    await db.transaction().execute(async (tx) => insertPayment(tx, payment))
  }
}

async function use(db: Db, subscriptionId: string, metric: string, quantity: string, occurredAt: string) {
  await pushUsage(db, { subscriptionId, metric, quantity, occurredAt })
}

/** An amount that comes after its window was billed. */
export async function useLate(db: Db, subscriptionId: string, occurredAt: string): Promise<void> {
  const event = { subscriptionId, source: 'test', eventId: `late ${subscriptionId} ${occurredAt}` }
  await storeUsageEvent(db, { ...event, metric: 'network', quantity: '3', unit: 'GiB', occurredAt })
}
