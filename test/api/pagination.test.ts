import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  for (let number = 1; number <= 7; number += 1) await createCustomer(`c${number}`)
})
after(async () => api.close())

async function createCustomer(code: string): Promise<void> {
  assert.equal((await api.post('/v1/customers', { code, name: code })).status, 201)
}

async function read(query: string) {
  const { body } = await api.get(`/v1/customers?${query}`)
  const data = body['data'] as { code: string }[]
  return {
    codes: data.map((row) => row.code),
    hasMore: body['has_more'],
    next: body['next_cursor'] as string | null,
  }
}

test('a list is newest first, in pages that join without hole or overlap while rows are added', async () => {
  const seen: string[] = []
  let next: string | null = ''
  for (let page = 0; next !== null; page += 1) {
    const answer = await read(`limit=3${next === '' ? '' : `&after=${next}`}`)
    seen.push(...answer.codes)
    assert.equal(answer.hasMore, answer.next !== null)
    next = answer.next
    if (page === 0) await createCustomer('c8')
  }
  assert.deepEqual(seen, ['c7', 'c6', 'c5', 'c4', 'c3', 'c2', 'c1'])
})

test('before goes back to what is newer, in the same order', async () => {
  const first = await read('limit=5')
  const older = await read(`limit=2&after=${first.next}`)
  assert.deepEqual(older.codes, ['c3', 'c2'])
  const back = await read(`limit=2&before=${first.next}`)
  assert.deepEqual(back.codes, ['c6', 'c5'])
  assert.equal(back.hasMore, true)
  assert.deepEqual((await read(`limit=2&before=${back.next}`)).codes, ['c8', 'c7'])
})

test('a limit outside 1 to 100, a foreign cursor and both cursors are refused with their place', async () => {
  const refusals = {
    'limit=0': '?limit',
    'limit=101': '?limit',
    'limit=x': '?limit',
    'after=x': '?after',
    'colour=1': '?colour',
  }
  for (const [query, pointer] of Object.entries(refusals)) {
    const { status, body } = await api.get(`/v1/customers?${query}`)
    assert.deepEqual([status, body['code']], [422, 'field_invalid'], query)
    assert.equal((body['errors'] as { pointer: string }[])[0]?.pointer, pointer)
  }
  const { next } = await read('limit=1')
  assert.equal((await api.get(`/v1/customers?after=${next}&before=${next}`)).status, 422)
})
