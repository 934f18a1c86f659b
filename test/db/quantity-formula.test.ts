import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { DocumentNotReady } from '#db/bill.ts'
import { billPeriod } from '#db/billing.ts'
import { insertProduct } from '#db/product.ts'
import { insertReadings } from '#db/usage.ts'
import { BusinessError } from '#domain/errors.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { findInstanceId, moveInstances } from '#test/support/instances.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'

// Disk is a gauge, network a counter, both of one instance; a GiB costs 1.00.
let seller: Seller
let applicationId: string
before(async () => {
  seller = await createSeller()
  const application = seller.db.selectFrom('applications').select('id').where('code', '=', 'odoo')
  applicationId = (await application.executeTakeFirstOrThrow()).id
})
after(async () => seller.drop())

let products = 0

async function sellByFormula(quantityFormula: string) {
  products += 1
  const product = `by-formula-${products}`
  await insertProduct(seller.db, {
    code: product,
    name: 'Disk',
    billingType: 'usage',
    billingTiming: 'arrears',
    recurrence: { count: 1, unit: 'month' },
    unit: 'GiB',
    basePrice: perUnitPrice('1'),
    currency: 'USD',
    metric: 'disk',
    limitCode: null,
    terms: { quantityFormula },
    applicationIds: [applicationId],
  })
  const now = '2026-01-01T00:00:00Z'
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ product, testClockId, now })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const instanceId = await findInstanceId(seller.db, subscriptionId)
  const read = async (readAt: string, disk: string, network: string) =>
    await insertReadings(seller.db, { instanceId, isOpening: false, readAt, sampledAt: readAt }, [
      { metric: 'disk', series: 'data', value: disk, unit: 'GiB' },
      { metric: 'network', series: 'eth0', value: network, unit: 'GiB' },
    ])
  const billed = async () => {
    const { rows } = await sql<{ said: string }>`
      select kind || ' ' || quantity::text || ' ' || amount_minor as said from invoice_lines
      where subscription_id = ${subscriptionId} order by id`.execute(seller.db)
    return rows.map(({ said }) => said)
  }
  /** As of an instance that runs, and measures: one of its metrics alone. */
  const run = async () => moveInstances(seller.db, subscriptionId, 'building', 'running')
  const readOne = async (readAt: string, metric: 'disk' | 'network', value: string) =>
    await insertReadings(seller.db, { instanceId, isOpening: false, readAt, sampledAt: readAt }, [
      { metric, series: 'one', value, unit: 'GiB' },
    ])
  return { documentId, read, billed, run, readOne }
}

test('D-16 a formula bills twice the highest value, a number bills itself', async () => {
  for (const [formula, expected] of [
    ['2 * metric("disk").max', ['usage 8 800']],
    ['12', ['usage 12 1200']],
    ['quantity + period.days', ['usage 35 3500']],
    ['metric("network").sum / 1073741824', ['usage 7 700']],
  ] as const) {
    const { documentId, read, billed } = await sellByFormula(formula)
    await read('2026-01-10T00:00:00Z', '4', '5')
    await read('2026-02-01T00:00:00Z', '3', '7')
    await billDue(seller.db, documentId, '2026-02-01T00:05:00Z')
    assert.deepEqual(await billed(), expected, formula)
  }
})

test('D-11 what comes late is billed by the formula of the whole, less what was billed', async () => {
  const { documentId, read, billed } = await sellByFormula('2 * metric("disk").max')
  await read('2026-01-10T00:00:00Z', '4', '0')
  await read('2026-02-01T00:00:00Z', '3', '0')
  await billDue(seller.db, documentId, '2026-02-01T00:05:00Z')
  await read('2026-01-20T00:00:00Z', '6', '0')
  await read('2026-03-01T00:00:00Z', '1', '0')
  await billDue(seller.db, documentId, '2026-03-01T00:05:00Z')
  assert.deepEqual(await billed(), ['usage 8 800', 'usage 2 200', 'late_usage 4 400'])
})

test('D-16 a quantity below 0 is billed nowhere, and says why', async () => {
  const { documentId, read, billed } = await sellByFormula('quantity - 100')
  await read('2026-01-10T00:00:00Z', '4', '0')
  await read('2026-02-01T00:00:00Z', '3', '0')
  await assert.rejects(
    billDue(seller.db, documentId, '2026-02-01T00:05:00Z'),
    (error) => error instanceof BusinessError && error.code === 'quantity_negative',
  )
  assert.deepEqual(await billed(), [])
})

const ofTwo = 'metric("disk").max + metric("network").sum / 1073741824'

test('D-16 a bill waits for readings of every metric that the formula names, not of the line’s own alone (C-17)', async () => {
  const { documentId, billed, run, readOne } = await sellByFormula(ofTwo)
  await run()
  await readOne('2026-01-10T00:00:00Z', 'disk', '4')
  await readOne('2026-01-10T00:00:00Z', 'network', '5')
  await readOne('2026-02-01T00:00:01Z', 'disk', '4')
  const key = { documentId, periodIndex: 1 }
  await assert.rejects(billPeriod(seller.db, key, '2026-02-01T00:05:00Z'), DocumentNotReady)
  await readOne('2026-01-31T23:59:00Z', 'network', '7')
  await readOne('2026-02-01T00:05:01Z', 'network', '8')
  await billPeriod(seller.db, key, '2026-02-01T00:06:00Z')
  assert.deepEqual(await billed(), ['usage 11 1100'])
})

test('C-17 one that was not read within the grace holds up no bill; what its counter has grown by is in the next period', async () => {
  const { documentId, billed, run, readOne } = await sellByFormula(ofTwo)
  await run()
  await readOne('2026-01-10T00:00:00Z', 'disk', '4')
  await readOne('2026-01-10T00:00:00Z', 'network', '5')
  await readOne('2026-02-01T00:00:01Z', 'disk', '4')
  const key = { documentId, periodIndex: 1 }
  await assert.rejects(billPeriod(seller.db, key, '2026-02-01T06:00:00Z'), DocumentNotReady)
  await billPeriod(seller.db, key, '2026-02-01T06:00:01Z')
  await readOne('2026-03-01T00:00:00Z', 'network', '7')
  await readOne('2026-03-01T00:00:00Z', 'disk', '4')
  await billDue(seller.db, documentId, '2026-03-01T00:05:00Z')
  assert.deepEqual(await billed(), ['usage 9 900', 'usage 6 600'])
})
