import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { recordInstanceValue } from '#db/instance-value.ts'
import { savePriceGrid } from '#db/price-grid.ts'
import { insertProduct } from '#db/product.ts'
import { readExpectedInvoices } from '#db/read/expected-invoice.ts'
import { insertReadings } from '#db/usage.ts'
import type { GridStep } from '#domain/pricing/price.ts'
import { findInstanceId } from '#test/support/instances.ts'
import { listDocumentIds, listInvoiceLines } from '#test/support/invoices.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
let applicationId = ''
before(async () => {
  seller = await createSeller()
  const odoo = await seller.db
    .selectFrom('applications')
    .select('id')
    .where('code', '=', 'odoo')
    .executeTakeFirstOrThrow()
  applicationId = odoo.id
  for (const billingTiming of ['advance', 'arrears'] as const) {
    await insertProduct(seller.db, {
      code: `by-value-${billingTiming}`,
      name: 'By value',
      billingType: 'flat',
      billingTiming,
      recurrence: { count: 1, unit: 'month' },
      unit: 'month',
      basePrice: { model: 'grid', steps: users },
      terms: { pricing: 'grid' },
      currency: 'USD',
      metric: null,
      limitCode: null,
      applicationIds: [applicationId],
    })
  }
})
after(async () => seller.drop())

const users: GridStep[] = [
  { from: '0', amount: '10', kind: 'fixed', value: 'users' },
  { from: '11', amount: '30', kind: 'fixed', value: 'users' },
  { from: '51', amount: '100', kind: 'fixed', value: 'users' },
]

/** Sold on 1 April, with a way to say what is so of its instance, and to bill a month. */
async function sell(billingTiming: 'advance' | 'arrears', steps?: readonly GridStep[]) {
  const now = '2026-04-01T08:00:00Z'
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ product: `by-value-${billingTiming}`, testClockId, now })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const instanceId = await findInstanceId(seller.db, subscriptionId)
  if (steps !== undefined) {
    const grid = { currency: 'USD', startsOn: '2026-04-01', price: { model: 'grid', steps } as const }
    await savePriceGrid(seller.db, { applicationId: null, instanceId }, grid)
  }
  const record = async (code: string, value: string, startsOn: string) =>
    recordInstanceValue(seller.db, {
      instanceId,
      code,
      value,
      startsOn,
      recordedBy: 'test',
      recordedAt: now,
    })
  const billedIn = async (month: string) => {
    const billed = await billDue(seller.db, documentId, `2026-${month}-01T08:00:00Z`)
    return await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')
  }
  return { subscriptionId, instanceId, documentId, record, billedIn }
}

async function explanationOf(subscriptionId: string) {
  const { explanation } = await seller.db
    .selectFrom('invoice_lines')
    .select('explanation')
    .where('subscription_id', '=', subscriptionId)
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  return explanation
}

test('a month in arrears is billed by the value of its last day: 5 and 10 users 10.00, 11 users 30.00, 500 users 100.00', async () => {
  const sold = await sell('arrears')
  await sold.record('users', '5', '2026-04-01')
  await sold.record('users', '10', '2026-05-31')
  await sold.record('users', '11', '2026-06-30')
  await sold.record('users', '500', '2026-07-02')
  const lines = []
  for (const month of ['05', '06', '07', '08']) lines.push(...(await sold.billedIn(month)))
  assert.deepEqual(lines, [
    'recurring 2026-04-01/2026-05-01 1 × null = 1000',
    'recurring 2026-05-01/2026-06-01 1 × null = 1000',
    'recurring 2026-06-01/2026-07-01 1 × null = 3000',
    'recurring 2026-07-01/2026-08-01 1 × null = 10000',
  ])
})

test('a month in advance is billed by the value of its first day', async () => {
  const sold = await sell('advance')
  await sold.record('users', '11', '2026-05-01')
  await sold.record('users', '51', '2026-05-02')
  assert.deepEqual(await sold.billedIn('05'), ['recurring 2026-05-01/2026-06-01 1 × null = 3000'])
})

