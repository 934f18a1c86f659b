import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { beginSubscription } from '#db/trial.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await api.post('/v1/products', product('tried', { trial_days: 15 }))
  await api.post('/v1/products', { ...product('tried-yearly', {}), variant_of: 'tried', recurrence: year })
})
after(async () => api.close())

const year = { count: 1, unit: 'year' }
const product = (code: string, terms: object) => ({
  code,
  name: code,
  billing_type: 'flat',
  billing_timing: 'advance',
  recurrence: { count: 1, unit: 'month' },
  unit: 'month',
  base_price: '31.00',
  currency: 'USD',
  terms,
})

const partner = {
  code: 'partner',
  name: 'Partners',
  terms: { trial_days: 30, downgrade: 'not_allowed' },
  term: { length: year, renewal: 'end' },
  tags: ['partner'],
  notes: 'Asked by phone',
}

async function order(line: object) {
  const made = await api.post('/v1/orders', { customer: 'acme', lines: [line] })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const [{ id } = { id: '' }] = made.body['subscriptions'] as { id: string }[]
  return { id, detail: async () => (await api.get(`/v1/subscriptions/${id}`)).body }
}

async function activate(id: string): Promise<void> {
  const uuid = decodeId('subscription', id)
  const set = (change: object) =>
    api.db.updateTable('subscriptions').set(change).where('id', '=', uuid).execute()
  await set({ phase: 'building' })
  await beginSubscription(api.db, uuid, '2027-03-01T09:00:00Z')
}

test('a template is named once, read, and changed for orders from then on', async () => {
  assert.equal((await api.post('/v1/subscription-templates', partner)).status, 201)
  const again = await api.post('/v1/subscription-templates', partner)
  assert.deepEqual([again.status, again.body['code']], [409, 'code_taken'])
  const { body } = await api.get('/v1/subscription-templates/partner')
  assert.partialDeepStrictEqual(body, {
    ...partner,
    term: { length: year, notice: { count: 1, unit: 'day' }, renewal: 'end' },
  })
  await api.patch('/v1/subscription-templates/partner', { notes: 'Asked by mail' })
  const { body: list } = await api.get('/v1/subscription-templates')
  assert.partialDeepStrictEqual(list, {
    data: [{ code: 'partner', notes: 'Asked by mail', tags: ['partner'] }],
  })
})

test('what is ordered by a template has its tags, notes, terms and term', async () => {
  const { id, detail } = await order({ product: 'tried', template: 'partner' })
  assert.partialDeepStrictEqual(await detail(), {
    tags: ['partner'],
    notes: 'Asked by mail',
    lines: [{ terms: { trial_days: 30, downgrade: 'not_allowed' } }],
  })
  await activate(id)
  assert.partialDeepStrictEqual(await detail(), {
    trial_ends_on: '2027-03-31',
    term_ends_on: '2028-03-01',
    ends_on: '2028-03-01',
    term: { length: year, renewal: 'end' },
  })
})

test('the order’s own words win over the template’s', async () => {
  const own = { terms: { trial_days: 7 }, tags: ['own'], term: { length: year, renewal: 'renew' } }
  const { id, detail } = await order({ product: 'tried', template: 'partner', ...own })
  assert.partialDeepStrictEqual(await detail(), {
    tags: ['own'],
    notes: 'Asked by mail',
    lines: [{ terms: { trial_days: 7, downgrade: 'not_allowed' } }],
  })
  await activate(id)
  assert.partialDeepStrictEqual(await detail(), { trial_ends_on: '2027-03-08', ends_on: null })
})

test('a recurrence sells the product of the family that has it', async () => {
  const { detail } = await order({ product: 'tried', recurrence: year })
  assert.partialDeepStrictEqual(await detail(), {
    product: 'tried-yearly',
    lines: [{ product: 'tried-yearly' }],
  })
  const week = { count: 1, unit: 'week' }
  const refused = await api.post('/v1/orders', {
    customer: 'acme',
    lines: [{ product: 'tried', recurrence: week }],
  })
  assert.deepEqual([refused.status, refused.body['code']], [422, 'product_unknown'])
})

test('a template that is not there is refused by the pointer of its line', async () => {
  const lines = [{ product: 'tried', template: 'nobody' }]
  const { status, body } = await api.post('/v1/orders', { customer: 'acme', lines })
  assert.deepEqual([status, body['code']], [422, 'template_unknown'])
  assert.partialDeepStrictEqual(body, { errors: [{ pointer: '/lines/0/template' }] })
})

test('a draft keeps what was agreed when it was drafted', async () => {
  const draft = await api.post('/v1/orders/drafts', {
    customer: 'acme',
    lines: [{ product: 'tried', template: 'partner', without_trial: true }],
    expires_on: '2199-01-01',
  })
  await api.patch('/v1/subscription-templates/partner', { tags: ['changed'] })
  const { body } = await api.post(`/v1/orders/${String(draft.body['id'])}/confirm`, {})
  const [{ id } = { id: '' }] = body['subscriptions'] as { id: string }[]
  const { body: sold } = await api.get(`/v1/subscriptions/${id}`)
  assert.partialDeepStrictEqual(sold, { tags: ['partner'], lines: [{ terms: { trial_days: 0 } }] })
})
