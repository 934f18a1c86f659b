import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { insertInvoices, type NewInvoice } from '#db/invoice.ts'
import type { DocumentDraft, DocumentLineDraft } from '#domain/invoice/document.ts'
import { addDays } from '#domain/calendar.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

/** Invoices for a subscription that nothing was billed of, each for a day of its own. */
async function createDrafts(testClockId: string) {
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-2', testClockId })
  const line = await seller.db
    .selectFrom('subscription_lines')
    .innerJoin('subscriptions', 'subscriptions.id', 'subscription_id')
    .selectAll('subscription_lines')
    .select('customer_id')
    .where('subscription_id', '=', subscriptionIds[0] ?? '')
    .executeTakeFirstOrThrow()
  const source = {
    subscriptionId: line.subscription_id,
    productId: line.product_id,
    instanceId: null,
    metric: null,
    timeZone: 'UTC',
  }
  return (day: number, amountsMinor: readonly number[] = [100]): NewInvoice => ({
    billingKey: newId(),
    customerId: line.customer_id,
    documentId: null,
    subscriptionId: line.subscription_id,
    testClockId,
    now: '2026-05-01T00:00:00Z',
    draft: documentDraft(
      amountsMinor.map((amountMinor, index) =>
        lineDraft(line.id, addDays('2026-01-01', day * 10 + index), amountMinor),
      ),
    ),
    sources: new Map([[line.id, source]]),
  })
}

function documentDraft(lines: readonly DocumentLineDraft[]): DocumentDraft {
  const netMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0)
  return {
    kind: netMinor < 0 ? 'credit_note' : 'invoice',
    currency: 'USD',
    arePricesInclusive: false,
    taxRounding: 'document',
    lines,
    taxes: [],
    netMinor,
    taxMinor: 0,
    totalMinor: netMinor,
  }
}

function lineDraft(subscriptionLineId: string, day: string, amountMinor: number): DocumentLineDraft {
  return {
    kind: amountMinor < 0 ? 'credit' : 'recurring',
    subscriptionLineId,
    oneOffChargeId: null,
    creditsLineId: null,
    description: 'Flat Odoo',
    billingType: 'flat',
    quantity: '1',
    unit: 'month',
    unitPrice: '1',
    servicePeriod: { start: day, end: addDays(day, 1) },
    ratedMinor: amountMinor,
    discountMinor: 0,
    amountMinor,
    taxCategory: 'standard',
    taxRatePercent: '0',
    taxMinor: 0,
    lateEventIds: [],
    explanation: { formula: '' },
  }
}

async function insert(invoice: NewInvoice) {
  return await seller.db.transaction().execute(async (tx) => insertOne(tx, invoice))
}

async function insertOne(tx: Parameters<typeof insertInvoices>[0], invoice: NewInvoice) {
  const [made] = await insertInvoices(tx, [invoice])
  assert.ok(made)
  return made
}

test('a hundred finalizations at once, a third of them rolled back, are numbered without a gap', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const crash = new Error('killed before the commit')
  const tries = await Promise.allSettled(
    Array.from({ length: 100 }, async (_, index) =>
      seller.db.transaction().execute(async (tx) => {
        const invoice = await insertOne(tx, draftOf(index))
        if (index % 3 === 0) throw crash
        return invoice.number
      }),
    ),
  )
  const numbers = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  assert.equal(tries.filter((result) => result.status === 'rejected' && result.reason === crash).length, 34)
  const sequences = numbers.map((number) => Number(number.split('-').at(-1)))
  assert.deepEqual(
    sequences.toSorted((first, second) => first - second),
    Array.from({ length: 66 }, (_, index) => index + 1),
  )
})

test('credit notes have a series of their own, and every test clock has', async () => {
  const first = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const second = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const made = [
    await insert(first(1)),
    await insert(first(2, [-100])),
    await insert(second(1)),
    await insert(first(3)),
  ]
  assert.deepEqual(
    made.map(({ number }) => number.replace(/^TEST\d+-/, '')),
    ['INV-00001', 'CN-00001', 'INV-00001', 'INV-00002'],
  )
  assert.notEqual(made[0]?.number, made[2]?.number)
})

test('credits beyond the charges make a credit note of what is left: -30.00 and 10.00 are 20.00', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const note = await insert(draftOf(1, [-3000, 1000]))
  assert.deepEqual([note.kind, note.totalMinor], ['credit_note', 2000])
  const nothing = await insert(draftOf(2, [-1000, 1000]))
  assert.deepEqual([nothing.kind, nothing.totalMinor], ['invoice', 0])
})

