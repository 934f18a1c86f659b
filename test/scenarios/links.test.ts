import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { runIn } from '#test/support/kept-data.ts'
import { saveOwnApplication, sellProduct, standInImage } from '#test/support/sold-application.ts'

// What one application has, another is given (F-21, F-22), told through the API and the engine.

let installation: TestInstallation
let diary: Diary
let image: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  image = await standInImage(installation)
  const ids = {
    shop: await define('shop', shop),
    store: await define('store', store),
    site: await define('site', site),
    dns: await define('dns', dns),
    chicken: await define('chicken', `wants: [{ kind: egg }], offers: [{ kind: chicken, service: web }]`),
    egg: await define('egg', `wants: [{ kind: chicken }], offers: [{ kind: egg, service: web }]`),
  }
  // What wants comes first here: what is built first follows from the links alone.
  await sellProduct(installation.db, 'shop-with-store', [ids.shop, ids.store])
  for (const code of ['shop', 'store', 'site', 'dns'] as const)
    await sellProduct(installation.db, code, [ids[code]])
  await sellProduct(installation.db, 'hen', [ids.chicken, ids.egg])
})
after(async () => await installation.stop())

const store = `secrets: [{ name: PASSWORD, length: 20 }], offers: [{ kind: database, service: web, port: 8080, values: { user: customer, password: "\${PASSWORD}" } }]`
const shop = `wants: [{ kind: database, variables: { DATABASE_HOST: host, DATABASE_PORT: port, DATABASE_PASSWORD: password } }]`
const site = `wants: [{ kind: dns, required: false, on_link: { service: web, command: [/bin/sh, -c, 'echo "$LINK_HOST" >> /data/linked'] } }]`
const dns = `offers: [{ kind: dns, service: web, port: 8080, shared: true, on_link: { service: web, command: [/bin/sh, -c, 'echo "$LINK_INSTANCE" >> /data/records'] } }]`

async function define(code: string, links: string): Promise<string> {
  const environment: Readonly<Record<string, string>> = {
    shop: `HOST: "\${DATABASE_HOST}", PORT: "\${DATABASE_PORT}", PASSWORD: "\${DATABASE_PASSWORD}"`,
    store: `PASSWORD: "\${PASSWORD}"`,
  }
  const service = `{ image: "${image}", user: "0:0", tmpfs: [/data], environment: { ${environment[code] ?? ''} } }`
  const compose = `services: { web: ${service} }\nx-clouder: { title: ${code}, ${links} }\n`
  return await saveOwnApplication(installation.db, { code, compose })
}

async function containerOf(subscription: string, application: string) {
  const { docker, containers } = await listObjects(installation.installationId)
  const found = containers.find(
    ({ Labels: labels }) =>
      labels['io.clouder.subscription'] === subscription && labels['io.clouder.application'] === application,
  )
  assert.ok(found, `${application} of ${subscription}`)
  const container = docker.getContainer(found.Id)
  return { container, facts: await container.inspect() }
}

async function run(subscription: string, application: string, line: string): Promise<string> {
  const { container } = await containerOf(subscription, application)
  return await runIn(container, line)
}

async function linksOf(subscription: string): Promise<Json[]> {
  return await diary.list(`/v1/links?subscription=${subscription}`)
}

test('an application is given the database that is sold with it, and not another one of its environment', async () => {
  const other = await diary.order([{ product: 'store' }])
  await diary.untilPhase(other, 'active')
  const preview = await diary.post('/v1/orders/preview', {
    customer: 'harbour-bakery',
    lines: [{ product: 'shop-with-store' }],
  })
  const [previewed] = preview['subscriptions'] as Json[]
  const [link] = (previewed?.['links'] ?? []) as Json[]
  assert.deepEqual(link, {
    application: 'shop',
    name: 'database',
    kind: 'database',
    is_required: true,
    offer: { instance: null, name: 'store' },
    reason: 'same_subscription',
    explanation: 'taken: same subscription',
  })
  const subscription = await diary.order([{ product: 'shop-with-store' }])
  await diary.untilPhase(subscription, 'active')
  const [made] = await linksOf(subscription)
  assert.equal(made?.['state'], 'made')
  assert.equal(made?.['explanation'], 'taken: same subscription')
  const [{ facts: store }, { facts: shop }, { facts: stranger }] = await Promise.all([
    containerOf(subscription, 'store'),
    containerOf(subscription, 'shop'),
    containerOf(other, 'store'),
  ])
  const passwordOf = ({ Config: { Env: env } }: typeof store) =>
    env.find((text) => text.startsWith('PASSWORD='))
  assert.equal(passwordOf(shop), passwordOf(store))
  assert.notEqual(passwordOf(shop), passwordOf(stranger))
  assert.ok(store.State.StartedAt < shop.State.StartedAt, 'the database runs before who needs it is made')
  assert.match(await run(subscription, 'shop', 'wget -q -O - "http://$HOST:$PORT/"'), /html/i)
  const plans = await installation.db.selectFrom('build_steps').select('plan').execute()
  const secret = passwordOf(store)?.slice('PASSWORD='.length) ?? ''
  assert.ok(!JSON.stringify(plans).includes(secret), 'no plan holds the secret')
  const plain = await diary.get(`/v1/instances/${String(made?.['instance'])}/export`)
  assert.deepEqual(plain['variables'], ['DATABASE_PASSWORD'])
  assert.ok(!JSON.stringify(plain).includes(secret))
  const [{ name, offer } = {}] = plain['linked_to'] as Json[]
  assert.deepEqual([name, String(offer).slice(0, 6)], ['database', 'store-'])
  const whole = await diary.get(`/v1/instances/${String(made?.['instance'])}/export?secrets=include`)
  assert.deepEqual(whole['variables'], [])
  assert.ok(String(whole['compose']).includes(secret))
  const told = await diary.events(subscription)
  assert.ok(told.some(({ kind }) => kind === 'instance.secrets_exported'))
})

