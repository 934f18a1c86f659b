import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createBillingActivities } from '#activities/billing.ts'
import { refusing } from '#activities/failure.ts'
import { createTaxIdCheckActivities } from '#activities/tax-id-check.ts'
import { createTaxService } from '#activities/tax-service.ts'
import { activateSubscription } from '#db/activation.ts'
import { billChunk } from '#db/billing-chunk.ts'
import { billOpening } from '#db/billing.ts'
import { ensureBillingRun, finishBillingRun, listDueDocuments } from '#db/billing-run.ts'
import { newId } from '#db/identifier.ts'
import { noteTaxQuestion } from '#db/tax-answer.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { startFakeTaxService } from '#test/support/fake-tax-service.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { installationKey } from '#test/support/workers.ts'

// A seller in Germany who keeps a rate of 19 percent, and a tax service that says 17.5: a guess would show.

type Json = Record<string, unknown>
const start = '2026-09-15T09:00:00Z'

let api: TestApi
let service: Awaited<ReturnType<typeof startFakeTaxService>>
let subscription = ''
before(async () => {
  api = await createTestApi({ now: () => start })
  service = await startFakeTaxService()
  await seedCatalog(api)
  await api.patch('/v1/seller', { country: 'DE', address: 'Hafen 1', tax_id: 'DE123456789' })
  await api.post('/v1/tax-rates', { country: 'DE', name: 'VAT', rate_percent: '19' })
  await api.post('/v1/customers', { code: 'lyon', name: 'Lyon', country: 'FR', address: 'Quai 1' })
  const order = await api.post('/v1/orders', { customer: 'lyon', lines: [{ product: 'support' }] })
  const [{ id } = { id: '' }] = order.body['subscriptions'] as { id: string }[]
  subscription = id
  await activateSubscription(api.db, decodeId('subscription', id), start)
  await billOpening(api.db, decodeId('subscription', id), start)
  const { body } = await api.patch('/v1/seller', { tax_determination: 'service' })
  assert.equal(body['tax_determination'], 'service')
})
after(async () => {
  await assertInvariants(api.db, { isUnderWay: true })
  await api.close()
  await service.close()
})

const answer = {
  category: 'standard',
  rates: [{ name: 'TVA', rate_percent: '17.5' }],
  source: 'Fake Tax, determination 7',
  valid_from: '2026-01-01',
  valid_until: '2026-11-16',
}

async function bill(now: string) {
  const billingRunId = await ensureBillingRun(api.db, { workflowId: newId(), billedAt: now })
  const due = await listDueDocuments(api.db, { now, after: null, limit: 10 })
  const { parked } = await billChunk(api.db, { billingRunId, now }, due)
  await finishBillingRun(api.db, billingRunId)
  return { due: due.length, parked }
}

async function askService(): Promise<void> {
  const { db, temporal } = api
  const deps = {
    db,
    client: temporal.client,
    installationKey,
    consoleUrl: '',
    taxService: createTaxService(service.url),
  }
  await createTaxIdCheckActivities(deps).checkTaxIds()
}

/** As if the time until the next try had passed. */
async function letTimePass(): Promise<void> {
  await api.db.updateTable('tax_questions').set({ next_try_at: start }).execute()
}

async function taxes(): Promise<unknown[]> {
  const { body } = await api.get('/v1/invoices?customer=lyon')
  const ids = (body['data'] as Json[]).map(({ id }) => String(id)).toReversed()
  const invoices = await Promise.all(ids.map(async (id) => (await api.get(`/v1/invoices/${id}`)).body))
  return invoices.map((invoice) => [(invoice['total'] as Json)['amount_minor'], invoice['issued_on']])
}

async function openTasks(): Promise<unknown[]> {
  const { body } = await api.get('/v1/tasks?open=true')
  return (body['data'] as Json[]).map(({ kind }) => String(kind)).toSorted()
}

async function questions() {
  return await api.db.selectFrom('tax_questions').select(['on_date', 'attempts', 'last_error']).execute()
}

const preview = async () => api.get(`/v1/subscriptions/${subscription}/next-invoice`)

test('E-21 what the tax service has not answered is parked, and previews refuse: no rate is guessed', async () => {
  assert.deepEqual(await taxes(), [[1190, '2026-09-15']])
  const refused = await preview()
  assert.deepEqual([refused.status, refused.body['code']], [422, 'tax_answer_missing'])
  assert.deepEqual(await bill('2026-10-15T12:00:00Z'), { due: 1, parked: 1 })
  assert.equal((await taxes()).length, 1)
  const document = await api.db
    .selectFrom('subscription_documents')
    .select('parked_reason')
    .executeTakeFirstOrThrow()
  assert.match(String(document.parked_reason), /^tax_answer_missing: .* standard in FR on 2026-10-15\./)
  assert.deepEqual(await questions(), [{ on_date: '2026-10-15', attempts: 0, last_error: null }])
  assert.deepEqual(await openTasks(), ['document_parked'])
})