test('a value below the first bound costs nothing: first bound 5, value 4 is 0.00', async () => {
  const sold = await sell('arrears', [{ from: '5', amount: '10', kind: 'fixed', value: 'users' }])
  await sold.record('users', '4', '2026-04-01')
  assert.deepEqual(await sold.billedIn('05'), ['recurring 2026-04-01/2026-05-01 1 × null = 0'])
})

test('times the value, the step that is reached prices the whole: 9 users 90.00, 10 users 80.00', async () => {
  const sold = await sell('arrears', [
    { from: '1', amount: '10', kind: 'times_value', value: 'users' },
    { from: '10', amount: '8', kind: 'times_value', value: 'users' },
  ])
  await sold.record('users', '9', '2026-04-01')
  await sold.record('users', '10', '2026-05-01')
  assert.deepEqual(await sold.billedIn('05'), ['recurring 2026-04-01/2026-05-01 1 × null = 9000'])
  assert.deepEqual(await sold.billedIn('06'), ['recurring 2026-05-01/2026-06-01 1 × null = 8000'])
})

const usersAndDisk: GridStep[] = [
  ...users,
  { from: '0', amount: '0.5', kind: 'times_value', value: 'disk_gib' },
]

test('groups are summed, a metric measures what nobody recorded, and the line says by which values and bounds', async () => {
  const sold = await sell('arrears', usersAndDisk)
  await sold.record('users', '11', '2026-04-01')
  await readDisk(sold.instanceId, '2026-04-20T00:00:00Z', '40')
  await readDisk(sold.instanceId, '2026-05-01T00:00:01Z', '90')
  assert.deepEqual(await sold.billedIn('05'), ['recurring 2026-04-01/2026-05-01 1 × null = 5000'])
  assert.partialDeepStrictEqual(await explanationOf(sold.subscriptionId), {
    formula: '30 for 11 users + 40 disk_gib × 0.5',
    steps: [
      { value: 'users', quantity: '11', from: '11', each: '30', gridKind: 'fixed', amount: '30' },
      { value: 'disk_gib', quantity: '40', from: '0', each: '0.5', gridKind: 'times_value', amount: '20' },
    ],
  })
})

test('what was recorded stands before what was measured, and what was recorded later before that', async () => {
  const sold = await sell('arrears', usersAndDisk)
  await readDisk(sold.instanceId, '2026-05-01T00:00:01Z', '90')
  await sold.record('disk_gib', '2', '2026-04-01')
  await sold.record('disk_gib', '4', '2026-04-01')
  assert.deepEqual(await sold.billedIn('05'), ['recurring 2026-04-01/2026-05-01 1 × null = 200'])
})

test('a document waits for the readings of a value, and bills it when they are there', async () => {
  const sold = await sell('arrears', usersAndDisk)
  await setRunning(sold.instanceId)
  await readDisk(sold.instanceId, '2026-04-20T00:00:00Z', '40')
  await assert.rejects(billDue(seller.db, sold.documentId, '2026-05-01T00:10:00Z'), /waits for readings/)
  await readDisk(sold.instanceId, '2026-05-01T00:15:00Z', '90')
  assert.deepEqual(await sold.billedIn('05'), ['recurring 2026-04-01/2026-05-01 1 × null = 2000'])
})

test('the invoice to come is foreseen by the values known now', async () => {
  const sold = await sell('arrears')
  await sold.record('users', '11', '2026-04-01')
  const expected = await readExpectedInvoices(seller.db, { subscriptionId: sold.subscriptionId })
  assert.deepEqual(
    expected?.bills.map(({ draft }) => draft.totalMinor),
    [3000],
  )
})

async function readDisk(instanceId: string, readAt: string, gib: string): Promise<void> {
  await insertReadings(seller.db, { instanceId, isOpening: false, sampledAt: readAt, readAt }, [
    { metric: 'disk', series: 'volume:data', value: gib, unit: 'GiB' },
  ])
}

async function setRunning(instanceId: string): Promise<void> {
  await seller.db.updateTable('instances').set({ state: 'building' }).where('id', '=', instanceId).execute()
  await seller.db.updateTable('instances').set({ state: 'running' }).where('id', '=', instanceId).execute()
}
