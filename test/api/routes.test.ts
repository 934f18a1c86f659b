import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createGuardedFrame } from '#api/app.ts'
import { assertEveryRouteIsGuarded } from '#api/frame.ts'
import { scopes } from '#api/permission.ts'
import { createKey, createTestApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
})
after(async () => api.close())

/** Everything that can be asked without a page, and what it asks for. A change here is a change of somebody's rights. */
const rights = `
GET /assets/rapidoc.js public
GET /docs public
GET /docs/errors public
GET /docs/errors/:code public
GET /livez public
GET /portal portal
GET /portal/invoices portal
GET /portal/invoices/:id/pdf portal
GET /portal/invoices/:id/ubl portal
GET /portal/login/:token public
GET /portal/subscriptions/:id portal
GET /portal/subscriptions/:id/readings.csv portal
GET /portal/subscriptions/:id/usage.csv portal
POST /portal/login/:token public
POST /portal/logout portal
POST /portal/subscriptions/:id/spend-cap portal
GET /login/:token public
GET /open/:token public
POST /open/:token public
GET /openapi.json public
GET /readyz public
DELETE /v1/applications/:id applications:write
DELETE /v1/data-sources/:id data_sources:write
DELETE /v1/deployers/:id deployers:write
DELETE /v1/deployers/:id/products/:product deployers:write
DELETE /v1/discounts/:id discounts:write
DELETE /v1/kits/:id kits:write
DELETE /v1/metrics/:id metrics:write
DELETE /v1/price-lists/:id price_lists:write
DELETE /v1/portal-sessions/:id customers:portal
DELETE /v1/products/:id products:write
DELETE /v1/price-lists/:id/items/:item price_lists:write
DELETE /v1/refused-usage-events/:id usage:write
DELETE /v1/registries/:id registries:write
DELETE /v1/servers/:id servers:write
DELETE /v1/subscriptions/:id/spend-caps/customer spend_caps:write
DELETE /v1/subscriptions/:id/spend-caps/operator subscriptions:write
GET /v1/announcements subscriptions:read
GET /v1/applications applications:read
GET /v1/applications/:id applications:read
GET /v1/applications/:id/placement servers:read
GET /v1/applications/:id/export applications:read
GET /v1/applications/:id/price-grids applications:read
GET /v1/backups instances:read
GET /v1/backups/:id instances:read
GET /v1/backups/:id/volumes/:volume instances:take_data
GET /v1/billing-runs billing_runs:read
GET /v1/billing-runs/:id billing_runs:read
GET /v1/builds builds:read
GET /v1/builds/:id builds:read
GET /v1/catalog catalog:read
GET /v1/change-requests change_requests:read
GET /v1/change-requests/:id change_requests:read
GET /v1/customers customers:read
GET /v1/customers/:id customers:read
GET /v1/customers/:id/balances invoices:read
GET /v1/customers/:id/portal-sessions customers:read
GET /v1/customers/:id/tax-id-checks customers:read
GET /v1/discounts discounts:read
GET /v1/discounts/:id discounts:read
GET /v1/documents documents:read
GET /v1/documents/:id documents:read
GET /v1/documents/:id/next-invoice invoices:read
GET /v1/environments environments:read
GET /v1/environments/:id environments:read
GET /v1/events events:read
GET /v1/events/stream events:read
GET /v1/exchange-rates exchange_rates:read
GET /v1/exchange-rates/:id exchange_rates:read
GET /v1/findings servers:read
GET /v1/instances instances:read
GET /v1/instances/:id instances:read
GET /v1/instances/:id/actions instances:read
GET /v1/instances/:id/commands instances:read
GET /v1/instances/:id/logs instances:logs
GET /v1/instances/:id/secrets instances:secrets
GET /v1/instances/:id/comparison instances:read
GET /v1/instances/:id/export instances:read
GET /v1/instances/:id/price-grids instances:read
GET /v1/instances/:id/values instances:read
GET /v1/invoices invoices:read
GET /v1/invoices/:id invoices:read
GET /v1/invoices/:id/pdf invoices:read
GET /v1/invoices/:id/ubl invoices:read
GET /v1/kits kits:read
GET /v1/kits/:id kits:read
GET /v1/kits/:id/difference kits:read
GET /v1/kits/:id/versions kits:read
GET /v1/links instances:read
GET /v1/disputes disputes:read
GET /v1/disputes/:id disputes:read
GET /v1/lost-documents peers:read
GET /v1/me signed_in
GET /v1/one-off-charges invoices:read
GET /v1/orders orders:read
GET /v1/orders/:id orders:read
GET /v1/payment-requests invoices:read
GET /v1/peer-proofs peers:read
GET /v1/peer-proofs/:id peers:read
GET /v1/payables supplier_invoices:read
GET /v1/expenses supplier_invoices:read
GET /v1/expense-categories supplier_invoices:read
POST /v1/expense-categories supplier_invoices:write
PATCH /v1/expense-categories/:id supplier_invoices:write
GET /v1/margins supplier_invoices:read
PUT /v1/suppliers/:id/cost-rules supplier_invoices:write
GET /v1/suppliers supplier_invoices:read
POST /v1/suppliers supplier_invoices:write
POST /v1/supplier-invoices supplier_invoices:write
POST /v1/supplier-invoices/import supplier_invoices:write
POST /v1/supplier-invoices/import-csv supplier_invoices:write
GET /v1/expected-supplier-invoices supplier_invoices:read
GET /v1/supplier-subscriptions supplier_invoices:read
POST /v1/supplier-subscriptions supplier_invoices:write
GET /v1/supplier-subscriptions/:id supplier_invoices:read
PATCH /v1/supplier-subscriptions/:id supplier_invoices:write
GET /v1/suppliers/:id supplier_invoices:read
PUT /v1/suppliers/:id/expense-mappings supplier_invoices:write
PUT /v1/suppliers/:id/tax-codes supplier_invoices:write
GET /v1/peers peers:read
GET /v1/peers/:id peers:read
GET /v1/price-lists price_lists:read
GET /v1/price-lists/:id price_lists:read
GET /v1/products products:read
GET /v1/products/:id products:read
GET /v1/products/:id/difference products:read
GET /v1/products/:id/versions products:read
GET /v1/restores instances:read
GET /v1/restores/:id instances:read
GET /v1/self-check invoices:read
GET /v1/refused-usage-events usage:read
GET /v1/data-sources data_sources:read
GET /v1/deployers deployers:read
GET /v1/deployers/:id deployers:read
GET /v1/metrics metrics:read
GET /v1/metrics/:id metrics:read
GET /v1/registries registries:read
GET /v1/seller seller:read
GET /v1/servers servers:read
GET /v1/servers/:id servers:read
GET /v1/servers/:id/subnets servers:read
GET /v1/service-terms seller:read
GET /v1/subscription-templates products:read
GET /v1/subscription-templates/:id products:read
GET /v1/subscriptions subscriptions:read
GET /v1/subscriptions/:id subscriptions:read
GET /v1/subscriptions/:id/next-invoice invoices:read
GET /v1/subscriptions/:id/features subscriptions:read
GET /v1/subscriptions/:id/features/:code subscriptions:read
GET /v1/subscriptions/:id/usage usage:read
GET /v1/subscriptions/:id/usage/readings.csv usage:read
GET /v1/subscriptions/:id/usage/windows.csv usage:read
GET /v1/subscriptions/:id/spend-caps spend_caps:read
GET /v1/usage-feed usage:read
GET /v1/usage-warnings usage:read
GET /v1/supplier-invoices supplier_invoices:read
GET /v1/supplier-invoices/:id supplier_invoices:read
GET /v1/supplier-invoices/:id/files/:kind supplier_invoices:read
GET /v1/supplier-invoices/:id/usage supplier_invoices:read
GET /v1/supplier-payments supplier_invoices:read
GET /v1/supplier-payments/:id supplier_invoices:read
GET /v1/tasks tasks:read
DELETE /v1/supplier-invoices/:id supplier_invoices:write
GET /v1/tax-rates tax_rates:read
GET /v1/tax-rates/:id tax_rates:read
GET /v1/test-clocks clocks:read
GET /v1/test-clocks/:id clocks:read
GET /v1/unit-reservations usage:read
GET /v1/unit-reservations/:id usage:read
GET /v1/usage-windows/:id usage:read
GET /v1/usage-windows/:id/events usage:read
GET /v1/usage-windows/:id/readings usage:read
PATCH /v1/orders/:id orders:write
PATCH /v1/customers/:id customers:write
PATCH /v1/kits/:id kits:write
PATCH /v1/environments/:id environments:write
PATCH /v1/instances/:id instances:write
PATCH /v1/products/:id products:write
PATCH /v1/products/:id/stock products:write
PATCH /v1/subscription-templates/:id products:write
PATCH /v1/subscriptions/:id subscriptions:write
PATCH /v1/seller seller:write
PATCH /v1/servers/:id servers:write
PATCH /v1/supplier-invoices/:id supplier_invoices:write
PATCH /v1/tax-rates/:id tax_rates:write
POST /login/:token public
POST /logout signed_in
POST /v1/applications applications:write
POST /v1/applications/:id/unarchive applications:write
POST /v1/applications/:id/archive applications:write
POST /v1/applications/:id/price-grids applications:write
POST /v1/billing-runs billing_runs:write
POST /v1/billing-runs/preview billing_runs:read
POST /v1/builds/:id/cancel builds:write
POST /v1/builds/:id/mark-done builds:write
POST /v1/builds/:id/resume builds:write
POST /v1/builds/:id/retry builds:write
POST /v1/builds/:id/skip builds:write
POST /v1/catalog catalog:write
POST /v1/change-requests/:id/apply subscriptions:write
POST /v1/change-requests/:id/refuse subscriptions:write
POST /v1/customers customers:write
POST /v1/customers/:id/close-portal customers:portal
POST /v1/customers/:id/portal-links customers:portal
POST /v1/customers/:id/discounts customers:write
POST /v1/customers/:id/one-off-charges invoices:write
POST /v1/discounts discounts:write
POST /v1/discounts/:id/unarchive discounts:write
POST /v1/discounts/:id/archive discounts:write
POST /v1/documents/:id/force-next-invoice documents:write
POST /v1/documents/:id/move-anchor documents:write
POST /v1/exchange-rates exchange_rates:write
POST /v1/instances/:id/actions/:code instances:act
POST /v1/instances/:id/preferred-offer instances:write
POST /v1/instances/:id/price-grids instances:write
POST /v1/instances/:id/repair instances:write
POST /v1/instances/:id/restart instances:act
POST /v1/instances/:id/secrets/:name/rotate instances:secrets
POST /v1/instances/:id/secrets/:name/show instances:secrets
POST /v1/invoices invoices:write
POST /v1/invoices/:id/credit-notes invoices:write
POST /v1/invoices/:id/finalize invoices:write
POST /v1/invoices/:id/mark-collectible invoices:write
POST /v1/invoices/:id/mark-uncollectible invoices:write
POST /v1/invoices/:id/payments invoices:write
POST /v1/invoices/:id/reissue invoices:write
POST /v1/invoices/:id/void invoices:write
POST /v1/kits kits:write
POST /v1/kits/:id/unarchive kits:write
POST /v1/kits/:id/archive kits:write
POST /v1/one-off-charges/:id/withdraw invoices:write
POST /v1/orders orders:write
POST /v1/mail-verifications customers:write
POST /v1/customers/:id/mail-verification customers:write
POST /v1/orders/:id/accept orders:write
POST /v1/orders/:id/cancel orders:write
POST /v1/orders/:id/refund-sent invoices:write
POST /v1/orders/:id/refuse orders:write
POST /v1/payment-requests/:id/payments invoices:write
POST /v1/orders/:id/confirm orders:write
POST /v1/orders/:id/place-again orders:write
POST /v1/orders/drafts orders:write
POST /v1/orders/preview orders:read
POST /v1/peer-documents public
POST /v1/peer-messages public
POST /v1/peer-questions public
POST /v1/disputes/:id/answer disputes:write
POST /v1/disputes/:id/withdraw disputes:write
POST /v1/supplier-invoices/:id/disputes disputes:write
POST /v1/supplier-invoices/:id/set-offs supplier_invoices:write
POST /v1/supplier-invoices/:id/void supplier_invoices:write
POST /v1/supplier-payments supplier_invoices:write
POST /v1/supplier-payments/:id/reverse supplier_invoices:write
POST /v1/peers peers:write
POST /v1/peers/:id/close peers:write
POST /v1/peers/:id/pin-key peers:write
POST /v1/peers/:id/proofs peers:write
POST /v1/peers/:id/resume peers:write
POST /v1/peers/:id/revoke-key peers:write
POST /v1/peers/:id/rotate-key peers:write
POST /v1/peers/:id/settle peers:write
POST /v1/peers/invitations peers:write
POST /v1/peers/redeem public
POST /v1/price-lists price_lists:write
POST /v1/price-lists/:id/unarchive price_lists:write
POST /v1/price-lists/:id/archive price_lists:write
POST /v1/price-lists/:id/items price_lists:write
POST /v1/price-lists/:id/items/:item/withdraw price_lists:write
POST /v1/price-revisions subscriptions:write
POST /v1/products products:write
POST /v1/products/:id/unarchive products:write
POST /v1/products/:id/archive products:write
POST /v1/servers servers:write
POST /v1/refused-usage-events/send-again usage:write
POST /v1/refused-usage-events/:id/send-again usage:write
POST /v1/registries registries:write
PATCH /v1/metrics/:id metrics:write
POST /v1/data-sources data_sources:write
POST /v1/deployers deployers:write
POST /v1/deployers/:id/look deployers:write
POST /v1/deployers/:id/products deployers:write
POST /v1/metrics metrics:write
POST /v1/metrics/:id/archive metrics:write
POST /v1/metrics/:id/unarchive metrics:write
POST /v1/servers/:id/join-token servers:write
POST /v1/servers/:id/test servers:write
POST /v1/servers/join public
POST /v1/instances/:id/apply instances:write
POST /v1/instances/:id/limits/:limit/reservations usage:write
POST /v1/instances/:id/login-links instances:act
POST /v1/instances/:id/preview instances:read
POST /v1/service-terms seller:write
POST /v1/subscription-templates products:write
POST /v1/subscriptions/:id/cancel subscriptions:write
POST /v1/subscriptions/:id/cancel-line subscriptions:write
POST /v1/subscriptions/:id/change-plan subscriptions:write
POST /v1/subscriptions/:id/change-plan/preview subscriptions:read
POST /v1/subscriptions/:id/change-requests change_requests:write
POST /v1/subscriptions/:id/delay-line subscriptions:write
POST /v1/subscriptions/:id/delete-line subscriptions:write
POST /v1/subscriptions/:id/pause subscriptions:write
POST /v1/subscriptions/:id/plan-successor subscriptions:write
POST /v1/subscriptions/:id/reinstate orders:write
POST /v1/subscriptions/:id/restore subscriptions:write
POST /v1/subscriptions/:id/resume subscriptions:write
POST /v1/subscriptions/:id/retry-build subscriptions:write
POST /v1/subscriptions/:id/set-recurrence subscriptions:write
POST /v1/subscriptions/:id/set-term subscriptions:write
POST /v1/subscriptions/:id/simulation invoices:read
POST /v1/subscriptions/:id/stop-line subscriptions:write
POST /v1/subscriptions/:id/suspend subscriptions:write
POST /v1/subscriptions/:id/transfer subscriptions:write
POST /v1/subscriptions/:id/uncancel subscriptions:write
POST /v1/subscriptions/:id/uncancel-line subscriptions:write
POST /v1/subscriptions/:id/unpause subscriptions:write
POST /v1/subscriptions/:id/withdraw-change subscriptions:write
POST /v1/tax-rates tax_rates:write
POST /v1/test-clocks clocks:write
POST /v1/test-clocks/:id/advance clocks:write
POST /v1/unit-reservations/:id/confirm usage:write
POST /v1/unit-reservations/:id/release usage:write
POST /v1/usage-events usage:write
DELETE /v1/webhooks/:id webhooks:write
GET /v1/webhooks webhooks:read
GET /v1/webhooks/:id webhooks:read
GET /v1/webhooks/:id/deliveries webhooks:read
PATCH /v1/webhooks/:id webhooks:write
POST /v1/webhooks webhooks:write
POST /v1/webhooks/:id/disable webhooks:write
POST /v1/webhooks/:id/enable webhooks:write
POST /v1/webhooks/:id/redeliver webhooks:write
POST /v1/webhooks/:id/rotate-secret webhooks:write
POST /v1/webhooks/:id/test webhooks:write
PUT /v1/instances/:id/values/:code instances:write
PUT /v1/servers/:id/engine servers:write
PUT /v1/servers/:id/subnets servers:write
PUT /v1/subscriptions/:id/early-invoice subscriptions:write
PUT /v1/subscriptions/:id/spend-caps/customer spend_caps:write
PUT /v1/subscriptions/:id/spend-caps/operator subscriptions:write`

