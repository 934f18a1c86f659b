import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { liveOneLife } from '#test/support/life.ts'

let api: TestApi
let ofInstance = ''
let ofApplication = ''
before(async () => {
  api = await createTestApi()
  const { instanceId } = await liveOneLife(api)
  const instance = await api.get(`/v1/instances/${encodeId('instance', instanceId)}`)
  ofInstance = `/v1/instances/${String(instance.body['id'])}/price-grids`
  ofApplication = `/v1/applications/${String(instance.body['application'])}/price-grids`
})
after(async () => api.close())

const rows = [
  { bound: '10', amount: '10' },
  { bound: '50', amount: '30' },
  { bound: '0', amount: '100' },
]
const grid = { bounds: 'upper', rows, fixed_amount: '50', starts_on: '2026-05-01' }

test('a grid of upper bounds is kept by lower ones, which are answered', async () => {
  const { status, body } = await api.post(ofApplication, { ...grid, currency: 'USD' })
  assert.equal(status, 200)
  const steps = [
    { from: '0', amount: '10', kind: 'fixed' },
    { from: '10', is_from_excluded: true, amount: '30', kind: 'fixed' },
    { from: '50', is_from_excluded: true, amount: '100', kind: 'fixed' },
  ]
  assert.partialDeepStrictEqual(body, {
    grids: [
      { starts_on: '2026-05-01', currency: 'USD', price: { model: 'grid', steps, fixed_amount: '50' } },
    ],
  })
  assert.deepEqual((await api.get(ofApplication)).body, body)
  assert.deepEqual((await api.get(ofInstance)).body, { grids: [] })
})

test('a grid of an instance is in its subscription’s currency, and another of the same day takes its place', async () => {
  const lower = { bounds: 'lower', rows: [{ bound: '0', amount: '1', kind: 'times_value' }] }
  await api.post(ofInstance, { ...lower, starts_on: '2026-05-01' })
  const again = { ...lower, rows: [{ bound: '0', amount: '2' }], starts_on: '2026-05-01' }
  const { body } = await api.post(ofInstance, again)
  assert.partialDeepStrictEqual(body, {
    grids: [{ currency: 'USD', price: { steps: [{ from: '0', amount: '2', kind: 'fixed' }] } }],
  })
  assert.equal((body['grids'] as unknown[]).length, 1)
})

test('what is asked wrongly is refused with its field', async () => {
  const refusalOf = async (body: object) => {
    const reply = await api.post(ofApplication, { currency: 'USD', ...body })
    const [first] = reply.body['errors'] as { pointer: string; code: string }[]
    return [reply.status, first?.pointer, first?.code]
  }
  assert.deepEqual(await refusalOf({ rows }), [422, '/bounds', 'grid_bounds_unstated'])
  assert.deepEqual(await refusalOf({ ...grid, rows: [{ bound: '0', amount: '-1' }] }), [
    422,
    '/rows/0/amount',
    'price_negative',
  ])
  assert.deepEqual(await refusalOf({ ...grid, bounds: 'lower', rows: [...rows, ...rows] }), [
    422,
    '/rows',
    'tiers_invalid',
  ])
  assert.deepEqual(await refusalOf({ ...grid, currency: 'XXX' }), [422, '/currency', 'currency_unknown'])
})

test('values of an instance are recorded with their history, and read by its grid', async () => {
  const values = ofInstance.replace('price-grids', 'values')
  await api.put(`${values}/users`, { value: '12', starts_on: '2026-05-01' })
  const { status, body } = await api.put(`${values}/users`, { value: '60', starts_on: '2026-06-01' })
  assert.equal(status, 200)
  assert.partialDeepStrictEqual(body, {
    values: [
      { code: 'users', value: '12', starts_on: '2026-05-01' },
      { code: 'users', value: '60', starts_on: '2026-06-01' },
    ],
  })
  assert.deepEqual((await api.get(values)).body, body)
  const byUsers = { bounds: 'lower', rows: [{ bound: '11', amount: '30', value: 'users' }] }
  const { body: grids } = await api.post(ofInstance, { ...byUsers, starts_on: '2026-07-01' })
  const steps = [{ from: '11', amount: '30', kind: 'fixed', value: 'users' }]
  assert.partialDeepStrictEqual((grids['grids'] as object[]).at(-1), { price: { steps } })
})

test('a value that is no amount of something, or that no grid could name, is refused with its field', async () => {
  const values = ofInstance.replace('price-grids', 'values')
  const pointerOf = async (code: string, body: object) => {
    const reply = await api.put(`${values}/${code}`, body)
    return [reply.status, (reply.body['errors'] as { pointer: string }[])[0]?.pointer]
  }
  assert.deepEqual(await pointerOf('users', { value: '-1' }), [422, '/value'])
  assert.deepEqual(await pointerOf('users', { value: '1', starts_on: '2026-02-30' }), [422, '/starts_on'])
  assert.equal((await api.put(`${values}/Users`, { value: '1' })).status, 404)
})
