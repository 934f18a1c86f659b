import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { ApplicationFailure } from '@temporalio/common'
import { createBillingActivities } from '#activities/billing.ts'
import { encodeId } from '#domain/identifier.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

test('a period that cannot be billed is a failure for good, so that its document is parked and the subscription goes on', async () => {
  const subscriptionId = await seller.sell({ kit: 'odoo-config-2', now: '2026-01-01T00:00:00Z' })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const activities = createBillingActivities({ db: seller.db } as Parameters<
    typeof createBillingActivities
  >[0])
  const input = {
    documentId: encodeId('document', documentId),
    periodIndex: 7,
    nowMs: Date.parse('2026-09-01T00:00:00Z'),
  }
  await assert.rejects(
    activities.billPeriod(input),
    (error) => error instanceof ApplicationFailure && error.nonRetryable === true,
  )
  const billed = await activities.billPeriod({ ...input, periodIndex: 1 })
  assert.deepEqual([billed.isWaiting, billed.totalMinor], [false, 1000])
})
