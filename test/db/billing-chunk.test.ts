import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { billChunk } from '#db/billing-chunk.ts'
import { billPeriod } from '#db/billing.ts'
import { ensureBillingRun, finishBillingRun, listDueDocuments } from '#db/billing-run.ts'
import { insertCustomer } from '#db/customer.ts'
import { insertExchangeRate } from '#db/exchange-rate.ts'
import { newId } from '#db/identifier.ts'
import { insertTaxRate } from '#db/tax-rate.ts'
import { encodeId } from '#domain/identifier.ts'
import { copyRow } from '#test/support/copied-row.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { createSeller, pushUsage, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const start = '2026-01-15T00:00:00Z'
const nobody = { email: null, address: null, priceListId: null, currency: 'USD', timeZone: 'UTC' }

/** Customers of their own, each with one document. */
async function sellToMany(count: number, kit = 'odoo-config-2') {
  const sold: { customer: string; subscriptionId: string; documentId: string }[] = []
  for (let index = 0; index < count; index += 1) {
    const customer = `chunk-${newId().slice(-8)}`
    await insertCustomer(seller.db, { ...nobody, code: customer, name: customer })
    const subscriptionId = await seller.sell({ kit, customer, now: start })
    const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
    sold.push({ customer, subscriptionId, documentId })
  }
  return sold
}

async function run(now: string, documentIds: readonly string[]) {
  const billingRunId = await ensureBillingRun(seller.db, { workflowId: newId(), billedAt: now })
  const due = await listDueDocuments(seller.db, { now, after: null, limit: 1_000 })
  const chunk = due.filter(({ documentId }) => documentIds.includes(documentId))
  const exceptions = await billChunk(seller.db, { billingRunId, now }, chunk)
  await finishBillingRun(seller.db, billingRunId)
  const row = await seller.db
    .selectFrom('billing_runs')
    .select(['considered', 'billed', 'waiting', 'parked', 'totals'])
    .where('id', '=', billingRunId)
    .executeTakeFirstOrThrow()
  const told = await seller.db
    .selectFrom('billing_run_exceptions')
    .select(['document_id', 'outcome', 'reason'])
    .where('billing_run_id', '=', billingRunId)
    .execute()
  return { exceptions, row, told }
}

async function billedPeriods(documentIds: readonly string[]) {
  const rows = await seller.db
    .selectFrom('billing_periods')
    .select(['document_id', 'period_index', 'invoice_id'])
    .where('document_id', 'in', documentIds)
    .orderBy('period_index')
    .execute()
  return documentIds.map((id) =>
    rows.filter((row) => row.document_id === id && row.invoice_id !== null).map((row) => row.period_index),
  )
}

test('each missed period is an invoice of its own, in order, and a document counts once', async () => {
  const documentIds = (await sellToMany(3)).map(({ documentId }) => documentId)
  const { exceptions, row, told } = await run('2026-03-20T00:00:00Z', documentIds)
  assert.deepEqual(exceptions, { waiting: 0, parked: 0, foundDone: 0 })
  assert.deepEqual(await billedPeriods(documentIds), [
    [0, 1, 2],
    [0, 1, 2],
    [0, 1, 2],
  ])
  assert.deepEqual(row, { considered: 3, billed: 3, waiting: 0, parked: 0, totals: { USD: 6000 } })
  assert.deepEqual(told, [])
  const again = await run('2026-03-20T00:00:00Z', documentIds)
  assert.deepEqual(again.row, { considered: 0, billed: 0, waiting: 0, parked: 0, totals: {} })
})

test('what somebody else has billed meanwhile is not counted as billed by the run', async () => {
  const now = '2026-02-20T00:00:00Z'
  const documentIds = (await sellToMany(2)).map(({ documentId }) => documentId)
  const due = documentIds.map((documentId) => ({ documentId, periodIndex: 1 }))
  const [theirs] = due
  if (theirs) await billPeriod(seller.db, theirs, now)
  const billingRunId = await ensureBillingRun(seller.db, { workflowId: newId(), billedAt: now })
  const exceptions = await billChunk(seller.db, { billingRunId, now }, due)
  await finishBillingRun(seller.db, billingRunId)
  const row = await seller.db
    .selectFrom('billing_runs')
    .select(['considered', 'billed', 'totals'])
    .where('id', '=', billingRunId)
    .executeTakeFirstOrThrow()
  assert.deepEqual(exceptions, { waiting: 0, parked: 0, foundDone: 1 })
  assert.deepEqual(row, { considered: 1, billed: 1, totals: { USD: 1000 } })
})