test('every route of the API asks for exactly this', () => {
  const isOfApi = (route: string) =>
    /^\w+ \/(v1|docs|login|logout|livez|open|portal|readyz|openapi|assets\/rapidoc)/.test(route)
  const actual = [...api.frame.permissions]
    .filter(([route]) => isOfApi(route))
    .map((entry) => entry.join(' '))
  assert.deepEqual(actual.toSorted(), rights.trim().split('\n').toSorted())
})

/** What is sent there is its own right: a token, a code, a signature. */
const ownRight = [
  '/v1/servers/join',
  '/v1/peers/redeem',
  '/v1/peer-messages',
  '/v1/peer-documents',
  '/v1/peer-questions',
]

test('no page beyond these is open to everybody', () => {
  const open = [...api.frame.permissions].filter(([, permission]) => permission === 'public')
  for (const [route] of open)
    if (!ownRight.some((path) => route === `POST ${path}`))
      assert.match(route, /^(GET|POST) \/(assets|docs|login|livez|open|portal\/login|readyz|openapi)/)
})

test('a route that names no permission stops the process before it listens', () => {
  const frame = createGuardedFrame(api.frame.deps)
  frame.app.get('/open', (ctx) => ctx.text('open'))
  assert.throws(() => assertEveryRouteIsGuarded(frame), /Routes without a permission: GET \/open/)
})

