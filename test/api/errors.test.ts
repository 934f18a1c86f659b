import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test, { after, before } from 'node:test'
import { problemKinds, toProblem } from '#api/errors.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
})
after(async () => api.close())

test('every code has a status and a page that says what to do', async () => {
  const codes = [...readFileSync('domain/errors.ts', 'utf8').matchAll(/^ {2}\| '([a-z_]+)'$/gm)].map(
    (match) => match[1],
  )
  assert.deepEqual(new Set<string | undefined>(Object.keys(problemKinds)), new Set(codes))
  for (const [code, kind] of Object.entries(problemKinds)) {
    const page = await api.request(`/docs/errors/${code}`)
    const text = await page.text()
    assert.equal(page.status, 200)
    assert.ok(text.includes(code) && text.includes(`status ${kind.status}`), code)
  }
})

test('a problem has all that RFC 9457 and our readers need', async () => {
  const { status, headers, body } = await api.get('/v1/products/none')
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.deepEqual(body, {
    type: '/docs/errors/not_found',
    title: 'Not found',
    status,
    detail: 'There is no product none.',
    instance: '/v1/products/none',
    code: 'not_found',
    request_id: headers.get('request-id'),
    errors: [],
    next_actions: [{ title: 'Read the API documentation', href: '/docs' }],
  })
})

test('an unexpected error tells the world nothing but a request id', () => {
  const error = new Error('password=hunter2')
  const problem = toProblem(error, { path: '/v1/orders', requestId: 'req_1' })
  assert.equal(problem.status, 500)
  assert.doesNotMatch(JSON.stringify(problem), /hunter2|Error:/)
})

test('a database that is gone is an outage, not a fault', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  assert.equal(toProblem(error, { path: '/', requestId: 'req_1' }).status, 503)
})

test('a browser gets a page, everything below /v1 gets JSON', async () => {
  const headers = { accept: 'text/html' }
  const page = await api.request('/nothing', { headers })
  assert.deepEqual([page.status, page.headers.get('content-type')], [404, 'text/html; charset=UTF-8'])
  const json = await api.request('/v1/nothing', { headers })
  assert.deepEqual([json.status, json.headers.get('content-type')], [404, 'application/problem+json'])
})
