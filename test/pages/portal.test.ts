import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { createGuardedFrame } from '#api/app.ts'
import { sayPresentUsage } from '#domain/invoice/present-usage.ts'
import { readPresentCost } from '#db/present-usage.ts'
import { listSpendCaps, setSpendCap } from '#db/spend-cap.ts'
import { getSubscription } from '#db/subscription.ts'
import { giveWarnings } from '#db/usage-warning.ts'
import { encodeId } from '#domain/identifier.ts'
import { createTestConsole, readForm, type Page, type TestConsole } from './console.ts'
import { activate, build, seedStory, sell, tellTwoMonths, type Sold } from './story.ts'

// Two customers of one seller: Harbour Bakery, and the Orchard beside it.

let console: TestConsole
let bakery: Owner
let orchard: Owner

/** What a customer has, and the cookie of somebody who is signed in for it. */
interface Owner {
  readonly customer: string
  readonly cookie: string
  readonly sold: Sold
  readonly invoice: string
  readonly invoiceNumber: string
}

before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  await console.post('/v1/customers', { code: 'orchard', name: 'Orchard Ltd', currency: 'USD' })
  await console.db.updateTable('installation').set({ seller: sellerWithMail() }).execute()
  const told = await tellTwoMonths(console.db)
  const other = await sell(console.db, { kit: 'odoo-config-1' }, { customer: 'orchard' })
  await build(console.db, other, 'done')
  await activate(console.db, other, new Date().toISOString())
  bakery = await own('harbour-bakery', told)
  orchard = await own('orchard', other)
})
after(async () => console.close())

function sellerWithMail() {
  const seller = {
    name: 'Clouder Demo Hosting',
    address: 'Quay 1',
    taxId: null,
    email: 'help@hosting.example',
  }
  return JSON.stringify(seller)
}

async function own(customer: string, sold: Sold): Promise<Owner> {
  const { id, number } = await console.db
    .selectFrom('invoices')
    .innerJoin('customers', 'customers.id', 'invoices.customer_id')
    .select(['invoices.id', 'invoices.number'])
    .where('customers.code', '=', customer)
    .orderBy('invoices.id', 'desc')
    .executeTakeFirstOrThrow()
  return {
    customer,
    sold,
    cookie: await signIn(customer),
    invoice: encodeId('invoice', id),
    invoiceNumber: number ?? '',
  }
}

const ownPage = { 'sec-fetch-site': 'same-origin', accept: 'text/html' }

async function makeLink(customer: string, body: object = {}): Promise<string> {
  const reply = await console.post(`/v1/customers/${customer}/portal-links`, body)
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return String(reply.body['url']).replace(console.publicUrl, '')
}

async function open(link: string, method: 'GET' | 'POST', headers: Record<string, string> = ownPage) {
  return await console.request(link, { method, headers })
}