test('E-21 a service that is away is asked again, later each time, with one task however often', async () => {
  service.state.isAway = true
  await askService()
  await askService()
  assert.equal(service.asked.length, 1, 'not asked again at once')
  await letTimePass()
  await askService()
  assert.deepEqual(await questions(), [
    { on_date: '2026-10-15', attempts: 2, last_error: 'the tax service answered 503' },
  ])
  assert.deepEqual(await openTasks(), ['document_parked', 'tax_service_away'])
  assert.deepEqual(await bill('2026-10-15T13:00:00Z'), { due: 1, parked: 1 })
  assert.equal((await taxes()).length, 1)
})

test('an answer that cannot be is none: no rates where tax is charged, other days, what is no answer', async () => {
  service.state.isAway = false
  for (const said of [{}, { ...answer, rates: [] }, { ...answer, valid_from: '2026-10-16' }]) {
    service.state.answer = said
    await letTimePass()
    await askService()
  }
  const [question] = await questions()
  assert.match(String(question?.last_error), /answered for other days than 2026-10-15/)
  assert.equal(question?.attempts, 5)
})

test('E-21 once it has answered, the next run bills as the preview says, with who said so on the line', async () => {
  service.state.answer = answer
  await letTimePass()
  await askService()
  assert.deepEqual(service.asked.at(-1), {
    seller: { country: 'DE' },
    buyer: { country: 'FR', region: null, is_business: false, is_tax_id_verified: false },
    category: 'standard',
    on: '2026-10-15',
    is_electronic_service: true,
  })
  assert.deepEqual(await openTasks(), ['document_parked'])
  const { status, body } = await preview()
  assert.equal(status, 200, JSON.stringify(body))
  const [expected] = body['invoices'] as [Json]
  assert.equal((expected['total'] as Json)['amount_minor'], 1175)

  assert.deepEqual(await bill('2026-10-15T14:00:00Z'), { due: 1, parked: 0 })
  assert.deepEqual((await taxes()).at(-1), [1175, '2026-10-15'])
  assert.deepEqual(await openTasks(), [])
  const line = await api.db
    .selectFrom('invoice_lines')
    .select('explanation')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  assert.deepEqual(line.explanation.tax, {
    on: '2026-10-15',
    of: 'standard',
    rule: 'service',
    rates: [{ name: 'TVA', ratePercent: '17.5' }],
    source: 'Fake Tax, determination 7',
  })
})

test('an answer holds for its days alone: the service is asked anew for the first day after them', async () => {
  assert.deepEqual(await bill('2026-11-15T12:00:00Z'), { due: 1, parked: 0 })
  assert.deepEqual(await bill('2026-12-15T12:00:00Z'), { due: 1, parked: 1 })
  assert.deepEqual(
    (await questions()).map(({ on_date: on }) => on),
    ['2026-12-15'],
  )
})

test('what an activity is refused for is asked as well, once it is rolled back', async () => {
  await api.post('/v1/customers', { code: 'bern', name: 'Bern', country: 'CH', address: 'Gasse 1' })
  const before = await api.post('/v1/orders/preview', { customer: 'bern', lines: [{ product: 'support' }] })
  assert.equal(before.body['code'], 'tax_answer_missing')
  await api.db.deleteFrom('tax_questions').execute()
  const order = await api.post('/v1/orders', { customer: 'bern', lines: [{ product: 'support' }] })
  const [{ id } = { id: '' }] = order.body['subscriptions'] as { id: string }[]
  await activateSubscription(api.db, decodeId('subscription', id), start)
  const { db, temporal } = api
  const billing = createBillingActivities({ db, client: temporal.client, installationKey, consoleUrl: '' })
  const activities = refusing(billing, async (error) => noteTaxQuestion(db, error))
  await assert.rejects(
    activities.billOpening({ subscriptionId: id, nowMs: Date.parse(start), isAlone: true }),
    {
      type: 'tax_answer_missing',
    },
  )
  assert.deepEqual(
    (await questions()).map(({ on_date: on }) => on),
    ['2026-09-15'],
  )
})

test('who is exempt is not asked about', async () => {
  await api.patch('/v1/customers/bern', { tax_exemption: 'Embassy' })
  await api.db.deleteFrom('tax_questions').execute()
  const { status } = await api.post('/v1/orders/preview', {
    customer: 'bern',
    lines: [{ product: 'support' }],
  })
  assert.equal(status, 200)
  assert.deepEqual(await questions(), [])
})
