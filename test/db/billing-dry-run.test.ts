import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { dryRunBeside } from '#db/billing-dry-run.ts'
import { billFinal } from '#db/billing.ts'
import { newId } from '#db/identifier.ts'
import { billLateUsage } from '#db/late-bill.ts'
import { billLoneOneOffs } from '#db/lone-one-off.ts'
import { insertOneOffCharge } from '#db/one-off-charge.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { setPhase } from '#db/subscription.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'
import { storeUsageEvent } from '#test/support/usage-events.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const now = '2026-03-22T09:00:00Z'

/** Config 1 in real time, ended on 21 March; 4 GiB of network of 15 March are told of a day later. */
async function endAndPushLate(): Promise<string> {
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', now: '2026-03-01T08:00:00Z' })
  const command = { subscriptionId, requestId: newId(), actor: 'test', now: '2026-03-02T08:00:00Z' }
  await cancelSubscription(seller.db, command, { when: 'date', endsOn: '2026-03-21', reason: 'test' })
  await billFinal(seller.db, subscriptionId, '2026-03-21T01:00:00Z')
  await setPhase(seller.db, subscriptionId, { phase: 'unbuilding', now: '2026-03-21T01:00:00Z' })
  const event = { subscriptionId, source: 'test', eventId: newId() }
  const used = { metric: 'network', quantity: '4', unit: 'GiB', occurredAt: '2026-03-15T00:00:00Z' }
  await storeUsageEvent(seller.db, { ...event, ...used }, '2026-03-22T08:00:00Z')
  return subscriptionId
}

async function chargeEuros(customerId: string): Promise<void> {
  await insertOneOffCharge(seller.db, {
    customerId,
    subscriptionId: null,
    testClockId: null,
    productId: null,
    currency: 'EUR',
    description: 'Work',
    quantity: '1',
    unit: 'hour',
    price: perUnitPrice('12'),
    taxCategory: 'standard',
    reference: null,
    chargedOn: '2026-03-20',
  })
}

test('a dry run shows what is billed on no document, as often as it is asked, and the run then bills it', async () => {
  const subscriptionId = await endAndPushLate()
  const customer = await seller.db
    .selectFrom('subscriptions')
    .innerJoin('customers', 'customers.id', 'subscriptions.customer_id')
    .select(['customers.id', 'code', 'name'])
    .where('subscriptions.id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  await chargeEuros(customer.id)
  const told = async () =>
    (await dryRunBeside(seller.db, now)).map((found) => ({
      ...found,
      invoices: found.invoices.map(({ currency, totalMinor }) => `${currency} ${totalMinor}`),
    }))
  const billed = { customer, outcome: 'billed', reason: null }
  const expected = [
    { ...billed, kind: 'late_usage', subscriptionId, invoices: ['USD 400'] },
    { ...billed, kind: 'one_off', subscriptionId: null, invoices: ['EUR 1200'] },
  ]
  assert.deepEqual(await told(), expected)
  assert.deepEqual(await told(), expected, 'nothing was kept')
  await billLateUsage(seller.db, { testClockId: null, now })
  await billLoneOneOffs(seller.db, { testClockId: null, now })
  const made = await seller.db
    .selectFrom('invoices')
    .select(['currency', 'total_minor'])
    .where('issued_on', '=', '2026-03-22')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    made.map((row) => `${row.currency} ${row.total_minor}`),
    ['USD 400', 'EUR 1200'],
  )
  assert.deepEqual(await told(), [])
})