test('every route below /v1 but those that ask for a right of their own refuses those without a key, and a key without its scope', async () => {
  for (const [route, permission] of api.frame.permissions) {
    const [method = '', path = ''] = route.split(' ')
    if (!path.startsWith('/v1/') || ownRight.includes(path)) continue
    const address = path.replace(':id', 'x')
    assert.equal((await api.request(address, { method })).status, 401, route)
    if (permission === 'signed_in') continue
    const others = scopes.filter((scope) => scope !== permission)
    const headers = { authorization: `Bearer ${await createKey(api.db, others)}` }
    assert.equal((await api.request(address, { method, headers })).status, 403, route)
  }
})

test('security headers are on every kind of answer, refusals and outages included', async () => {
  const names = [
    'cache-control',
    'content-security-policy',
    'cross-origin-opener-policy',
    'cross-origin-resource-policy',
    'referrer-policy',
    'x-content-type-options',
  ]
  const expected = {
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  }
  const responses = [
    await api.request('/livez'),
    await api.request('/v1/me', { headers: { authorization: `Bearer ${api.key}` } }),
    await api.request('/v1/me'),
    await api.request('/nothing', { headers: { accept: 'text/html' } }),
    await api.request('/login/unknown'),
    await api.request('/docs/errors/not_found'),
    await api.request('/v1/orders', {
      method: 'POST',
      headers: { authorization: `Bearer ${api.key}` },
      body: '{',
    }),
  ]
  for (const response of responses) {
    const actual = Object.fromEntries(names.map((name) => [name, response.headers.get(name)]))
    assert.deepEqual(actual, expected, String(response.status))
    assert.match(response.headers.get('request-id') ?? '', /^req_[0-9a-f]{32}$/)
    assert.equal(response.headers.get('access-control-allow-origin'), null)
  }
})

test('no script of the documentation page is inline or from elsewhere', async () => {
  const response = await api.request('/docs')
  assert.match(response.headers.get('content-security-policy') ?? '', /script-src 'self';/)
  const scripts = [...(await response.text()).matchAll(/<script[^>]*>([^<]*)/g)]
  assert.ok(scripts.length > 0)
  for (const [tag, inline] of scripts) {
    assert.match(tag, /src="\/assets\//)
    assert.equal(inline, '')
  }
})

test('a page takes a form of at most 1 MiB, and nothing else', async () => {
  const send = async (headers: Record<string, string>) =>
    (await api.request('/logout', { method: 'POST', headers, body: 'a=b' })).status
  assert.equal(await send({ 'content-type': 'application/json' }), 415)
  assert.equal(
    await send({ 'content-type': 'application/x-www-form-urlencoded', 'content-length': '2000000' }),
    413,
  )
})
