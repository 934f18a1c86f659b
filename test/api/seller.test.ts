import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

suite('the seller', () => {
  test('what is left out of a change stays, and null removes', async () => {
    const before = (await api.get('/v1/seller')).body
    const first = await api.patch('/v1/seller', { country: 'DE', tax_id: 'DE123', draft_days: 2 })
    assert.equal(first.status, 200, JSON.stringify(first.body))
    const { body } = await api.patch('/v1/seller', { tax_id: null, tax_rounding: 'line' })
    assert.deepEqual(body, { ...before, country: 'DE', draft_days: 2, tax_rounding: 'line' })
    assert.deepEqual((await api.get('/v1/seller')).body, body)
  })

  test('two changes at once both hold', async () => {
    await Promise.all([
      api.patch('/v1/seller', { registration: 'HRB 1' }),
      api.patch('/v1/seller', { email: 'billing@seller.example' }),
    ])
    const { body } = await api.get('/v1/seller')
    assert.deepEqual([body['registration'], body['email']], ['HRB 1', 'billing@seller.example'])
  })

  test('how long readings are kept is set within bounds, by its field', async () => {
    const { body: before } = await api.get('/v1/seller')
    assert.deepEqual([before['readings_raw_days'], before['readings_hourly_months']], [40, 13])
    const change = { readings_raw_days: 7, readings_hourly_months: 120 }
    assert.deepEqual((await api.patch('/v1/seller', change)).body, { ...before, ...change })
    const refused = await api.patch('/v1/seller', { readings_raw_days: 6, readings_hourly_months: 121 })
    assert.equal(refused.status, 422)
    const pointers = (refused.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)
    assert.deepEqual(pointers, ['/readings_raw_days', '/readings_hourly_months'])
    assert.deepEqual((await api.get('/v1/seller')).body, { ...before, ...change })
  })

  test('D-21 how late and how early usage events are taken is set within bounds, by its field', async () => {
    const { body: before } = await api.get('/v1/seller')
    assert.deepEqual([before['usage_late_days'], before['usage_early_seconds']], [100, 300])
    const refused = await api.patch('/v1/seller', { usage_late_days: 101, usage_early_seconds: 3_601 })
    const pointers = (refused.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)
    assert.deepEqual([refused.status, pointers], [422, ['/usage_late_days', '/usage_early_seconds']])
    const change = { usage_late_days: 7, usage_early_seconds: 0 }
    assert.deepEqual((await api.patch('/v1/seller', change)).body, { ...before, ...change })
    await api.patch('/v1/seller', { usage_late_days: 100, usage_early_seconds: 300 })
  })

  test('a pattern that could give one number twice is refused, and so is one series for two kinds', async () => {
    const patterns = (invoice: object, creditNote: object) => ({
      number_patterns: {
        invoice: { series: 'INV', pattern: '{series}-{year}-{number:5}', ...invoice },
        credit_note: { series: 'CN', pattern: '{series}-{number:5}', ...creditNote },
      },
    })
    assert.equal((await api.patch('/v1/seller', patterns({}, {}))).status, 200)
    const twice = await api.patch('/v1/seller', patterns({ pattern: '{series}{number}' }, {}))
    assert.deepEqual([twice.status, twice.body['code']], [422, 'number_pattern_ambiguous'])
    const [field] = twice.body['errors'] as { pointer: string }[]
    assert.equal(field?.pointer, '/number_patterns/invoice/pattern')
    const shared = await api.patch('/v1/seller', patterns({}, { series: 'INV' }))
    assert.deepEqual([shared.status, shared.body['code']], [422, 'number_pattern_ambiguous'])
  })
})

suite('exchange rates', () => {
  test('a rate is recorded once and for all, and found by its id', async () => {
    const rate = { base: 'EUR', quote: 'USD', rate: '1.0842', source: 'ECB', valid_on: '2026-02-27' }
    const made = await api.post('/v1/exchange-rates', rate)
    assert.equal(made.status, 201)
    assert.deepEqual(made.body, { ...rate, id: made.body['id'], created_at: made.body['created_at'] })
    const { body } = await api.get(`/v1/exchange-rates/${String(made.body['id'])}`)
    assert.deepEqual(body, made.body)
    const [newest] = (await api.get('/v1/exchange-rates')).body['data'] as object[]
    assert.deepEqual(newest, made.body)
  })
})