test('issue dates never fall within a series, even when an older instant comes later', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  await insert({ ...draftOf(1), now: '2026-05-02T00:00:01Z' })
  const { id } = await insert({ ...draftOf(2), now: '2026-05-01T23:59:59Z' })
  const row = await seller.db
    .selectFrom('invoices')
    .select(['issued_on', 'due_on'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, { issued_on: '2026-05-02', due_on: '2026-05-16' })
})

test('a document keeps seller and buyer as they were, and is due after the payment terms', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const { id } = await insert(draftOf(1))
  await seller.db
    .updateTable('customers')
    .set({ name: 'Renamed' })
    .where('code', '=', 'harbour-bakery')
    .execute()
  const row = await seller.db
    .selectFrom('invoices')
    .select(['issued_on', 'due_on', 'buyer', 'seller'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  assert.deepEqual([row.issued_on, row.due_on], ['2026-05-01', '2026-05-15'])
  assert.partialDeepStrictEqual(row.buyer, { code: 'harbour-bakery', name: 'Harbour Bakery' })
  assert.partialDeepStrictEqual(row.seller, { name: 'Seller' })
})

test('a chunk of documents is numbered in its order, and each is chained to the one before by hash', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const first = await insert(draftOf(1))
  const chunk = await seller.db
    .transaction()
    .execute(async (tx) => await insertInvoices(tx, [draftOf(2), draftOf(3, [-100]), draftOf(4)]))
  assert.deepEqual(
    chunk.map(({ number }) => number.replace(/^TEST\d+-/, '')),
    ['INV-00002', 'CN-00001', 'INV-00003'],
  )
  const rows = await seller.db
    .selectFrom('invoices')
    .select(['hash', 'previous_hash'])
    .where('id', 'in', [first.id, ...chunk.filter(({ kind }) => kind === 'invoice').map(({ id }) => id)])
    .orderBy('sequence')
    .execute()
  assert.equal(rows[0]?.previous_hash, null)
  assert.deepEqual(
    rows.slice(1).map((row) => row.previous_hash),
    rows.slice(0, -1).map((row) => row.hash),
  )
})

test('a pattern with the year begins a series each year', async () => {
  const draftOf = await createDrafts(await seller.clock('2026-01-31T09:00:00Z'))
  const patterns = (pattern: string) =>
    JSON.stringify({ invoice: { series: 'INV', pattern }, credit_note: { series: 'CN', pattern } })
  const setPatterns = async (pattern: string) =>
    await seller.db
      .updateTable('installation')
      .set({ number_patterns: patterns(pattern) })
      .execute()
  await setPatterns('{series}-{year}-{number:5}')
  const made = [
    await insert({ ...draftOf(1), now: '2026-12-31T10:00:00Z' }),
    await insert({ ...draftOf(2), now: '2027-01-01T10:00:00Z' }),
    await insert({ ...draftOf(3), now: '2027-01-02T10:00:00Z' }),
  ]
  await setPatterns('{series}-{number:5}')
  assert.deepEqual(
    made.map(({ number }) => number.replace(/^TEST\d+-/, '')),
    ['INV-2026-00001', 'INV-2027-00001', 'INV-2027-00002'],
  )
})

test('a credit note becomes the balance, which the next invoices use and two at once use once', async () => {
  const testClockId = await seller.clock('2026-01-31T09:00:00Z')
  const draftOf = await createDrafts(testClockId)
  const note = await insert(draftOf(1, [-3000, 1000]))
  assert.deepEqual([note.kind, note.totalMinor], ['credit_note', 2000])
  const made = await Promise.all([2, 3].map(async (day) => insert(draftOf(day, [1500]))))
  const { used } = await seller.db
    .selectFrom('allocations')
    .select((eb) => eb.fn.sum<string>('amount_minor').as('used'))
    .where(
      'invoice_id',
      'in',
      made.map(({ id }) => id),
    )
    .where('kind', '=', 'balance')
    .executeTakeFirstOrThrow()
  assert.equal(Number(used), 2000)
  const balance = await seller.db
    .selectFrom('customer_balances')
    .select('amount_minor')
    .where('test_clock_id', '=', testClockId)
    .executeTakeFirstOrThrow()
  assert.equal(balance.amount_minor, 0)
})