async function signIn(customer: string): Promise<string> {
  const response = await open(await makeLink(customer), 'POST')
  assert.equal(response.status, 303)
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

async function see(path: string, cookie?: string): Promise<Page> {
  const headers = { accept: 'text/html', ...(cookie === undefined ? {} : { cookie }) }
  const response = await console.request(path, { headers })
  return { status: response.status, headers: response.headers, html: textOf(await response.text()) }
}

/** As it is read: without the spaces that do not break. */
function textOf(html: string): string {
  return html.replaceAll('\u00a0', ' ')
}

/** Every route that asks for a customer's session. */
function portalRoutes(): { method: string; path: string }[] {
  return [...console.frame.permissions]
    .filter(([, permission]) => permission === 'portal')
    .map(([route]) => {
      const [method = '', path = ''] = route.split(' ')
      return { method, path }
    })
}

/** The address of a route for what an owner has. A route that is not known here has to be added, with whose rows it shows. */
function addressOf(path: string, owner: Owner): string {
  const ids: Readonly<Record<string, string>> = {
    '/portal/subscriptions/:id': owner.sold.publicId,
    '/portal/subscriptions/:id/usage.csv': owner.sold.publicId,
    '/portal/subscriptions/:id/readings.csv': owner.sold.publicId,
    '/portal/subscriptions/:id/spend-cap': owner.sold.publicId,
    '/portal/invoices/:id/pdf': owner.invoice,
    '/portal/invoices/:id/ubl': owner.invoice,
  }
  if (!path.includes(':')) return path
  return path.replace(':id', ids[path] ?? assert.fail(`whose is ${path}?`))
}

suite('the link', () => {
  test('opening it uses nothing up, sending its form signs in once, even when it is sent twice at once', async () => {
    const link = await makeLink('orchard')
    const page = await open(link, 'GET')
    assert.match(await page.text(), /customer portal at Clouder Demo Hosting.*<form method="post">/s)
    const tries = await Promise.all([open(link, 'POST'), open(link, 'POST'), open(link, 'POST')])
    assert.deepEqual(
      tries.map(({ status }) => status).toSorted((a, b) => a - b),
      [303, 410, 410],
    )
    const again = await open(link, 'GET')
    assert.equal(again.status, 410)
    assert.match(await again.text(), /does not work any more/)
  })

  test('its cookie is not read by scripts, not sent by other sites, and goes to the portal only', async () => {
    const response = await open(await makeLink('orchard'), 'POST')
    assert.match(
      response.headers.get('set-cookie') ?? '',
      /^clouder_portal_4400=[\w-]{43}; Path=\/portal; HttpOnly; SameSite=Lax$/,
    )
  })

  test('behind HTTPS its cookie is bound to the host', async () => {
    const { app } = createGuardedFrame({ ...console.frame.deps, publicUrl: 'https://clouder.example' })
    const link = await makeLink('orchard')
    const response = await app.request(link, { method: 'POST', headers: ownPage })
    assert.match(
      response.headers.get('set-cookie') ?? '',
      /^__Host-clouder-portal=.*Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
  })

  test('another site cannot use it up, and past its time it lets nobody in', async () => {
    const link = await makeLink('orchard', { expires_in_minutes: 1_440 })
    const foreign = await open(link, 'POST', { 'sec-fetch-site': 'cross-site' })
    assert.equal(foreign.status, 403)
    assert.equal((await open(link, 'GET')).status, 200)
    await console.db
      .updateTable('portal_links')
      .set({ made_at: '2026-01-01T00:00:00Z', expires_at: '2026-01-01T00:10:00Z' })
      .where('opened_at', 'is', null)
      .execute()
    assert.equal((await open(link, 'GET')).status, 410)
    assert.equal((await open(link, 'POST')).status, 410)
    assert.equal(
      (await console.post('/v1/customers/orchard/portal-links', { expires_in_minutes: 1_441 })).status,
      422,
    )
  })

  test('neither the token of a link nor that of a session is kept', async () => {
    const link = await makeLink('orchard')
    const cookie = await signIn('orchard')
    const rows = [
      await console.db.selectFrom('portal_links').selectAll().execute(),
      await console.db.selectFrom('portal_sessions').selectAll().execute(),
      await console.db.selectFrom('events').selectAll().execute(),
      await console.db.selectFrom('idempotency_keys').selectAll().execute(),
    ]
    for (const secret of [link.split('/').at(-1) ?? '', cookie.split('=')[1] ?? '']) {
      assert.equal(JSON.stringify(rows).includes(secret), false)
    }
  })
})

suite('own things only (I-11)', () => {
  test('every route shows a customer what is his, and of another nothing: not more than of what nobody has', async () => {
    const routes = portalRoutes().filter(({ method }) => method === 'GET')
    assert.ok(routes.length >= 5)
    for (const { path } of routes) {
      for (const [owner, other] of [
        [bakery, orchard],
        [orchard, bakery],
      ] as const) {
        const mine = await see(addressOf(path, owner), owner.cookie)
        assert.equal(mine.status, 200, path)
        for (const foreign of [other.sold.publicId, other.invoice]) {
          assert.equal(mine.html.includes(foreign), false, path)
        }
        if (!path.includes(':')) continue
        const foreign = await see(addressOf(path, other), owner.cookie)
        const nobodys = await see(
          path.replace(':id', addressOf(path, other).includes('inv_') ? unknownInvoice : unknownSubscription),
          owner.cookie,
        )
        const nonsense = await see(path.replace(':id', 'ext:orchard'), owner.cookie)
        for (const { status } of [foreign, nobodys, nonsense]) assert.equal(status, 404, path)
        assert.equal(withoutRequest(foreign.html), withoutRequest(nobodys.html), path)
        assert.equal(withoutRequest(foreign.html), withoutRequest(nonsense.html), path)
      }
    }
  })

  test('without a session every route is the page of who is not signed in; so it is for an operator, and a key is refused', async () => {
    for (const { method, path } of portalRoutes()) {
      const address = addressOf(path, bakery)
      const send = async (headers: Record<string, string>) => {
        const response = await console.request(address, { method, headers: { ...ownPage, ...headers } })
        return { status: response.status, text: await response.text() }
      }
      for (const headers of [{}, { cookie: console.cookie }]) {
        const { status, text } = await send(headers)
        assert.equal(status, 401, path)
        assert.match(text, /You are not signed in/, path)
      }
      const { status } = await send({ authorization: `Bearer ${console.key}`, cookie: bakery.cookie })
      assert.equal(status, 400, path)
    }
  })

  test('the session of a customer opens nothing of the console and nothing of the API', async () => {
    // Under the names of an operator's cookie it is no session either.
    const token = bakery.cookie.split('=')[1] ?? ''
    const cookie = `${bakery.cookie}; clouder_4400=${token}`
    for (const [route, permission] of console.frame.permissions) {
      if (permission === 'public' || permission === 'portal') continue
      const [method = '', path = ''] = route.split(' ')
      const response = await console.request(path.replaceAll(/:\w+/g, 'x'), { method, headers: { cookie } })
      assert.equal(response.status, 401, route)
    }
  })

  test('nothing that is written is taken from another page than one of this very session', async () => {
    const cookie = await signIn('orchard')
    for (const { path } of portalRoutes().filter(({ method }) => method === 'POST')) {
      const bakeryToken = readForm((await see('/portal', bakery.cookie)).html, '/portal/logout')
      const send = async (headers: Record<string, string>, form: Record<string, string>) =>
        (
          await console.request(path, {
            method: 'POST',
            headers: { cookie, ...headers },
            body: new URLSearchParams(form),
          })
        ).status
      assert.equal(await send({ 'sec-fetch-site': 'same-origin' }, {}), 403, path)
      assert.equal(await send({ 'sec-fetch-site': 'same-origin' }, bakeryToken), 403, path)
      const token = readForm((await see('/portal', cookie)).html, '/portal/logout')
      assert.equal(await send({ 'sec-fetch-site': 'cross-site' }, token), 403, path)
    }
    assert.equal((await see('/portal', cookie)).status, 200)
  })
})

const unknownSubscription = encodeId('subscription', '01890000-0000-7000-8000-000000000000')
const unknownInvoice = encodeId('invoice', '01890000-0000-7000-8000-000000000000')

function withoutRequest(html: string): string {
  return html.replaceAll(/req_[0-9a-f]{32}/g, '')
}

suite('the session', () => {
  test('it ends by signing out, by idling half an hour, after twelve hours, and when staff ends it', async () => {
    const isIn = async (cookie: string) => (await see('/portal', cookie)).status === 200
    const cookie = await signIn('orchard')
    const form = readForm((await see('/portal', cookie)).html, '/portal/logout')
    const out = await console.request('/portal/logout', {
      method: 'POST',
      headers: { ...ownPage, cookie },
      body: new URLSearchParams(form),
    })
    assert.equal(out.status, 303)
    assert.match(out.headers.get('set-cookie') ?? '', /^clouder_portal_4400=; Max-Age=0; Path=\/portal/)
    assert.equal(await isIn(cookie), false)
    for (const change of [
      { last_used_at: new Date(Date.now() - 31 * 60_000).toISOString() },
      { expires_at: new Date(Date.now() - 1).toISOString() },
    ]) {
      const session = await signIn('orchard')
      assert.equal(await isIn(session), true)
      await console.db
        .updateTable('portal_sessions')
        .set(change)
        .where('id', '=', (await newest()).id)
        .execute()
      assert.equal(await isIn(session), false)
    }
    const ended = await signIn('orchard')
    const { data } = (await (
      await console.request('/v1/customers/orchard/portal-sessions', {
        headers: { authorization: `Bearer ${console.key}` },
      })
    ).json()) as Record<string, unknown>
    const [first] = data as Record<string, unknown>[]
    assert.deepEqual([first?.['ended_at'], String(first?.['link_made_by']).startsWith('key_')], [null, true])
    assert.equal((await console.delete(`/v1/portal-sessions/${String(first?.['id'])}`)).status, 204)
    assert.equal(await isIn(ended), false)
  })

  test('closing the portal ends all sessions of one customer and takes its links back', async () => {
    const link = await makeLink('orchard')
    const cookie = await signIn('orchard')
    assert.equal((await console.post('/v1/customers/orchard/close-portal', {})).status, 200)
    assert.equal((await see('/portal', cookie)).status, 401)
    assert.equal((await open(link, 'POST')).status, 410)
    assert.equal((await see('/portal', bakery.cookie)).status, 200)
    orchard = { ...orchard, cookie: await signIn('orchard') }
    const kinds = await console.db
      .selectFrom('events')
      .select('kind')
      .where('kind', 'like', 'customer.portal%')
      .execute()
    assert.deepEqual([...new Set(kinds.map(({ kind }) => kind))].toSorted(), [
      'customer.portal_closed',
      'customer.portal_entered',
      'customer.portal_left',
      'customer.portal_link_made',
    ])
  })

  test('in the console staff makes a link, sees who is signed in, and ends it all', async () => {
    const customer = await console.db
      .selectFrom('customers')
      .select('id')
      .where('code', '=', 'orchard')
      .executeTakeFirstOrThrow()
    const page = `/customers/${encodeId('customer', customer.id)}`
    const made = await console.submit(page, `${page}/portal-link`, { minutes: '60' })
    const [, link = ''] = /(\/portal\/login\/[\w-]{43})/.exec(made.html) ?? []
    assert.equal((await open(link, 'POST')).status, 303)
    const { html } = await console.get(page)
    assert.equal(html.includes(link), false)
    assert.match(html, /Who is signed in to the portal.*operator:/s)
    assert.equal((await console.submit(page, `${page}/close-portal`)).status, 303)
    assert.match((await console.get(page)).html, /Nobody is signed in to the portal/)
    orchard = { ...orchard, cookie: await signIn('orchard') }
  })

  test('of one customer ten are signed in at most: the eleventh ends the oldest', async () => {
    const oldest = await signIn('orchard')
    const others: string[] = []
    for (let count = 0; count < 9; count += 1) others.push(await signIn('orchard'))
    assert.equal((await see('/portal', oldest)).status, 200)
    orchard = { ...orchard, cookie: await signIn('orchard') }
    assert.equal((await see('/portal', oldest)).status, 401)
    assert.equal((await see('/portal', others[0])).status, 200)
  })
})

async function newest() {
  return await console.db
    .selectFrom('portal_sessions')
    .select('id')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
}

suite('what is seen', () => {
  test('the overview has each subscription with state, address, and amount and day of its next invoice', async () => {
    const { html } = await see('/portal', bakery.cookie)
    assert.match(html, /Odoo Config 1/)
    assert.match(html, /Running/)
    assert.match(html, /href="http:\/\/localhost:\d+\/"/)
    assert.match(
      html,
      /Next invoice<\/span> <strong class="amount">15\.42 USD<\/strong> <time datetime="2026-03-31">on 31 March 2026/,
    )
    assert.match((await see('/portal', orchard.cookie)).html, /Open: 10\.00 USD/)
  })

  test('a subscription has its lines with billing type and price, its usage, cost so far and where the period ends (A-02, D-41)', async () => {
    const { html } = await see(`/portal/subscriptions/${bakery.sold.publicId}`, bakery.cookie)
    for (const word of ['Usage', 'Threshold', '1.00 USD per GiB, billed after each month', '6 × Odoo User'])
      assert.ok(html.includes(word), word)
    const present = await readPresentCost(console.db, bakery.sold.id, '2026-03-13T08:00:00Z')
    assert.equal(present.lines.length, 2)
    for (const line of present.lines) {
      assert.notEqual(line.projection, null)
      assert.ok(html.includes(sayPresentUsage(line, 'USD')), sayPresentUsage(line, 'USD'))
    }
    assert.match(html, /3\.75 USD so far, without tax/)
  })

  test('a limit is said to be reached as long as it is, with what can be done (D-34)', async () => {
    const path = `/portal/subscriptions/${orchard.sold.publicId}`
    const reach = async (at: string | null) => {
      const use = { reached_at: at, used_quantity: '5', used_at: new Date().toISOString() }
      await console.db
        .updateTable('limits')
        .set(use)
        .where('code', '=', 'users')
        .where('instance_id', 'in', (instance) =>
          instance.selectFrom('instances').select('id').where('subscription_id', '=', orchard.sold.id),
        )
        .execute()
    }
    await reach(new Date().toISOString())
    const { html } = await see(path, orchard.cookie)
    assert.match(html, /Limit reached/)
    assert.match(html, /Odoo User: the limit is reached\.<\/strong> No more can be added for now\./)
    assert.match(
      html,
      /href="mailto:help@hosting\.example\?subject=Odoo%20Config%201">Ask Clouder Demo Hosting for more/,
    )
    assert.match((await see('/portal', orchard.cookie)).html, /Limit reached/)
    await reach(null)
    assert.doesNotMatch((await see(path, orchard.cookie)).html, /reached/)
    assert.doesNotMatch((await see('/portal', orchard.cookie)).html, /Limit reached/)
  })

  test('what may be spent is said by the customer himself, for his own things only, and a wrong amount changes nothing (D-38)', async () => {
    const page = `/portal/subscriptions/${bakery.sold.publicId}`
    const send = async (amount: string, effect: string, owner = bakery) => {
      const token = readForm((await see('/portal', owner.cookie)).html, '/portal/logout')
      const response = await console.request(`${page}/spend-cap`, {
        method: 'POST',
        headers: { ...ownPage, cookie: owner.cookie },
        body: new URLSearchParams({ ...token, amount, effect }),
      })
      return { status: response.status, html: await response.text() }
    }
    const caps = async () =>
      (await listSpendCaps(console.db, bakery.sold.id)).map((cap) => [
        cap.set_by,
        cap.amount_minor,
        cap.effect,
      ])
    assert.match((await see(page, bakery.cookie)).html, /You have set no cap/)
    assert.equal((await send('20.00', 'stop')).status, 303)
    assert.deepEqual(await caps(), [['customer', 2_000, 'stop']])
    assert.match((await see(page, bakery.cookie)).html, /At 20\.00 USD in a billing period it stops/)
    for (const amount of ['0', '1.005', 'a lot']) {
      const refused = await send(amount, 'stop')
      assert.equal(refused.status, 422, amount)
      assert.match(refused.html, /Nothing was changed\./)
      assert.ok(refused.html.includes(`value="${amount}"`), amount)
    }
    assert.equal((await send('5.00', 'stop', orchard)).status, 404)
    assert.deepEqual(await caps(), [['customer', 2_000, 'stop']])
    assert.equal((await send('', 'alert')).status, 303)
    assert.deepEqual(await caps(), [])
  })

  test('the form of a cap keeps at what he is told, and sent twice it is told of once (D-38)', async () => {
    const page = `/portal/subscriptions/${bakery.sold.publicId}`
    const alerts = [{ percent: 80 }, { amountMinor: 1_250 }]
    const cap = { setBy: 'customer', amountMinor: 2_000, effect: 'stop', alerts } as const
    await console.db.transaction().execute(async (tx) => {
      await setSpendCap(tx, bakery.sold.id, { cap, actor: 'test', now: new Date().toISOString() })
    })
    const send = async (fields: Record<string, string>) => {
      const token = readForm((await see('/portal', bakery.cookie)).html, '/portal/logout')
      const response = await console.request(`${page}/spend-cap`, {
        method: 'POST',
        headers: { ...ownPage, cookie: bakery.cookie },
        body: new URLSearchParams({ ...token, effect: 'stop', ...fields }),
      })
      return { status: response.status, html: await response.text() }
    }
    const kept = async () => (await listSpendCaps(console.db, bakery.sold.id))[0]?.alerts
    const countTold = async () => {
      const rows = await console.db
        .selectFrom('events')
        .select('id')
        .where('subscription_id', '=', bakery.sold.id)
        .where('kind', '=', 'spend.cap_changed')
        .execute()
      return rows.length
    }
    const shownIn = (html: string) => /name="alerts"[^>]* value="([^"]*)"/.exec(html)?.[1]
    const shown = shownIn((await see(page, bakery.cookie)).html) ?? 'none'
    assert.equal(shown, '80%, 12.50')
    const before = await countTold()
    for (let sent = 1; sent <= 2; sent++)
      assert.equal((await send({ amount: '30.00', alerts: shown })).status, 303)
    assert.deepEqual(await kept(), alerts)
    assert.equal(await countTold(), before + 1)
    const refused = await send({ amount: '30.00', alerts: '80% soon' })
    assert.equal(refused.status, 422)
    assert.match(refused.html, /Nothing was changed\. Write shares from 1% to 1000%/)
    assert.equal(shownIn(refused.html), '80% soon')
    assert.match(refused.html, /<option value="stop" selected/)
    assert.deepEqual(await kept(), alerts)
    assert.equal((await send({ amount: '' })).status, 303)
  })

  test('what a customer was warned of is kept for him: of a limit, and of what usage costs (D-35, D-38)', async () => {
    const { id, publicId } = bakery.sold
    const { customer_id } = await getSubscription(console.db, id)
    const line = await console.db
      .selectFrom('subscription_lines')
      .select('id')
      .where('subscription_id', '=', id)
      .executeTakeFirstOrThrow()
    const cap = { setBy: 'operator', amountMinor: 400, effect: 'alert', alerts: [{ percent: 75 }] } as const
    const limit = {
      subscriptionId: id,
      customerId: customer_id,
      kind: 'limit',
      firstLineId: line.id,
      subject: 'users',
      threshold: '80 %',
      periodStartsOn: '2026-02-28',
      used: '5',
      ceiling: '6',
      unit: 'user',
      data: {},
      businessAt: null,
    } as const
    await console.db.transaction().execute(async (tx) => {
      await setSpendCap(tx, id, { cap, actor: 'test', now: new Date().toISOString() })
      await giveWarnings(tx, [limit], '2026-03-10T09:00:00Z')
    })
    const { html } = await see(`/portal/subscriptions/${publicId}`, bakery.cookie)
    assert.match(html, /Usage had cost 3\.75 USD, of 4\.00 USD that it may cost\./)
    assert.match(html, /Odoo User: 5 of 6 were used\..*10 March 2026/s)
  })

  test('billed usage and its readings are taken along as CSV (D-47)', async () => {
    const page = `/portal/subscriptions/${bakery.sold.publicId}`
    assert.match((await see(page, bakery.cookie)).html, /href="[^"]+\/usage\.csv"/)
    const usage = await see(`${page}/usage.csv`, bakery.cookie)
    assert.match(usage.html, /^window,subscription_line,.*\r\nwin_/)
    assert.match(String(usage.headers.get('content-disposition')), /attachment; filename="sub_/)
    assert.match((await see(`${page}/readings.csv`, bakery.cookie)).html, /network,reading,2026-02-27T/)
  })

  test('while it is built, how far it is in plain words', async () => {
    const sold = await sell(console.db, { kit: 'odoo-config-1' }, { customer: 'orchard' })
    const path = `/portal/subscriptions/${sold.publicId}`
    assert.match((await see(path, orchard.cookie)).html, /Ordered.*It waits for its turn/s)
    await build(console.db, sold, { runningStep: 1 })
    assert.match(
      (await see(path, orchard.cookie)).html,
      /Being set up.*1 of \d+ steps are done.*You may close this page/s,
    )
  })

  test('an invoice is there with its number, state, amount, PDF and the file that programs read', async () => {
    const { html } = await see('/portal/invoices', orchard.cookie)
    assert.match(html, new RegExp(`${orchard.invoiceNumber}.*open.*10\\.00 USD`, 's'))
    const pdf = await see(`/portal/invoices/${orchard.invoice}/pdf`, orchard.cookie)
    assert.match(pdf.html, /^%PDF/)
    const ubl = await see(`/portal/invoices/${orchard.invoice}/ubl`, orchard.cookie)
    assert.match(ubl.html, /<Invoice/)
    assert.equal(ubl.headers.get('cache-control'), 'private, no-cache')
  })
})