test('of two databases on offer that of the environment is taken, unless another one is named', async () => {
  const stores = await diary.list('/v1/instances')
  const [newest, oldest] = stores.filter(({ application }) => application === 'store')
  const order = async (links: Json) => {
    const body = { customer: 'harbour-bakery', lines: [{ product: 'shop', links }] }
    const preview = await diary.post('/v1/orders/preview', body)
    const [{ links: [link] = [] } = {}] = preview['subscriptions'] as { links?: Json[] }[]
    const { offer = {}, reason } = (link ?? {}) as { offer?: Json; reason?: string }
    return [offer['instance'], reason]
  }
  assert.deepEqual(await order({}), [oldest?.['id'], 'same_environment'])
  assert.deepEqual(await order({ database: newest?.['id'] }), [newest?.['id'], 'named'])
})

test('what needs a database that nobody offers is refused before anything is sold, and a circle of needs too', async () => {
  const lonely = { customer: 'north-clinic', lines: [{ product: 'shop' }] }
  for (const address of ['/v1/orders/preview', '/v1/orders']) {
    const { status, body } = await installation.call('POST', address, lonely)
    assert.equal(status, 422)
    assert.equal(body['code'], 'link_missing')
    assert.match(String(body['detail']), /database/)
  }
  const hen = { customer: 'north-clinic', lines: [{ product: 'hen' }] }
  const { status, body } = await installation.call('POST', '/v1/orders', hen)
  assert.equal(status, 422)
  assert.equal(body['code'], 'link_cycle')
  assert.match(String(body['detail']), /chicken -> egg -> chicken/)
  const sold = await diary.list('/v1/subscriptions?customer=north-clinic')
  assert.deepEqual(sold, [])
})

test('what is needed by others is not cancelled before them', async () => {
  const [store] = (await diary.list('/v1/instances'))
    .filter(({ application }) => application === 'store')
    .toReversed()
  const address = `/v1/subscriptions/${String(store?.['subscription'])}/cancel`
  const subscription = await diary.order([{ product: 'shop' }])
  await diary.untilPhase(subscription, 'active')
  const refused = await installation.call('POST', address, { when: 'now', reason: 'x' })
  assert.equal(refused.status, 409)
  assert.equal(refused.body['code'], 'offer_in_use')
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'x' })
  await diary.untilPhase(subscription, 'ended')
  await diary.post(address, { when: 'now', reason: 'x' })
})

test('an offer that appears later is linked to all that wait, each once and without a restart, and taken back with it', async () => {
  const sites = [
    await diary.order([{ product: 'site' }]),
    await diary.order([{ product: 'site' }], { customer: 'north-clinic' }),
  ]
  for (const subscription of sites) {
    await diary.untilPhase(subscription, 'active')
    assert.deepEqual(
      (await linksOf(subscription)).map(({ state, explanation }) => [state, explanation]),
      [['waiting', 'waits for a dns']],
    )
  }
  const started = await startsOf(sites)
  const offer = await diary.order([{ product: 'dns' }])
  await diary.untilPhase(offer, 'active')
  await until('both are linked', async () => {
    const links = await linksOf(offer)
    return links.length === 2 && links.every(({ state }) => state === 'made')
  })
  await installation.reconcile()
  const links = await linksOf(offer)
  const records = await run(offer, 'dns', 'cat /data/records')
  assert.deepEqual(records.split('\r\n').toSorted(), links.map(({ instance }) => String(instance)).toSorted())
  assert.deepEqual(links.map(({ reason }) => String(reason)).toSorted(), ['same_environment', 'shared'])
  for (const subscription of sites) {
    const host = await run(subscription, 'site', 'cat /data/linked')
    assert.match(await run(subscription, 'site', `wget -q -O - http://${host}:8080/`), /html/i)
  }
  assert.deepEqual(await startsOf(sites), started)
  const { networks } = await listObjects(installation.installationId)
  const own = networks.filter(({ Name: name }) => name.startsWith('clouder_lnk_'))
  assert.equal(own.length, 1, 'the neighbour in the same environment needs none')
  assert.deepEqual(
    (await diary.list('/v1/findings')).map(({ detail }) => detail),
    [],
  )

  await diary.post(`/v1/subscriptions/${offer}/cancel`, { when: 'now', reason: 'moves' })
  await diary.untilPhase(offer, 'ended')
  for (const subscription of sites) {
    const [link] = await linksOf(subscription)
    assert.deepEqual([link?.['state'], link?.['offer']], ['waiting', null])
  }
  const left = await listObjects(installation.installationId)
  assert.ok(!left.networks.some(({ Name: name }) => name.startsWith('clouder_lnk_')))
})

async function startsOf(subscriptions: readonly string[]): Promise<string[]> {
  const found = await Promise.all(subscriptions.map(async (one) => containerOf(one, 'site')))
  return found.map(({ facts }) => facts.State.StartedAt)
}
