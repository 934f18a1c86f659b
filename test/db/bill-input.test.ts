import assert from 'node:assert/strict'
import { sql, type KyselyPlugin } from 'kysely'
import test, { after, before } from 'node:test'
import { readBillInputs } from '#db/bill-input.ts'
import { billFinal } from '#db/billing.ts'
import { newId } from '#db/identifier.ts'
import { listDocuments } from '#db/subscription-documents.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { determineTax } from '#domain/tax.ts'
import { copyRow } from '#test/support/copied-row.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { changePrice } from '#test/support/product-version.ts'
import { billDue, createSeller, pushUsage, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const january = '2026-01-01T00:00:00Z'

/** A subscription of a customer and on a clock of its own, from 1 January 2026 on. */
async function sell(order: { kit?: string; product?: string } = {}) {
  const customer = `c${newId().slice(-12)}`
  const bakery = await seller.db
    .selectFrom('customers')
    .select('id')
    .where('code', '=', 'harbour-bakery')
    .executeTakeFirstOrThrow()
  const customerId = await copyRow(seller.db, 'customers', bakery.id, { code: customer, address: 'Quay 1' })
  const testClockId = await seller.clock(january)
  const subscriptionId = await seller.sell({ ...order, customer, testClockId, now: january })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  return { customer, customerId, testClockId, subscriptionId, documentId }
}

async function linesOf(subscriptionId: string): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('invoice_lines')
    .select(['kind', 'amount_minor', 'discount_minor', 'tax_minor'])
    .select(sql<string | null>`lower(service_period)::text`.as('starts_on'))
    .where('subscription_id', '=', subscriptionId)
    .orderBy('invoice_id')
    .orderBy('position')
    .execute()
  return rows.map((row) =>
    [
      `${row.kind}${row.starts_on === null ? '' : ` ${row.starts_on}`} ${row.amount_minor}`,
      row.discount_minor === 0 ? '' : ` after ${row.discount_minor}`,
      row.tax_minor === 0 ? '' : ` + ${row.tax_minor}`,
    ].join(''),
  )
}

test('as many queries read one bill as ten', async () => {
  const documents = []
  for (let count = 0; count < 10; count += 1) {
    const { subscriptionId } = await sell({ kit: 'odoo-config-1' })
    documents.push(...(await listDocuments(seller.db, subscriptionId)))
  }
  const now = '2026-02-01T00:00:00Z'
  const bills = documents.map(
    (document) =>
      ({ reason: 'period', document, subscriptionIds: null, asOf: document.next_invoice_on, now }) as const,
  )
  const count = async (many: typeof bills) => {
    let queries = 0
    const counting: KyselyPlugin = {
      transformQuery: ({ node }) => {
        queries += 1
        return node
      },
      transformResult: async ({ result }) => await Promise.resolve(result),
    }
    const inputs = await readBillInputs(seller.db.withPlugin(counting), many)
    return { queries, parts: inputs.map((bill) => bill?.input.parts.length) }
  }
  const one = await count(bills.slice(0, 1))
  const ten = await count(bills)
  assert.equal(bills.length, 10)
  assert.deepEqual([...new Set(ten.parts)], one.parts)
  assert.equal(ten.queries, one.queries)
  const installation = await seller.db.selectFrom('installation').selectAll().executeTakeFirstOrThrow()
  const set = async (tax: 'table' | 'service', profile: object) =>
    seller.db
      .updateTable('installation')
      .set({ tax_determination: tax, seller: JSON.stringify(profile) })
      .execute()
  await set('service', { ...installation.seller, country: 'DE' })
  const [answered, ...others] = [await count(bills.slice(0, 1)), await count(bills)]
  await set('table', installation.seller)
  assert.deepEqual(
    others.map(({ queries }) => queries),
    [answered?.queries],
    'what a tax service answered is one query, too',
  )
})