test('what cannot be computed is parked with its reason, and the rest of the chunk is billed', async () => {
  const sold = await sellToMany(3, 'odoo-config-1')
  const documentIds = sold.map(({ documentId }) => documentId)
  const bad = sold[1]?.subscriptionId ?? ''
  await pushUsage(seller.db, {
    subscriptionId: bad,
    metric: 'network',
    quantity: '1',
    occurredAt: '2026-01-20T00:00:00Z',
  })
  await sql`update usage_events set unit = 'piece' where subscription_id = ${bad}`.execute(seller.db)
  const { exceptions, row, told } = await run('2026-02-15T00:00:00Z', documentIds)
  assert.deepEqual(exceptions, { waiting: 0, parked: 1, foundDone: 0 })
  assert.deepEqual(await billedPeriods(documentIds), [[0, 1], [0], [0, 1]])
  assert.partialDeepStrictEqual(row, { considered: 3, billed: 2, parked: 1 })
  assert.deepEqual(
    told.map(({ document_id, outcome }) => [document_id, outcome]),
    [[documentIds[1], 'parked']],
  )
  assert.match(told[0]?.reason ?? '', /piece/)
  const failed = await listDueDocuments(seller.db, {
    now: '2026-02-15T00:00:00Z',
    after: null,
    limit: 10,
    isFailedOnly: true,
  })
  assert.deepEqual(failed, [{ documentId: documentIds[1] ?? '', periodIndex: 1 }])
})

test('what the database refuses is found among the others, and parked alone', async () => {
  const documentIds = (await sellToMany(5)).map(({ documentId }) => documentId)
  const [, , bad = ''] = documentIds
  const { invoice_id } = await seller.db
    .selectFrom('billing_periods')
    .select('invoice_id')
    .where('document_id', '=', bad)
    .executeTakeFirstOrThrow()
  // A document that stands in the way: of one purpose there is one.
  await copyRow(seller.db, 'invoices', invoice_id ?? '', {
    billing_key: `document/${encodeId('document', bad)}/2026-02-15`,
    document_id: null,
    series: null,
    sequence: null,
    number: null,
    finalized_at: null,
    hash: null,
    previous_hash: null,
  })
  const { exceptions, row, told } = await run('2026-02-15T00:00:00Z', documentIds)
  assert.deepEqual(exceptions, { waiting: 0, parked: 1, foundDone: 0 })
  assert.deepEqual(
    (await billedPeriods(documentIds)).map((periods) => periods.length),
    [2, 2, 1, 2, 2],
  )
  assert.partialDeepStrictEqual(row, { considered: 5, billed: 4, parked: 1, totals: { USD: 4000 } })
  assert.equal(told[0]?.document_id, bad)
})

test('a document that somebody has does not hold up the others, and is billed after them', async () => {
  const documentIds = (await sellToMany(3)).map(({ documentId }) => documentId)
  const [held = '', ...others] = documentIds
  const holder = await seller.db.startTransaction().execute()
  await holder.selectFrom('subscription_documents').select('id').where('id', '=', held).forUpdate().execute()
  const running = run('2026-02-15T00:00:00Z', documentIds)
  while ((await billedPeriods(others)).some((periods) => periods.length < 2)) await sleep(5)
  assert.deepEqual(await billedPeriods([held]), [[0]])
  await holder.commit().execute()
  const { row } = await running
  assert.deepEqual(await billedPeriods([held]), [[0, 1]])
  assert.partialDeepStrictEqual(row, { considered: 3, billed: 3 })
})

test('chunks and single bills of the same documents at once make one invoice a period, without a gap', async () => {
  const documentIds = (await sellToMany(6)).map(({ documentId }) => documentId)
  const now = '2026-04-20T00:00:00Z'
  const alone = async (documentId: string) => {
    for (const periodIndex of [1, 2, 3]) await billPeriod(seller.db, { documentId, periodIndex }, now)
  }
  await Promise.all([run(now, documentIds), ...documentIds.map(alone), run(now, documentIds.toReversed())])
  assert.deepEqual(
    await billedPeriods(documentIds),
    documentIds.map(() => [0, 1, 2, 3]),
  )
  const { rows } = await sql<{ gaps: number }>`
    select (max(sequence) - count(*))::integer as gaps from invoices where series = 'INV'`.execute(seller.db)
  assert.equal(rows[0]?.gaps, 0)
})

