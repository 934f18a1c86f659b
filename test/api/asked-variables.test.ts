import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { countRows } from '#test/support/count-rows.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

const compose = `
services:
  web:
    image: web:1
    expose: ['80']
    entrypoint: [sh, -c, 'serve --name \${SITE_NAME}']
    environment: { MAIL: '\${SMTP_HOST}', MAIL_KEY: '\${SMTP_TOKEN:-}', ZONE: '\${TZ:-UTC}', URL: '\${SERVICE_URL_WEB}' }
x-clouder: { title: Web, public: { service: web, port: 80 }, ready: { path: / } }
`
const product = {
  name: 'Web',
  billing_type: 'flat',
  billing_timing: 'advance',
  recurrence: { count: 1, unit: 'month' },
  unit: 'month',
  base_price: '10.00',
  currency: 'USD',
  applications: ['web'],
}

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  const field = { code: 'name', title: 'Name', kind: 'text', variable: 'SITE_NAME' }
  const zones = { code: 'zone', title: 'Zone', kind: 'choice', choices: [{ code: 'utc', title: 'UTC', value: 'UTC' }] }
  const replies = [
    await api.post('/v1/applications', { code: 'web', compose }),
    await api.post('/v1/products', { ...product, code: 'web' }),
    await api.post('/v1/products', { ...product, code: 'named', order_fields: [field], options: [{ ...zones, variable: 'TZ' }] }),
  ]
  for (const reply of replies) assert.equal(reply.status, 201, JSON.stringify(reply.body))
}) // prettier-ignore
after(async () => api.close())

const both = ['/v1/orders/preview', '/v1/orders']
const known = { SITE_NAME: 'harbour', SMTP_HOST: 'mail.example' }

async function assertRefused(line: object, code: string, pointer: string): Promise<void> {
  const rows = await countRows(api.db)
  for (const path of both) {
    const { status, body } = await api.post(path, { customer: 'acme', lines: [line] })
    const errors = body['errors'] as { pointer: string; detail: string }[]
    assert.deepEqual([status, body['code'], errors[0]?.pointer], [422, code, pointer], JSON.stringify(body))
    assert.ok((errors[0]?.detail ?? '').includes(pointer.split('/').at(-1) ?? '-'), JSON.stringify(body))
  }
  assert.deepEqual(await countRows(api.db), rows)
}

test('a variable that nothing gives is named before anything is paid, in the preview too', async () => {
  await assertRefused({ product: 'web' }, 'variable_missing', '/lines/0/fields/SMTP_HOST')
  const one = { SITE_NAME: 'harbour' }
  await assertRefused({ product: 'web', fields: one }, 'variable_missing', '/lines/0/fields/SMTP_HOST')
  await assertRefused(
    { product: 'web', fields: { ...known, SITE_NAME: '' } },
    'variable_missing',
    '/lines/0/fields/SITE_NAME',
  )
})

test('an order gives values by name: text is in the preview, what a name says is secret is kept sealed', async () => {
  const fields = { ...known, SMTP_TOKEN: 'correct-horse' }
  const lines = [{ product: 'web', quantity: 1, fields }]
  const { body } = await api.post('/v1/orders/preview', { customer: 'acme', lines })
  const [previewed] = body['subscriptions'] as { variables: unknown }[]
  assert.deepEqual(previewed?.variables, { ...known, SMTP_TOKEN: null })
  const ordered = await api.post('/v1/orders', { customer: 'acme', lines })
  assert.equal(ordered.status, 201, JSON.stringify(ordered.body))
  const kept = await api.db.selectFrom('order_lines').select('answers').execute()
  assert.deepEqual(kept[0]?.answers.fields, known)
  const instances = await api.db.selectFrom('instances').select('variables').execute()
  assert.deepEqual(instances[0]?.variables, { ...known, SMTP_TOKEN: null })
})

test('what an order field or an option of the product sets is not given by name, nor what is no variable, nor an address', async () => {
  for (const [fields, name] of [
    [{ SMTP_HOST: 'mail', SITE_NAME: 'x' }, 'SITE_NAME'],
    [{ SMTP_HOST: 'mail', name: 'x', TZ: 'UTC' }, 'TZ'],
    [{ SMTP_HOST: 'mail', name: 'x', NO_SUCH: '1' }, 'NO_SUCH'],
    [{ SMTP_HOST: 'mail', name: 'x', SERVICE_URL_WEB: '1' }, 'SERVICE_URL_WEB'],
  ] as const)
    await assertRefused({ product: 'named', fields }, 'field_invalid', `/lines/0/fields/${name}`)
  const named = { product: 'named', fields: { SMTP_HOST: 'mail', name: 'x' } }
  assert.equal((await api.post('/v1/orders/preview', { customer: 'acme', lines: [named] })).status, 200)
})

test('what a shell of the application reads has letters, digits and . _ : / @ + - only, given by name or in a field', async () => {
  for (const value of ['a b', 'a;b', '$(id)', "a'b", 'a|b', 'ü']) {
    for (const path of both) {
      const lines = [{ product: 'web', fields: { ...known, SITE_NAME: value } }]
      const { status, body } = await api.post(path, { customer: 'acme', lines })
      assert.deepEqual([status, body['code']], [422, 'field_invalid'], value)
      assert.equal((body['errors'] as { pointer: string }[])[0]?.pointer, '/lines/0/fields/SITE_NAME')
    }
    const named = [{ product: 'named', fields: { SMTP_HOST: value.replace('ü', 'u'), name: value } }]
    const { body } = await api.post('/v1/orders/preview', { customer: 'acme', lines: named })
    assert.equal((body['errors'] as { pointer: string }[])[0]?.pointer, '/lines/0/fields/name')
  }
  const lines = [{ product: 'web', fields: { ...known, SITE_NAME: 'aZ0._:/@+-', SMTP_HOST: 'a b' } }]
  assert.equal((await api.post('/v1/orders/preview', { customer: 'acme', lines })).status, 200)
})