suite('tax rates', () => {
  test('a rate ends when another one follows, and the two never overlap', async () => {
    const rate = { country: 'FR', name: 'VAT', rate_percent: '19' }
    const old = await api.post('/v1/tax-rates', rate)
    assert.equal(old.status, 201)
    const next = { ...rate, rate_percent: '20', starts_on: '2026-07-01' }
    const refused = await api.post('/v1/tax-rates', next)
    assert.deepEqual([refused.status, refused.body['code']], [409, 'tax_rate_overlaps'])
    const ended = await api.patch(`/v1/tax-rates/${String(old.body['id'])}`, { ends_on: '2026-07-01' })
    assert.equal(ended.body['ends_on'], '2026-07-01')
    assert.equal((await api.post('/v1/tax-rates', next)).status, 201)
  })
})

suite('customers', () => {
  test('another tax id is not verified, whatever was known of the one before', async () => {
    const made = await api.post('/v1/customers', {
      code: 'oslo',
      name: 'Oslo',
      country: 'NO',
      is_business: true,
      tax_id: 'NO1',
      is_tax_id_verified: true,
    })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    assert.notEqual(made.body['tax_id_verified_at'], null)
    const renamed = await api.patch('/v1/customers/oslo', { name: 'Oslo AS', tax_id: 'NO1' })
    assert.deepEqual(renamed.body, { ...made.body, name: 'Oslo AS' })
    const other = await api.patch('/v1/customers/oslo', { tax_id: 'NO2' })
    assert.equal(other.body['tax_id_verified_at'], null)
  })

  test('a change that says nothing changes nothing', async () => {
    const { body } = await api.get('/v1/customers/acme')
    assert.deepEqual((await api.patch('/v1/customers/acme', {})).body, body)
  })
})

suite('discounts', () => {
  const discount = { name: 'Spring', percent: '10', scope: 'document' }
  const order = (discountCode: string) => ({
    customer: 'acme',
    lines: [{ product: 'support', quantity: 1 }],
    discount_code: discountCode,
  })

  test('of fifty orders at once exactly as many get a code as may use it', async () => {
    const { body } = await api.post('/v1/discounts', { ...discount, code: 'SEVEN', maximum_uses: 7 })
    const replies = await Promise.all(
      Array.from({ length: 50 }, async () => await api.post('/v1/orders', order('SEVEN'))),
    )
    const refused = replies.filter(({ status }) => status !== 201)
    assert.equal(refused.length, 43)
    assert.deepEqual(new Set(refused.map((reply) => reply.body['code'])), new Set(['discount_code_used_up']))
    assert.equal((await api.get(`/v1/discounts/${String(body['id'])}`)).body['use_count'], 7)
  })

  test('what is once per customer is refused the second time', async () => {
    await api.post('/v1/discounts', { ...discount, code: 'WELCOME', is_once_per_customer: true })
    assert.equal((await api.post('/v1/orders', order('WELCOME'))).status, 201)
    const again = await api.post('/v1/orders', order('WELCOME'))
    assert.deepEqual([again.status, again.body['code']], [422, 'discount_code_used_up'])
  })

  test('an archived code, one for another product, and one outside its dates are unknown', async () => {
    const archived = await api.post('/v1/discounts', { ...discount, code: 'GONE' })
    await api.post(`/v1/discounts/${String(archived.body['id'])}/archive`, {})
    await api.post('/v1/discounts', { ...discount, code: 'SEATS', product: 'seat' })
    await api.post('/v1/discounts', { ...discount, code: 'OVER', ends_on: '2020-01-01' })
    for (const code of ['GONE', 'SEATS', 'OVER']) {
      const { body } = await api.post('/v1/orders/preview', order(code))
      assert.equal(body['code'], 'discount_code_unknown', code)
    }
  })

  test('the preview of an order says what it comes to after the discount', async () => {
    await api.patch('/v1/seller', { country: null })
    await api.post('/v1/discounts', { ...discount, code: 'TENTH' })
    const { body } = await api.post('/v1/orders/preview', order('TENTH'))
    assert.deepEqual(body['discount'], { code: 'TENTH', name: 'Spring' })
    assert.deepEqual(body['total_now'], { amount_minor: 900, currency: 'USD' })
  })

  test('a discount is given to a customer, but not in another currency', async () => {
    const amount = { amount_minor: 500, currency: 'USD' }
    const { body } = await api.post('/v1/discounts', { name: 'Sorry', amount, scope: 'document' })
    await api.post('/v1/customers', { code: 'paris', name: 'Paris', currency: 'EUR' })
    const give = async (customer: string) =>
      await api.post(`/v1/customers/${customer}/discounts`, { discount: body['id'] })
    assert.deepEqual([(await give('acme')).status, (await give('acme')).body['use_count']], [200, 2])
    assert.equal((await give('paris')).body['code'], 'currency_mismatch')
  })
})