suite('a field that the law of the seller’s country wants', () => {
  const rate = { country: 'DE', region: null, category: 'standard', name: 'VAT', ratePercent: '19' }
  const profile = { name: 'Seller', address: 'Hafen 1', taxId: 'DE1', country: 'DE' }
  const keepProfile = async (change: object) =>
    await seller.db
      .updateTable('installation')
      .set({ seller: JSON.stringify({ ...profile, ...change }) })
      .execute()
  const stateAddress = async (customer: string, address: string | null) =>
    await seller.db.updateTable('customers').set({ address }).where('code', '=', customer).execute()
  before(async () => {
    await insertTaxRate(seller.db, { ...rate, startsOn: null, endsOn: null })
  })

  test('missing of one customer parks his document alone, and it is billed once the field is there', async () => {
    const sold = await sellToMany(3)
    const documentIds = sold.map(({ documentId }) => documentId)
    await keepProfile({})
    for (const { customer } of sold) await stateAddress(customer, 'Quay 1')
    const poor = sold[1]?.customer ?? ''
    await stateAddress(poor, null)
    const first = await run('2026-02-15T00:00:00Z', documentIds)
    assert.partialDeepStrictEqual(first.row, { considered: 3, billed: 2, parked: 1 })
    const [told] = first.told
    assert.equal(told?.document_id, documentIds[1])
    assert.match(
      told?.reason ?? '',
      /^invoice_field_missing: .*needs buyer\.address\. Add address to customer chunk-/,
    )
    assert.ok(told?.reason.includes(poor))
    assert.deepEqual(await billedPeriods(documentIds), [[0, 1], [0], [0, 1]])
    await stateAddress(poor, 'Quay 2')
    const second = await run('2026-02-15T01:00:00Z', documentIds)
    assert.partialDeepStrictEqual(second.row, { considered: 1, billed: 1, parked: 0 })
    assert.deepEqual(await billedPeriods(documentIds), [
      [0, 1],
      [0, 1],
      [0, 1],
    ])
  })

  test('missing of the seller parks every document, and none takes a number', async () => {
    await keepProfile({ country: undefined })
    const sold = await sellToMany(2)
    const documentIds = sold.map(({ documentId }) => documentId)
    for (const { customer } of sold) await stateAddress(customer, 'Quay 1')
    await keepProfile({ taxId: null })
    const numbersBefore = await countNumbers()
    const { row, told } = await run('2026-02-15T00:00:00Z', documentIds)
    assert.partialDeepStrictEqual(row, { considered: 2, billed: 0, parked: 2 })
    assert.ok(told.every(({ reason }) => reason.includes('Add tax id to the seller')))
    assert.equal(await countNumbers(), numbersBefore)
    await keepProfile({})
    assert.partialDeepStrictEqual((await run('2026-02-15T01:00:00Z', documentIds)).row, {
      billed: 2,
      parked: 0,
    })
  })

  test('tax that must be stated in the seller’s currency parks the document until there is a rate', async () => {
    await keepProfile({ country: undefined })
    const [sold] = await sellToMany(1)
    assert.ok(sold)
    await keepProfile({})
    await stateAddress(sold.customer, 'Quay 1')
    const documentIds = [sold.documentId]
    const settings = { currency: 'EUR', states_tax_in_own_currency: true }
    await seller.db.updateTable('installation').set(settings).execute()
    const first = await run('2026-02-15T00:00:00Z', documentIds)
    assert.match(first.told[0]?.reason ?? '', /^exchange_rate_missing: .*between USD and EUR for 2026-02-15/)
    const rate = { base: 'EUR', quote: 'USD', rate: '1.25', source: 'ECB', validOn: '2026-02-13' }
    await insertExchangeRate(seller.db, rate)
    const second = await run('2026-02-15T01:00:00Z', documentIds)
    assert.partialDeepStrictEqual(second.row, { considered: 1, billed: 1, parked: 0 })
    const off = { currency: 'USD', states_tax_in_own_currency: false }
    await seller.db.updateTable('installation').set(off).execute()
  })
})

async function countNumbers(): Promise<number> {
  const numbered = await seller.db
    .selectFrom('invoices')
    .select('id')
    .where('number', 'is not', null)
    .execute()
  return numbered.length
}
