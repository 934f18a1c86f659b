import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { forceNextInvoice } from '#db/forced-invoice.ts'
import { insertKit } from '#db/kit.ts'
import { changeSubscription } from '#db/plan.ts'
import { insertProduct } from '#db/product.ts'
import { readStanding } from '#db/read/standing.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { simulateDocuments } from '#domain/invoice/simulation.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { inOrder, listTold, toldBy } from '#test/support/foreseen.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { activate, createSeller, type Seller } from '#test/support/seller.ts'

// Each story lives on a test clock of its own. What the clock brings was foreseen.
let seller: Seller
let yearlyId = ''
before(async () => {
  seller = await createSeller()
  await plan('monthly', 'month', '10')
  yearlyId = await plan('yearly', 'year', '150')
  const { id: monthlyId } = await seller.db
    .selectFrom('products')
    .select('id')
    .where('code', '=', 'monthly')
    .executeTakeFirstOrThrow()
  const of = (productId: string, sequence: number) => ({ productId, kitId: null, quantity: '1', sequence })
  await insertKit(seller.db, {
    code: 'both',
    name: 'Both',
    billOfMaterials: [of(monthlyId, 1), of(yearlyId, 2)],
  })
})
after(async () => {
  await assertInvariants(seller.db, { isUnderWay: true })
  await seller.drop()
})

async function plan(code: string, unit: 'month' | 'year', amount: string): Promise<string> {
  return await insertProduct(seller.db, {
    code,
    name: code,
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 1, unit },
    unit: 'piece',
    basePrice: perUnitPrice(amount),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
}

interface Sold {
  readonly subscriptionId: string
  readonly testClockId: string
  readonly documentIds: string[]
}

async function sell(
  wanted: { product?: string; kit?: string },
  bounds: { least?: string; greatest?: string },
): Promise<Sold> {
  const now = '2026-04-01T08:00:00Z'
  const testClockId = await seller.clock(now)
  const { subscriptionIds } = await seller.order({ ...wanted, testClockId, now })
  const [subscriptionId = ''] = subscriptionIds
  await seller.db
    .updateTable('subscriptions')
    .set({ least_amount: bounds.least ?? null, greatest_amount: bounds.greatest ?? null })
    .where('id', '=', subscriptionId)
    .execute()
  await activate(seller.db, subscriptionId, now)
  return { subscriptionId, testClockId, documentIds: await listDocumentIds(seller.db, subscriptionId) }
}

function command({ subscriptionId }: Sold, requestId: string, now: string) {
  return { subscriptionId, requestId, actor: 'test', now }
}

/** The documents up to a day, `on kind period amount` of each line; what was made was foreseen. */
async function live({ subscriptionId, testClockId }: Sold, until: string): Promise<string[]> {
  const standing = await readStanding(seller.db, { subscriptionId })
  assert.ok(standing)
  const foreseen = simulateDocuments(standing, new Map(), until)
  await moveClock(seller.db, testClockId, `${until}T12:00:00Z`)
  const told = await listTold(seller.db, testClockId, standing.today)
  assert.deepEqual(inOrder(told), inOrder(foreseen.map(toldBy)))
  return told.flatMap(({ on, lines }) =>
    lines.map(
      ({ kind, servicePeriod, amountMinor }) =>
        `${on} ${kind} ${servicePeriod?.start.slice(5)}/${servicePeriod?.end.slice(5)} ${amountMinor}`,
    ),
  )
}

async function lineOf(subscriptionId: string): Promise<string> {
  const line = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  return line.id
}

test('after a change of interval the days before are settled by themselves, and the new periods are held', async () => {
  const sold = await sell({ product: 'monthly' }, { least: '20', greatest: '130' })
  const subscriptionLineId = await lineOf(sold.subscriptionId)
  await changeSubscription(seller.db, command(sold, 'yearly', '2026-04-10T12:00:00Z'), {
    subscriptionLineId,
    productId: yearlyId,
  })
  assert.deepEqual((await live(sold, '2026-05-01')).toSorted(), [
    // 150.00 a year, of which no more than 130.00.
    '2026-04-10 recurring 04-10/04-10 13000',
    '2026-05-01 credit 04-10/05-01 -700',
    // 20.00 × 9 / 30 days, less 10.00 - 7.00.
    '2026-05-01 true_up 04-01/04-10 300',
  ])
  assert.deepEqual(await live(sold, '2027-04-10'), ['2027-04-10 recurring 04-10/04-10 13000'])
})

test('C-18 an invoice before its period settles the ones that are over, each once', async () => {
  const setDays = async (days: number) =>
    seller.db.updateTable('installation').set({ advance_days: days }).execute()
  await setDays(7)
  const sold = await sell({ product: 'monthly' }, { least: '20' })
  assert.deepEqual(await live(sold, '2026-06-24'), [
    '2026-04-24 recurring 05-01/06-01 1000',
    '2026-05-25 recurring 06-01/07-01 1000',
    '2026-05-25 true_up 04-01/05-01 1000',
    '2026-06-24 recurring 07-01/08-01 1000',
    '2026-06-24 true_up 05-01/06-01 1000',
  ])
  await setDays(0)
  const key = command(sold, 'end', '2026-06-25T12:00:00Z')
  await cancelSubscription(seller.db, key, { when: 'period_end', reason: 'Moves away.' })
  const last = (await live(sold, '2026-07-02')).toSorted()
  assert.deepEqual(last.slice(-2), [
    '2026-07-01 credit 07-01/08-01 -1000',
    '2026-07-01 true_up 06-01/07-01 1000',
  ])
})

test('each period that a forced next invoice passes over is settled', async () => {
  const sold = await sell({ product: 'monthly' }, { least: '12' })
  const [documentId = ''] = sold.documentIds
  await seller.db
    .transaction()
    .execute(async (tx) => forceNextInvoice(tx, documentId, { nextInvoiceOn: '2026-07-01', actor: 'test' }))
  const lines = await live(sold, '2026-07-01')
  assert.deepEqual(
    lines.filter((line) => line.includes('true_up')),
    [
      '2026-07-01 true_up 04-01/05-01 200',
      '2026-07-01 true_up 05-01/06-01 200',
      '2026-07-01 true_up 06-01/07-01 200',
    ],
  )
  assert.deepEqual(await live(sold, '2026-08-01'), [
    '2026-08-01 recurring 08-01/09-01 1000',
    '2026-08-01 true_up 07-01/08-01 200',
  ])
})

test('of a subscription on two documents the last period is settled on its final bill, by what lies on the shorter', async () => {
  const sold = await sell({ kit: 'both' }, { least: '30' })
  assert.equal(sold.documentIds.length, 2)
  const may = await live(sold, '2026-05-01')
  assert.deepEqual(may, ['2026-05-01 recurring 05-01/06-01 1000', '2026-05-01 true_up 04-01/05-01 2000'])
  await cancelSubscription(seller.db, command(sold, 'end', '2026-05-01T13:00:00Z'), {
    when: 'date',
    endsOn: '2026-06-11',
    reason: 'test',
  })
  const end = await live(sold, '2026-06-11')
  assert.deepEqual(
    end.filter((line) => line.includes('true_up')),
    // 30.00 × 10 / 30 days, less what is left of June's 10.00: 3.33.
    ['2026-06-01 true_up 05-01/06-01 2000', '2026-06-11 true_up 06-01/06-11 667'],
  )
})
