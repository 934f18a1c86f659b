import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test, { after, before, suite } from 'node:test'
import { hashSecret, readApiKeyId } from '#api/api-key.ts'
import { createGuardedFrame } from '#api/app.ts'
import { newId } from '#db/identifier.ts'
import { insertLoginLink } from '#db/session.ts'
import { createKey, createTestApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
})
after(async () => api.close())

const ownPage = { 'sec-fetch-site': 'same-origin' }

async function createLoginLink(expiresAt = '2999-01-01T00:00:00Z'): Promise<string> {
  const operatorId = newId()
  await api.db
    .insertInto('operators')
    .values({ id: operatorId, name: `operator ${operatorId}` })
    .execute()
  const token = randomBytes(32).toString('base64url')
  await insertLoginLink(api.db, { tokenSha256: hashSecret(token), operatorId, expiresAt })
  return `/login/${token}`
}

/** Signs in and gives what the browser then sends. */
async function signIn(): Promise<{ cookie: string; formToken: string }> {
  const response = await api.request(await createLoginLink(), { method: 'POST', headers: ownPage })
  const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { form_token: formToken } = await api.db
    .selectFrom('sessions')
    .select('form_token')
    .orderBy('created_at', 'desc')
    .executeTakeFirstOrThrow()
  return { cookie, formToken }
}

const customer = () => JSON.stringify({ code: `c${newId().slice(-12)}`, name: 'Customer' })

suite('keys', () => {
  test('a request without a key is told to sign in', async () => {
    const response = await api.request('/v1/products')
    assert.equal(response.status, 401)
    assert.equal(response.headers.get('www-authenticate'), 'Bearer')
    assert.match(await response.text(), /"code":"login_required"/)
  })

  test('a key with one wrong character is recognised without a query', () => {
    assert.notEqual(readApiKeyId(api.key), undefined)
    const wrong = `${api.key.slice(0, -1)}${api.key.endsWith('a') ? 'b' : 'a'}`
    assert.equal(readApiKeyId(wrong), undefined)
  })

  test('an unknown, an expired and a revoked key are refused alike', async () => {
    const expired = await createKey(api.db, ['*'], '2020-01-01T00:00:00Z')
    const revoked = await createKey(api.db, ['*'])
    await api.db
      .updateTable('api_keys')
      .set({ revoked_at: new Date().toISOString() })
      .where('id', '=', readApiKeyId(revoked) ?? '')
      .execute()
    const details = new Set<unknown>()
    for (const key of [expired, revoked, 'ck_test_nonsense']) {
      const { status, body } = await api.get('/v1/me', { authorization: `Bearer ${key}` })
      assert.deepEqual([status, body['code']], [401, 'key_invalid'])
      details.add(body['detail'])
    }
    assert.equal(details.size, 1)
  })

  test('a key without the scope is told which one it lacks', async () => {
    const key = await createKey(api.db, ['products:read'])
    const headers = { authorization: `Bearer ${key}` }
    assert.equal((await api.get('/v1/products', headers)).status, 200)
    const { status, body } = await api.get('/v1/orders', headers)
    assert.deepEqual([status, body['code']], [403, 'scope_missing'])
    assert.match(String(body['detail']), /orders:read/)
  })

  test('its last use is on record', async () => {
    await api.get('/v1/me')
    const row = await api.db
      .selectFrom('api_keys')
      .select('last_used_at')
      .where('id', '=', readApiKeyId(api.key) ?? '')
      .executeTakeFirstOrThrow()
    assert.notEqual(row.last_used_at, null)
  })

  test('neither the key nor its secret is kept', async () => {
    const rows = await api.db.selectFrom('api_keys').selectAll().execute()
    assert.doesNotMatch(JSON.stringify(rows), new RegExp(api.key.slice(-54, -6)))
  })
})

