import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { billOpening } from '#db/billing.ts'
import { confirmOrder } from '#db/order.ts'
import { setPhase } from '#db/subscription.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { chapter } from '#test/support/chapter.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
const documents = new Map<string, string>()

before(async () => {
  installation = await startInstallation()
  const product = {
    code: 'care',
    name: 'Care',
    billing_type: 'flat',
    billing_timing: 'advance',
    unit: 'month',
  }
  await post('/v1/products', {
    ...product,
    recurrence: { count: 1, unit: 'month' },
    base_price: '10',
    currency: 'USD',
  })
})
after(async () => await installation.stop())

async function post(address: string, body: unknown): Promise<Json> {
  const reply = await installation.call('POST', address, body)
  assert.ok(reply.status < 300, `POST ${address}: ${JSON.stringify(reply.body)}`)
  return reply.body
}

/** Sold so many days ago, and billed since by nobody: its own workflow was never started. */
async function sellDaysAgo(customer: string, days: number): Promise<void> {
  const { db } = installation
  await post('/v1/customers', { code: customer, name: customer })
  const now = new Date(Date.now() - days * 86_400_000).toISOString()
  const idOf = async (table: 'customers' | 'products', code: string) =>
    (await db.selectFrom(table).select('id').where('code', '=', code).executeTakeFirstOrThrow()).id
  const wanted = {
    customerId: await idOf('customers', customer),
    lines: [{ productId: await idOf('products', 'care'), quantity: '1' }],
    testClockId: null,
    currency: null,
    channel: 'api' as const,
    actor: 'test',
    now,
  }
  const { subscriptionIds } = await db.transaction().execute(async (tx) => confirmOrder(tx, wanted))
  await db.updateTable('outbox').set({ done_at: now }).execute()
  const [id = ''] = subscriptionIds
  await setPhase(db, id, { phase: 'building', now })
  await activateSubscription(db, id, now)
  await billOpening(db, id, now)
  const line = await db
    .selectFrom('subscription_lines')
    .select('document_id')
    .where('subscription_id', '=', id)
    .executeTakeFirstOrThrow()
  documents.set(customer, encodeId('document', line.document_id ?? ''))
}

async function run(body: Json): Promise<Json> {
  const { id } = await post('/v1/billing-runs', body)
  return await until('the run is finished', async () => {
    const { body: detail } = await installation.call('GET', `/v1/billing-runs/${String(id)}`)
    return detail['finished_at'] !== null && detail
  })
}

const totalOf = (of: Json) => (of['totals'] as { amount_minor: number }[])[0]?.amount_minor
const outcomes = (of: Json) =>
  (of['documents'] as Json[]).map((row) => [
    row['document'],
    row['outcome'],
    (row['invoices'] as Json[]).length,
  ])

let foreseen: Json

/** The price of a line as no program would write it, and as it was. */
async function setPrice(customer: string, price: object): Promise<void> {
  const id = decodeId('document', documents.get(customer) ?? '')
  await installation.db
    .updateTable('subscription_lines')
    .set({ price: JSON.stringify(price) })
    .where('document_id', '=', id)
    .execute()
}

chapter(
  'three documents are due: one for two periods, one for one, and one that cannot be computed',
  async () => {
    await sellDaysAgo('anna', 70)
    await sellDaysAgo('bert', 35)
    await sellDaysAgo('carl', 35)
    await sellDaysAgo('dora', 5)
    await setPrice('carl', { model: 'formula', formula: 'nonsense(' })
  },
)

chapter(
  'J-08 a dry run lists who would be billed how much, and who not and why; nothing is kept',
  async () => {
    const invoices = await installation.db.selectFrom('invoices').select('id').execute()
    foreseen = await post('/v1/billing-runs/preview', {})
    assert.deepEqual(
      [foreseen['considered'], foreseen['billed'], foreseen['parked'], totalOf(foreseen)],
      [3, 2, 1, 3000],
    )
    assert.deepEqual(outcomes(foreseen), [
      [documents.get('anna'), 'billed', 2],
      [documents.get('bert'), 'billed', 1],
      [documents.get('carl'), 'parked', 0],
    ])
    assert.deepEqual(outcomes(await post('/v1/billing-runs/preview', {})), outcomes(foreseen))
    assert.deepEqual(await installation.db.selectFrom('invoices').select('id').execute(), invoices)
  },
)

chapter(
  'J-08 the real run makes exactly that, and says who was not billed, why, and how to retry',
  async () => {
    const made = await run({})
    for (const fact of ['considered', 'billed', 'waiting', 'parked', 'totals']) {
      assert.deepEqual(made[fact], foreseen[fact], fact)
    }
    const exceptions = made['exceptions'] as { document: string; customer: Json; retry: string }[]
    assert.deepEqual(
      exceptions.map(({ document, customer }) => [document, customer['code']]),
      [[documents.get('carl'), 'carl']],
    )
    assert.match(exceptions[0]?.retry ?? '', /failed_only/)
    const tasks = await installation.call('GET', '/v1/tasks')
    assert.ok((tasks.body['data'] as Json[]).some((task) => task['kind'] === 'document_parked'))
  },
)

chapter('C-15 once the cause is gone, a run of the failed only bills it, and nothing is left', async () => {
  await setPrice('carl', { model: 'per_unit', unitAmount: '10' })
  const expected = await post('/v1/billing-runs/preview', { failed_only: true })
  assert.deepEqual(outcomes(expected), [[documents.get('carl'), 'billed', 1]])
  const made = await run({ failed_only: true })
  assert.deepEqual([made['considered'], made['billed'], made['parked'], totalOf(made)], [1, 1, 0, 1000])
  const nothing = await post('/v1/billing-runs/preview', {})
  assert.deepEqual([nothing['considered'], nothing['documents']], [0, []])
  const { body: runs } = await installation.call('GET', '/v1/billing-runs')
  assert.deepEqual(
    (runs['data'] as Json[]).map((row) => row['billed']),
    [1, 2],
  )
  const [, first] = runs['data'] as Json[]
  const { body: detail } = await installation.call('GET', `/v1/billing-runs/${String(first?.['id'])}`)
  assert.equal((detail['exceptions'] as Json[])[0]?.['is_settled'], true)
})

chapter('J-08 a day to come can be tried: tomorrow’s month is due then, and no day before', async () => {
  const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
  assert.equal((await post('/v1/billing-runs/preview', { at: at(1) }))['considered'], 0)
  const later = await post('/v1/billing-runs/preview', { at: at(28) })
  assert.ok(outcomes(later).some(([document]) => document === documents.get('dora')))
})
