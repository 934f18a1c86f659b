import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { billOpening } from '#db/billing.ts'
import { insertCustomer, updateCustomer } from '#db/customer.ts'
import { insertDiscount, type NewDiscount } from '#db/discount.ts'
import type { OrderRequest } from '#db/order-context.ts'
import { confirmOrder } from '#db/order.ts'
import { insertProduct, type NewProduct } from '#db/product.ts'
import { lockSeller, updateSeller, type SellerSettings } from '#db/seller.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { activate, billDue, createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

/** Each story has a customer of its own, and so documents of its own. */
async function customer(code: string): Promise<string> {
  return await insertCustomer(seller.db, {
    code,
    name: code,
    email: null,
    address: null,
    currency: 'USD',
    timeZone: 'UTC',
    priceListId: null,
  })
}

async function product(code: string, overrides: Partial<NewProduct> = {}): Promise<void> {
  await insertProduct(seller.db, {
    code,
    name: code,
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    basePrice: perUnitPrice('30'),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
    ...overrides,
  })
}

interface Story {
  readonly customer: string
  readonly product: string
  readonly orderedAt: string
  readonly activatedAt?: string
  readonly asked?: Partial<OrderRequest>
}

async function sell(story: Story): Promise<string> {
  const { customer, product, orderedAt, activatedAt = orderedAt } = story
  const request = { ...(await seller.request({ customer, product, now: orderedAt })), ...story.asked }
  const { subscriptionIds } = await seller.db.transaction().execute(async (tx) => confirmOrder(tx, request))
  const [id = ''] = subscriptionIds
  await activate(seller.db, id, activatedAt)
  return id
}

async function withSettings<T>(change: Partial<SellerSettings>, work: () => Promise<T>): Promise<T> {
  const before = await seller.db.transaction().execute(async (tx) => {
    const settings = await lockSeller(tx)
    await updateSeller(tx, { ...settings, ...change })
    return settings
  })
  try {
    return await work()
  } finally {
    await seller.db.transaction().execute(async (tx) => updateSeller(tx, before))
  }
}

/** What was invoiced of a subscription: `2026-03-01/2026-04-01 3000`. */
async function billed(subscriptionId: string): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('invoice_lines')
    .innerJoin('invoices', 'invoices.id', 'invoice_lines.invoice_id')
    .select(['service_period', 'amount_minor'])
    .where('invoice_lines.subscription_id', '=', subscriptionId)
    .orderBy('invoices.id')
    .orderBy('position')
    .execute()
  return rows.map(
    (row) => `${row.service_period?.replaceAll(/[[)]/g, '').replace(',', '/')} ${row.amount_minor}`,
  )
}