test('a discount of a customer is off so many periods and no longer', async () => {
  const { customerId, subscriptionId, documentId } = await sell()
  const discountId = newId()
  await seller.db
    .insertInto('discounts')
    .values({
      id: discountId,
      code: null,
      name: 'Half',
      percent: '50',
      amount_minor: null,
      currency: null,
      scope: 'line',
      product_id: null,
      period_count: 2,
      maximum_uses: null,
      archived_at: null,
    }) // prettier-ignore
    .execute()
  await seller.db
    .insertInto('applied_discounts')
    .values({
      id: newId(),
      discount_id: discountId,
      customer_id: customerId,
      subscription_id: null,
      valid_in: '[2026-02-01,)',
    }) // prettier-ignore
    .execute()
  await billDue(seller.db, documentId, '2026-04-01T00:00:00Z')
  assert.deepEqual(await linesOf(subscriptionId), [
    'recurring 2026-01-01 1000',
    'recurring 2026-02-01 500 after 500',
    'recurring 2026-03-01 500 after 500',
    'recurring 2026-04-01 1000',
  ])
})

test('a one-off waits for the next document, and stands on one, though two are made at once', async () => {
  const first = await sell()
  const second = await seller.sell({ ...first, now: january })
  const ownAnchor = { own_anchor_on: '2026-01-01' }
  const otherId = await copyRow(seller.db, 'subscription_documents', first.documentId, ownAnchor)
  await seller.db
    .updateTable('subscription_lines')
    .set({ document_id: otherId })
    .where('subscription_id', '=', second)
    .execute()
  await seller.db
    .insertInto('one_off_charges')
    .values({
      id: newId(),
      customer_id: first.customerId,
      subscription_id: null,
      test_clock_id: first.testClockId,
      product_id: null,
      currency: 'USD',
      description: 'Migration',
      quantity: '2',
      unit: 'hour',
      price: JSON.stringify(perUnitPrice('60')),
      reference: null,
      charged_on: '2026-01-15',
      withdrawn_at: null,
    })
    .execute()
  const bill = async (documentId: string) => await billDue(seller.db, documentId, '2026-02-01T00:00:00Z')
  const billed = await Promise.all([bill(first.documentId), bill(otherId)])
  assert.deepEqual(
    billed.map(({ totalMinor }) => totalMinor).toSorted((first, second) => first - second),
    [1000, 13000],
  )
  const later = await billDue(seller.db, first.documentId, '2026-03-01T00:00:00Z')
  assert.equal(later.totalMinor, 1000)
})

test('a price that is read again follows the list from the next period on, a frozen one does not', async () => {
  const { subscriptionId: frozen } = await sell({ product: 'static-site' })
  const read = await sell({ product: 'static-site' })
  await seller.db
    .updateTable('subscription_lines')
    .set({ terms: JSON.stringify({ pricing: 'reevaluated' }) })
    .where('subscription_id', '=', read.subscriptionId)
    .execute()
  await changePrice(seller.db, 'static-site', { unitAmount: '12', effectiveOn: '2026-02-01' })
  const [frozenDocument = ''] = await listDocumentIds(seller.db, frozen)
  for (const documentId of [frozenDocument, read.documentId])
    await billDue(seller.db, documentId, '2026-02-01T00:00:00Z')
  const february = async (id: string) => (await linesOf(id)).findLast((line) => line.startsWith('recurring'))
  assert.equal(await february(read.subscriptionId), 'recurring 2026-02-01 1200')
  assert.notEqual(await february(frozen), 'recurring 2026-02-01 1200')
})

