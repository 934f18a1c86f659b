import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { billFinal, billPeriod } from '#db/billing.ts'
import { forceNextInvoice } from '#db/forced-invoice.ts'
import { insertProduct } from '#db/product.ts'
import { readStanding } from '#db/read/standing.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { simulateDocuments } from '#domain/invoice/simulation.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { listDocumentIds, listInvoiceLines } from '#test/support/invoices.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
  for (const billingTiming of ['advance', 'arrears'] as const) {
    await insertProduct(seller.db, {
      code: billingTiming,
      name: billingTiming,
      billingType: 'threshold',
      billingTiming,
      recurrence: { count: 1, unit: 'month' },
      unit: 'user',
      basePrice: perUnitPrice('10'),
      currency: 'USD',
      metric: null,
      limitCode: null,
      applicationIds: [],
    })
  }
})
after(async () => {
  await assertInvariants(seller.db, { isUnderWay: true })
  await seller.drop()
})

/** 10.00 monthly from 5 January on a clock, billed to 4 February. */
async function sell(product: 'advance' | 'arrears') {
  const now = '2026-01-05T08:00:00Z'
  const subscriptionId = await seller.sell({ product, testClockId: await seller.clock(now), now })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  if (product === 'arrears') await linesOf(documentId, '2026-02-05')
  return { subscriptionId, documentId }
}

async function force(documentId: string, nextInvoiceOn: string): Promise<void> {
  await seller.db
    .transaction()
    .execute(async (tx) => forceNextInvoice(tx, documentId, { nextInvoiceOn, actor: 'test' }))
}

async function linesOf(documentId: string, day: string): Promise<string[]> {
  const { invoiceNumber } = await billDue(seller.db, documentId, `${day}T00:00:00Z`)
  return invoiceNumber === null ? [] : await listInvoiceLines(seller.db, invoiceNumber)
}

async function totalOn(documentId: string, day: string): Promise<number> {
  return (await billDue(seller.db, documentId, `${day}T00:00:00Z`)).totalMinor
}

test('C-13 forced from 5 February to 5 June, in advance: nothing before, then five months, then month by month', async () => {
  const { documentId, subscriptionId } = await sell('advance')
  await force(documentId, '2026-06-05')
  const standing = await readStanding(seller.db, { subscriptionId })
  assert.ok(standing)
  const foreseen = simulateDocuments(standing, new Map(), '2026-07-05')
  assert.deepEqual(
    foreseen.map(({ on, draft }) => [on, draft.totalMinor]),
    [
      ['2026-06-05', 5_000],
      ['2026-07-05', 1_000],
    ],
  )
  assert.deepEqual(await linesOf(documentId, '2026-06-04'), [])
  assert.deepEqual(await linesOf(documentId, '2026-06-05'), [
    'recurring 2026-02-05/2026-03-05 1 × 10 = 1000',
    'recurring 2026-03-05/2026-04-05 1 × 10 = 1000',
    'recurring 2026-04-05/2026-05-05 1 × 10 = 1000',
    'recurring 2026-05-05/2026-06-05 1 × 10 = 1000',
    'recurring 2026-06-05/2026-07-05 1 × 10 = 1000',
  ])
  assert.deepEqual(await linesOf(documentId, '2026-07-05'), ['recurring 2026-07-05/2026-08-05 1 × 10 = 1000'])
})

test('C-13 the same in arrears: four months, then month by month', async () => {
  const { documentId } = await sell('arrears')
  await force(documentId, '2026-06-05')
  assert.deepEqual(await linesOf(documentId, '2026-06-05'), [
    'recurring 2026-02-05/2026-03-05 1 × 10 = 1000',
    'recurring 2026-03-05/2026-04-05 1 × 10 = 1000',
    'recurring 2026-04-05/2026-05-05 1 × 10 = 1000',
    'recurring 2026-05-05/2026-06-05 1 × 10 = 1000',
  ])
  assert.equal(await totalOn(documentId, '2026-07-05'), 1_000)
})

test('a period that was passed over is found done, and tells when the next invoice is due', async () => {
  const { documentId } = await sell('advance')
  await force(documentId, '2026-06-05')
  const billed = await billPeriod(seller.db, { documentId, periodIndex: 1 }, '2026-02-05T00:00:00Z')
  assert.deepEqual(billed, {
    documentId,
    invoiceNumber: null,
    totalMinor: 0,
    next: { periodIndex: 5, dueAt: '2026-06-05T00:00:00Z' },
  })
})

test('what ends while its invoice waits is billed on its last day, and not again', async () => {
  const { documentId, subscriptionId } = await sell('arrears')
  await force(documentId, '2026-06-05')
  await cancelSubscription(
    seller.db,
    { subscriptionId, requestId: 'end', actor: 'test', now: '2026-04-10T12:00:00Z' },
    { when: 'period_end', reason: 'moved' },
  )
  const [number = ''] = await billFinal(seller.db, subscriptionId, '2026-05-05T00:00:00Z')
  assert.deepEqual(await listInvoiceLines(seller.db, number), [
    'recurring 2026-02-05/2026-03-05 1 × 10 = 1000',
    'recurring 2026-03-05/2026-04-05 1 × 10 = 1000',
    'recurring 2026-04-05/2026-05-05 1 × 10 = 1000',
  ])
  assert.deepEqual(await linesOf(documentId, '2026-06-05'), [])
})

test('only a later first day of a period is taken; the same one again changes nothing', async () => {
  const { documentId } = await sell('advance')
  for (const wrong of ['2026-02-04', '2026-01-05', '2026-06-06', '2036-02-05']) {
    await assert.rejects(force(documentId, wrong), { code: 'date_range_invalid' })
  }
  await force(documentId, '2026-02-05')
  assert.equal(await totalOn(documentId, '2026-02-05'), 1_000)
  await force(documentId, '2026-04-05')
  await assert.rejects(force(documentId, '2026-03-05'), { code: 'date_range_invalid' })
  assert.equal(await totalOn(documentId, '2026-04-05'), 2_000)
})