async function documentOf(subscriptionId: string) {
  return await seller.db
    .selectFrom('subscription_documents as document')
    .innerJoin('subscription_lines as line', 'line.document_id', 'document.id')
    .selectAll('document')
    .where('line.subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
}

suite('when recurrence begins', () => {
  const story = { product: 'hosting', orderedAt: '2026-03-01T09:00:00Z', activatedAt: '2026-03-03T09:00:00Z' }
  before(async () => product('hosting'))

  test('by default on the day the application was ready', async () => {
    await customer('by-activation')
    const id = await sell({ ...story, customer: 'by-activation' })
    assert.deepEqual(await billed(id), ['2026-03-03/2026-04-03 3000'])
  })

  test('by confirmation on the day of the order, though it was built later', async () => {
    await customer('by-confirmation')
    const id = await withSettings(
      { recurrenceStarts: 'confirmation' },
      async () => await sell({ ...story, customer: 'by-confirmation' }),
    )
    assert.deepEqual(await billed(id), ['2026-03-01/2026-04-01 3000'])
  })

  test('activated twice, it began once', async () => {
    await customer('twice')
    const id = await sell({ ...story, customer: 'twice' })
    await activateSubscription(seller.db, id, '2026-03-09T09:00:00Z')
    await billOpening(seller.db, id, '2026-03-09T09:00:00Z')
    assert.deepEqual(await billed(id), ['2026-03-03/2026-04-03 3000'])
  })
})

suite('when an order names its start', () => {
  before(async () => {
    await product('server')
    await product('domain', { recurrence: { count: 1, unit: 'year' }, basePrice: perUnitPrice('120') })
  })
  const orderedAt = '2026-08-15T09:00:00Z'

  test('the next period’s start is billed then, and nothing before', async () => {
    await customer('next-month')
    const starts = { kind: 'period', method: 'next_period_start', month: null } as const
    const id = await sell({ customer: 'next-month', product: 'server', orderedAt, asked: { starts } })
    assert.deepEqual(await billed(id), [])
    const document = await documentOf(id)
    await billDue(seller.db, document.id, '2026-08-31T23:00:00Z')
    assert.deepEqual(await billed(id), [])
    await billDue(seller.db, document.id, '2026-09-01T00:00:00Z')
    assert.deepEqual(await billed(id), ['2026-09-01/2026-10-01 3000'])
  })

  test('backdated, each missed period is one line', async () => {
    await customer('backdated')
    const starts = { kind: 'date', on: '2026-06-15' } as const
    const id = await sell({ customer: 'backdated', product: 'server', orderedAt, asked: { starts } })
    await billDue(seller.db, (await documentOf(id)).id, orderedAt)
    assert.deepEqual(await billed(id), [
      '2026-06-15/2026-07-15 3000',
      '2026-07-15/2026-08-15 3000',
      '2026-08-15/2026-09-15 3000',
    ])
  })

  test('the month January of a yearly product is 1 January', async () => {
    await customer('january')
    const starts = { kind: 'period', method: 'next_period_start', month: 1 } as const
    const id = await sell({ customer: 'january', product: 'domain', orderedAt, asked: { starts } })
    assert.equal((await documentOf(id)).billing_cycle_anchor, '2027-01-01')
  })
})

suite('which document a line lies on', () => {
  const orderedAt = '2026-09-17T09:00:00Z'
  const later = '2026-09-25T09:00:00Z'
  before(async () => {
    await product('anchored', { basePrice: perUnitPrice('24.95') })
    await product('calendar', { terms: { alignment: 'calendar' } })
    await product('whole')
  })

  test('a line that joins an open document pays for the days up to its next boundary', async () => {
    await customer('joining')
    await sell({ customer: 'joining', product: 'anchored', orderedAt })
    const id = await sell({ customer: 'joining', product: 'anchored', orderedAt: later })
    assert.deepEqual(await billed(id), ['2026-09-25/2026-10-17 1830'])
  })

  test('with an anchor of its own it opens its own document and pays for a whole period', async () => {
    await customer('own')
    const first = await sell({ customer: 'own', product: 'anchored', orderedAt })
    const second = await sell({
      customer: 'own',
      product: 'anchored',
      orderedAt: later,
      asked: { hasOwnAnchor: true },
    })
    assert.deepEqual(await billed(second), ['2026-09-25/2026-10-25 2495'])
    assert.notEqual((await documentOf(first)).id, (await documentOf(second)).id)
  })

  test('by the calendar the first part ends with the month, and all such lines share one document', async () => {
    await customer('by-calendar')
    const first = await sell({ customer: 'by-calendar', product: 'calendar', orderedAt })
    assert.deepEqual(await billed(first), ['2026-09-17/2026-10-01 1400'])
    const second = await sell({
      customer: 'by-calendar',
      product: 'calendar',
      orderedAt: '2026-10-02T09:00:00Z',
    })
    const document = await documentOf(first)
    assert.equal((await documentOf(second)).id, document.id)
    await billDue(seller.db, document.id, '2026-11-01T00:00:00Z')
    assert.deepEqual((await billed(first)).at(-1), '2026-11-01/2026-12-01 3000')
    assert.deepEqual((await billed(second)).at(-1), '2026-11-01/2026-12-01 3000')
  })

  test('one that was opened for a day to come begins with what is sold before it, and neither has a free day', async () => {
    await customer('early')
    const hosting = { customer: 'early', product: 'whole' }
    const starts = { kind: 'date', on: '2026-07-22' } as const
    const later = await sell({ ...hosting, orderedAt: '2026-05-10T09:00:00Z', asked: { starts } })
    const sooner = await sell({ ...hosting, orderedAt: '2026-05-20T09:00:00Z' })
    const document = await documentOf(later)
    assert.equal((await documentOf(sooner)).id, document.id)
    await billDue(seller.db, document.id, '2026-08-20T00:00:00Z')
    assert.deepEqual(await billed(sooner), [
      '2026-05-20/2026-06-20 3000',
      '2026-06-20/2026-07-20 3000',
      '2026-07-20/2026-08-20 3000',
      '2026-08-20/2026-09-20 3000',
    ])
    assert.deepEqual(await billed(later), ['2026-07-22/2026-08-20 2806', '2026-08-20/2026-09-20 3000'])
  })

  test('what began before its document pays for the days before the document as well', async () => {
    await customer('late-joiner')
    const hosting = { customer: 'late-joiner', product: 'whole' }
    const first = await sell({ ...hosting, orderedAt: '2026-05-31T09:00:00Z' })
    const starts = { kind: 'date', on: '2026-05-21' } as const
    const backdated = await sell({ ...hosting, orderedAt: '2026-06-01T09:00:00Z', asked: { starts } })
    await billDue(seller.db, (await documentOf(first)).id, '2026-06-30T00:00:00Z')
    // 10 of the 31 days from 30 April to 31 May.
    assert.deepEqual(await billed(backdated), [
      '2026-05-21/2026-05-31 968',
      '2026-05-31/2026-06-30 3000',
      '2026-06-30/2026-07-31 3000',
    ])
  })

  test('purchase order references split documents where the customer wants that, and only there', async () => {
    const id = await customer('references')
    const place = async (reference: string) =>
      (
        await documentOf(
          await sell({
            customer: 'references',
            product: 'anchored',
            orderedAt,
            asked: { purchaseOrderReference: reference },
          }),
        )
      ).id
    assert.equal(await place('PO-1'), await place('PO-2'))
    await updateCustomer(seller.db, id, { splitsByPurchaseOrder: true })
    const [first, second, again] = [await place('PO-1'), await place('PO-2'), await place('PO-1')]
    assert.notEqual(first, second)
    assert.equal(first, again)
  })

  test('of twenty activations of a new customer at once one opens the document', async () => {
    await customer('crowd')
    const ids = await Promise.all(
      Array.from(
        { length: 20 },
        async () => await sell({ customer: 'crowd', product: 'calendar', orderedAt }),
      ),
    )
    const documents = await Promise.all(ids.map(async (id) => (await documentOf(id)).id))
    assert.equal(new Set(documents).size, 1)
  })
})

suite('a line that joins a subscription', () => {
  const orderedAt = '2026-09-17T09:00:00Z'
  const join = async (to: { customer: string; product: string; subscriptionId: string; now: string }) => {
    const request = await seller.request(to)
    const lines = request.lines.map((line) => ({ ...line, joins: to.subscriptionId }))
    return await seller.db.transaction().execute(async (tx) => confirmOrder(tx, { ...request, lines }))
  }
  before(async () => {
    await product('main', { basePrice: perUnitPrice('30') })
    await product('backup', { basePrice: perUnitPrice('24.95') })
    await product('installation', { recurrence: null, basePrice: perUnitPrice('20') })
  })

  test('pays for the days up to its document’s boundary, then with the others; a fee is on the next invoice', async () => {
    await customer('extending')
    const subscriptionId = await sell({ customer: 'extending', product: 'main', orderedAt })
    const later = { customer: 'extending', subscriptionId, now: '2026-09-25T09:00:00Z' }
    const { subscriptionIds } = await join({ ...later, product: 'backup' })
    await join({ ...later, product: 'installation' })
    assert.deepEqual(subscriptionIds, [])
    await billDue(seller.db, (await documentOf(subscriptionId)).id, '2026-10-17T00:00:00Z')
    assert.deepEqual(await billed(subscriptionId), [
      '2026-09-17/2026-10-17 3000',
      '2026-10-17/2026-11-17 3000',
      '2026-09-25/2026-10-17 1830',
      '2026-10-17/2026-11-17 2495',
      'undefined 2000',
    ])
  })

  test('two orders at once both join', async () => {
    await customer('both')
    const subscriptionId = await sell({ customer: 'both', product: 'main', orderedAt })
    const to = { customer: 'both', product: 'backup', subscriptionId, now: '2026-09-25T09:00:00Z' }
    await Promise.all([join(to), join(to)])
    const rows = await seller.db
      .selectFrom('subscription_lines')
      .select('position')
      .where('subscription_id', '=', subscriptionId)
      .orderBy('position')
      .execute()
    assert.deepEqual(
      rows.map((row) => row.position),
      [0, 1, 2],
    )
  })

  test('nobody’s but the customer’s own subscription is joined, and nothing that builds', async () => {
    await customer('stranger')
    await customer('owner')
    const subscriptionId = await sell({ customer: 'owner', product: 'main', orderedAt })
    const to = { customer: 'owner', product: 'backup', subscriptionId, now: orderedAt }
    await assert.rejects(join({ ...to, customer: 'stranger' }), { code: 'subscription_unknown' })
    await assert.rejects(join({ ...to, product: 'static-site' }), { code: 'addon_not_available' })
  })

  test('a fee joins no subscription that has no invoice to come, for nothing would bill it', async () => {
    await customer('once')
    const subscriptionId = await sell({ customer: 'once', product: 'installation', orderedAt })
    const to = { customer: 'once', subscriptionId, now: '2026-09-25T09:00:00Z' }
    await assert.rejects(join({ ...to, product: 'installation' }), { code: 'addon_not_available' })
  })
})

suite('a discount code', () => {
  const discount: NewDiscount = {
    code: 'HALF',
    name: 'Half price',
    percent: '50',
    amount: null,
    scope: 'line',
    productId: null,
    periodCount: 2,
    startsOn: null,
    endsOn: null,
    maximumUses: null,
    isOncePerCustomer: false,
  }

  test('holds for its periods, and the next one is at the full price', async () => {
    await product('discounted')
    await customer('bargain')
    await insertDiscount(seller.db, discount)
    const orderedAt = '2026-05-10T09:00:00Z'
    const id = await sell({
      customer: 'bargain',
      product: 'discounted',
      orderedAt,
      asked: { discountCode: 'HALF' },
    })
    await billDue(seller.db, (await documentOf(id)).id, '2026-07-10T00:00:00Z')
    assert.deepEqual(await billed(id), [
      '2026-05-10/2026-06-10 1500',
      '2026-06-10/2026-07-10 1500',
      '2026-07-10/2026-08-10 3000',
    ])
  })
})