test('what a subscription owes at least a period is trued up once the period is over', async () => {
  const { subscriptionId, documentId } = await sell({ kit: 'odoo-config-1' })
  await seller.db
    .updateTable('subscriptions')
    .set({ least_amount: '20', greatest_amount: '25' })
    .where('id', '=', subscriptionId)
    .execute()
  const use = async (quantity: string, occurredAt: string) =>
    await pushUsage(seller.db, { subscriptionId, metric: 'network', quantity, occurredAt })
  await use('3', '2026-01-20T00:00:00Z')
  await billDue(seller.db, documentId, '2026-02-01T10:00:00Z')
  await use('100', '2026-02-20T00:00:00Z')
  await billDue(seller.db, documentId, '2026-03-01T10:00:00Z')
  const lines = await linesOf(subscriptionId)
  assert.deepEqual(
    lines.filter((line) => line.startsWith('true_up') || line.includes('after')),
    ['true_up 2026-01-01 700', 'usage 2026-02-01 1500 after 8500'],
  )
})

test('tax follows the seller’s rates and the customer’s country, and a credit takes back the tax it was charged with', async () => {
  await seller.db
    .updateTable('installation')
    .set({ seller: JSON.stringify({ name: 'Seller', address: 'Hafen 1', taxId: 'DE1', country: 'DE' }) })
    .execute()
  const rate = { country: 'DE', category: 'standard', name: 'USt' }
  await seller.db
    .insertInto('tax_rates')
    .values([
      { ...rate, id: newId(), region: null, rate_percent: '19', valid_in: '[,2026-01-10)' },
      { ...rate, id: newId(), region: null, rate_percent: '20', valid_in: '[2026-01-10,)' },
    ])
    .execute()
  const { subscriptionId, documentId } = await sell()
  await billDue(seller.db, documentId, '2026-02-01T00:00:00Z')
  await seller.db
    .updateTable('subscription_lines')
    .set({ ends_on: '2026-01-17' })
    .where('subscription_id', '=', subscriptionId)
    .execute()
  await billFinal(seller.db, subscriptionId, '2026-02-01T00:00:00Z')
  assert.deepEqual(await linesOf(subscriptionId), [
    'recurring 2026-01-01 1000 + 190',
    'recurring 2026-02-01 1000 + 200',
    'credit 2026-01-17 -484 + -92',
    'credit 2026-02-01 -1000 + -200',
  ])
})

test('E-18 the document holds the inputs, the rule and the result of its tax: decided anew from it alone, it is the same', async () => {
  const { customerId, documentId } = await sell()
  await seller.db
    .updateTable('customers')
    .set({ country: 'FR', is_business: true, tax_id: 'FR1', tax_id_verified_at: january })
    .where('id', '=', customerId)
    .execute()
  await billDue(seller.db, documentId, '2026-02-01T00:00:00Z')
  await seller.db
    .updateTable('customers')
    .set({ country: 'DE', is_business: false, tax_id_verified_at: null, tax_id: null })
    .where('id', '=', customerId)
    .execute()
  const {
    seller: from,
    buyer,
    explanation,
  } = await seller.db
    .selectFrom('invoices')
    .innerJoin('invoice_lines', 'invoice_lines.invoice_id', 'invoices.id')
    .select(['seller', 'buyer', 'explanation'])
    .where('document_id', '=', documentId)
    .orderBy('invoices.id', 'desc')
    .executeTakeFirstOrThrow()
  const { tax } = explanation
  assert.ok(tax)
  const rate = {
    country: 'DE',
    region: null,
    category: 'standard',
    name: 'USt',
    startsOn: null,
    endsOn: null,
  }
  const decided = determineTax(
    {
      seller: { country: from.country ?? '' },
      buyer: {
        country: buyer.country ?? from.country ?? '',
        region: buyer.region ?? null,
        isBusiness: buyer.isBusiness ?? false,
        taxId: buyer.taxId ?? null,
        isTaxIdVerified: buyer.taxIdVerifiedAt !== undefined,
        exemption: buyer.taxExemption ?? null,
      },
      category: tax.of,
      on: tax.on,
      isElectronicService: true,
    },
    [{ ...rate, id: 'rate', ratePercent: '20' }],
  )
  assert.deepEqual(
    { rule: decided.rule, rates: decided.rates, note: decided.note },
    { rule: tax.rule, rates: tax.rates, note: tax.note },
  )
  assert.equal(tax.rule, 'eu_business_verified')
})