suite('login links', () => {
  test('opening a link uses nothing up', async () => {
    const link = await createLoginLink()
    for (let look = 0; look < 3; look += 1) {
      const response = await api.request(link)
      assert.equal(response.status, 200)
      assert.match(await response.text(), /<form method="post"/)
    }
  })

  test('a link signs in once, even when sent twice at once', async () => {
    const link = await createLoginLink()
    const tries = await Promise.all(
      [1, 2, 3].map(async () => api.request(link, { method: 'POST', headers: ownPage })),
    )
    assert.deepEqual(
      tries.map((response) => response.status).toSorted((a, b) => a - b),
      [303, 410, 410],
    )
  })

  test('a link past its time is expired', async () => {
    const link = await createLoginLink('2020-01-01T00:00:00Z')
    const response = await api.request(link)
    assert.equal(response.status, 410)
    assert.match(await response.text(), /"code":"link_expired"/)
  })

  test('another site cannot use a link up', async () => {
    const link = await createLoginLink()
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
      const response = await api.request(link, { method: 'POST', headers })
      assert.equal(response.status, 403)
    }
    assert.equal((await api.request(link)).status, 200)
  })

  test('the cookie cannot be read by scripts nor sent by other sites', async () => {
    const response = await api.request(await createLoginLink(), { method: 'POST', headers: ownPage })
    assert.match(response.headers.get('set-cookie') ?? '', /^clouder_4400=.*HttpOnly; SameSite=Lax$/)
  })
})

suite('behind HTTPS', () => {
  test('the cookie is bound to this host and the browser is told to stay with HTTPS', async () => {
    const { app } = createGuardedFrame({ ...api.frame.deps, publicUrl: 'https://clouder.example' })
    const link = await createLoginLink()
    const response = await app.request(link, { method: 'POST', headers: ownPage })
    assert.match(response.headers.get('set-cookie') ?? '', /^__Host-clouder=.*Path=\/.*Secure/)
    assert.match(response.headers.get('strict-transport-security') ?? '', /max-age=31536000/)
  })
})

suite('sessions', () => {
  test('an operator may do everything', async () => {
    const { cookie } = await signIn()
    const response = await api.request('/v1/me', { headers: { cookie } })
    assert.match(await response.text(), /"scopes":\["\*"\]/)
  })

  test('a write needs our own page and the form token of the session', async () => {
    const { cookie, formToken } = await signIn()
    const send = async (headers: Record<string, string>) => {
      const response = await api.request('/v1/customers', {
        method: 'POST',
        body: customer(),
        headers: { cookie, 'content-type': 'application/json', 'idempotency-key': newId(), ...headers },
      })
      return response.status
    }
    assert.equal(await send({ ...ownPage, 'x-form-token': formToken }), 201)
    assert.equal(await send({ origin: 'http://localhost:4400', 'x-form-token': formToken }), 201)
    assert.equal(await send(ownPage), 403)
    assert.equal(await send({ ...ownPage, 'x-form-token': 'another' }), 403)
    assert.equal(await send({ 'x-form-token': formToken }), 403)
    assert.equal(await send({ origin: 'https://evil.example', 'x-form-token': formToken }), 403)
    assert.equal(await send({ 'sec-fetch-site': 'same-site', 'x-form-token': formToken }), 403)
  })

  test('a request with a cookie and a key is refused', async () => {
    const { cookie } = await signIn()
    const { status, body } = await api.get('/v1/me', { cookie })
    assert.deepEqual([status, body['code']], [400, 'credentials_ambiguous'])
  })

  test('a session ends by signing out, by idling half an hour, and after twelve hours', async () => {
    const isSignedIn = async (cookie: string) =>
      (await api.request('/v1/me', { headers: { cookie } })).status === 200
    const { cookie, formToken } = await signIn()
    await api.request('/logout', {
      method: 'POST',
      headers: { cookie, ...ownPage, 'x-form-token': formToken },
    })
    assert.equal(await isSignedIn(cookie), false)
    for (const change of [
      { last_used_at: new Date(Date.now() - 31 * 60_000).toISOString() },
      { expires_at: new Date(Date.now() - 1).toISOString() },
    ]) {
      const session = await signIn()
      assert.equal(await isSignedIn(session.cookie), true)
      await api.db.updateTable('sessions').set(change).where('form_token', '=', session.formToken).execute()
      assert.equal(await isSignedIn(session.cookie), false)
    }
  })
})
