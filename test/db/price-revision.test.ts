import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { applyRevision, planRevision, type RevisionRequest } from '#db/price-revision.ts'
import { insertProduct } from '#db/product.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import type { Terms } from '#domain/terms.ts'
import { listInvoiceLines } from '#test/support/invoices.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
  await insertUsers('never-user', { isNeverRevised: true })
  await insertUsers('reread-user', { pricing: 'reevaluated' })
})
after(async () => seller.drop())

async function insertUsers(code: string, terms: Partial<Terms>): Promise<void> {
  await insertProduct(seller.db, {
    code,
    name: code,
    billingType: 'threshold',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'user',
    basePrice: perUnitPrice('1'),
    terms,
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
}

/** 5 % from 1 July, asked on the clock of the subscriptions. */
async function revise(subscriptionIds: readonly string[], request: Partial<RevisionRequest> = {}) {
  return await seller.db.transaction().execute(async (tx) => {
    const whole: RevisionRequest = {
      revision: { percent: '5' },
      startsOn: '2026-07-01',
      productId: null,
      subscriptionIds,
      requestId: 'revision',
      actor: 'test',
      now: '2026-04-10T12:00:00Z',
      ...request,
    }
    const prices = await planRevision(tx, whole)
    await applyRevision(tx, whole, prices)
    return prices
  })
}

async function pricesOf(subscriptionId: string): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('subscription_lines')
    .select(['price', 'starts_on', 'ends_on'])
    .where('subscription_id', '=', subscriptionId)
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>', eb.ref('starts_on'))]))
    .orderBy('starts_on')
    .execute()
  return rows.map(({ price, starts_on, ends_on }) => {
    const amount = price.model === 'per_unit' ? price.unitAmount : price.model
    return `${amount} from ${starts_on} to ${ends_on ?? 'open'}`
  })
}

test('5 percent from 1 July: June is billed at the old price, July at the new one', async () => {
  const { subscriptionId, documentId } = await sellUsers(seller)
  await revise([subscriptionId])
  assert.deepEqual(await pricesOf(subscriptionId), [
    '1 from 2026-04-01 to 2026-07-01',
    '1.05 from 2026-07-01 to open',
  ])
  const june = await billDue(seller.db, documentId, '2026-06-01T00:00:00Z')
  const july = await billDue(seller.db, documentId, '2026-07-01T00:00:00Z')
  assert.deepEqual(await listInvoiceLines(seller.db, june.invoiceNumber ?? ''), [
    'recurring 2026-06-01/2026-07-01 5 × 1 = 500',
  ])
  assert.deepEqual(await listInvoiceLines(seller.db, july.invoiceNumber ?? ''), [
    'recurring 2026-07-01/2026-08-01 5 × 1.05 = 525',
  ])
})

test('days that were billed in advance are credited and charged anew', async () => {
  const { subscriptionId, documentId } = await sellUsers(seller)
  await revise([subscriptionId], { startsOn: '2026-04-16', revision: { price: perUnitPrice('2') } })
  const billed = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual((await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')).toSorted(), [
    'credit 2026-04-16/2026-05-01 5 × 1 = -250',
    'recurring 2026-04-16/2026-05-01 5 × 2 = 500',
    'recurring 2026-05-01/2026-06-01 5 × 2 = 1000',
  ])
})

test('a change that is planned after it has the new price too, at its own quantity', async () => {
  const { subscriptionId, change } = await sellUsers(seller)
  await change('down', '2026-04-10', { quantity: '3', startsOn: '2026-08-01' })
  await revise([subscriptionId])
  assert.deepEqual(await pricesOf(subscriptionId), [
    '1 from 2026-04-01 to 2026-07-01',
    '1.05 from 2026-07-01 to 2026-08-01',
    '1.05 from 2026-08-01 to open',
  ])
})

test('what is never revised, read anew each period, or cancelled is passed by, and the reason is told', async () => {
  const never = await sellUsers(seller, 'never-user')
  const reread = await sellUsers(seller, 'reread-user')
  const cancelled = await sellUsers(seller)
  const cancel = { when: 'period_end', reason: 'moved' } as const
  await cancelSubscription(seller.db, cancelled.command('end', '2026-04-10'), cancel)
  const { revised, passedBy } = await revise([never, reread, cancelled].map((sold) => sold.subscriptionId))
  assert.deepEqual(revised, [])
  assert.deepEqual(new Set(passedBy.map(({ reason }) => reason)), new Set([
    'it is never revised',
    'its price is read from the lists at each period',
    'its subscription is cancelled',
  ])) // prettier-ignore
  assert.deepEqual(await pricesOf(never.subscriptionId), ['1 from 2026-04-01 to open'])
})

test('a revision of one product leaves the others, and one of no chosen ones leaves test clocks', async () => {
  const { subscriptionId } = await sellUsers(seller)
  const { id: other } = await seller.db
    .selectFrom('products')
    .select('id')
    .where('code', '=', 'never-user')
    .executeTakeFirstOrThrow()
  assert.deepEqual((await revise([subscriptionId], { productId: other })).revised, [])
  assert.deepEqual((await revise([], { subscriptionIds: null })).revised, [])
})

test('new prices do not begin on a day that is past, and none falls below nothing', async () => {
  const { subscriptionId } = await sellUsers(seller)
  await assert.rejects(revise([subscriptionId], { startsOn: '2026-03-31' }), { code: 'date_range_invalid' })
  await assert.rejects(revise([subscriptionId], { revision: { percent: '-101' } }), {
    code: 'price_negative',
  })
  assert.deepEqual(await pricesOf(subscriptionId), ['1 from 2026-04-01 to open'])
})
