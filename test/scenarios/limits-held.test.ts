import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { workflowIds } from '#workflows/contract.ts'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { signIn } from '#test/pages/console.ts'
import { openReceiver } from '#test/support/webhook-receiver.ts'
import { saveOwnApplication, standInImage } from '#test/support/sold-application.ts'

// Limits on a real engine: measured each second here, and held from outside once they are reached.

let installation: TestInstallation
let diary: Diary
const receiver = await openReceiver()
/** Sold hard: disk that becomes read-only, memory of its container, seats that Clouder hands out. */
let shelf: string
/** Sold throttled: it sends slowly once its traffic is used up. */
let relay: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => {
  await receiver.close()
  await installation.stop()
})

const pageBytes = 120 * 1024
const rateKbit = 512

const compose = (image: string) => `
services:
  web:
    image: "${image}"
    user: "0:0"
    stop_signal: SIGKILL
    expose: ["8080"]
    mem_limit: 32m
    volumes: ["data:/data"]
    entrypoint: ["sh", "-c", "[ -e /data/index.html ] || head -c ${pageBytes} /dev/zero > /data/index.html; exec busybox httpd -f -p 8080 -h /data"]
volumes: { data: {} }
x-clouder:
  title: Shelf
  public: { service: web, port: 8080 }
  metrics:
    - { code: network, title: Network, unit: MiB, kind: counter, aggregation: sum, source: { type: engine-network } }
    - { code: disk, title: Disk, unit: MiB, kind: gauge, aggregation: max, source: { type: volume-disk, volume: data } }
  limits:
    - { code: traffic, title: Traffic, metric: network, hard: block-ingress, throttle: ${rateKbit} }
    - { code: disk, title: Disk, metric: disk, hard: read-only }
    - { code: seats, title: Seats, reserved: true }
    - { code: memory, title: Memory, service: web, resource: memory }
    - { code: mails, title: Mails, metric: network }
    - { code: shut, title: Disk, metric: disk, hard: block-ingress }
    - { code: cut, title: Disk, metric: disk, hard: block-network }
    - { code: halted, title: Disk, metric: disk, hard: stop }
`

/** Of a product that sells a limit of the shelf. */
const threshold = {
  billing_type: 'threshold',
  billing_timing: 'advance',
  recurrence: { count: 1, unit: 'month' },
  unit: 'MiB',
  base_price: '1',
  currency: 'USD',
  applications: ['shelf'],
}

async function sellShelf(): Promise<void> {
  await saveOwnApplication(installation.db, {
    code: 'shelf',
    compose: compose(await standInImage(installation)),
  })
  const product = (code: string, more: object) =>
    diary.post('/v1/products', { ...threshold, code, name: code, ...more }, 201)
  await product('shelf-disk', { limit: 'disk' })
  await product('shelf-memory', { limit: 'memory' })
  await product('shelf-seats', { limit: 'seats', unit: 'piece' })
  await product('shelf-traffic', { limit: 'traffic', terms: { enforcement: 'throttle' } })
  const part = (code: string, quantity: number, sequence: number) => ({ product: code, quantity, sequence })
  const kit = (code: string, parts: object[]) =>
    diary.post('/v1/kits', { code, name: code, bill_of_materials: parts }, 201)
  await kit('shelf', [part('shelf-disk', 1, 1), part('shelf-memory', 48, 1), part('shelf-seats', 2, 1)])
  await kit('relay', [part('shelf-traffic', 1, 1)])
}

/** As its workers would start it, but with a tick each second. */
async function startSampler(): Promise<void> {
  const { client, serverId, installationId } = installation
  await client.workflow.start('sampler', {
    workflowId: workflowIds.sampler(serverId),
    taskQueue: `installation/${installationId}`,
    args: [{ serverId, intervalMs: 1_000 }],
  })
}

async function instanceOf(subscription: string): Promise<Json> {
  const { instances } = (await diary.subscription(subscription)) as { instances: Json[] }
  return instances[0] ?? {}
}

async function limitOf(subscription: string, code: string): Promise<Json> {
  const { limits } = (await instanceOf(subscription)) as { limits: Json[] }
  return limits.find((limit) => limit['code'] === code) ?? {}
}

async function untilHeld(subscription: string, code: string): Promise<Json> {
  return await until(`${code} is held`, async () => {
    const limit = await limitOf(subscription, code)
    return (limit['hold'] as Json | null)?.['held_at'] != null && limit
  })
}

async function containerOf(subscription: string) {
  const { docker, containers } = await listObjects(installation.installationId)
  const found = containers.find(({ Labels: labels }) => labels['io.clouder.subscription'] === subscription)
  return docker.getContainer(found?.Id ?? assert.fail('it has a container'))
}

/** Exit code of a command in the container. */
async function run(subscription: string, ...argv: string[]): Promise<number | null> {
  const container = await containerOf(subscription)
  const execution = await container.exec({ Cmd: argv, AttachStdout: true, AttachStderr: true })
  const stream = await execution.start({})
  stream.resume()
  await new Promise((resolve) => stream.on('end', resolve))
  return (await execution.inspect()).ExitCode
}

async function change(subscription: string, product: string, quantity: string): Promise<number> {
  const { lines } = (await diary.subscription(subscription)) as { lines: Json[] }
  const line = lines.find((one) => one['product'] === product && one['ends_on'] === null)
  const startedAt = performance.now()
  await diary.post(`/v1/subscriptions/${subscription}/change-plan`, { line: line?.['id'], quantity })
  return performance.now() - startedAt
}

/** How long the page takes. */
async function fetchPage(subscription: string): Promise<number> {
  const { address } = (await instanceOf(subscription)) as { address: string }
  const startedAt = performance.now()
  const response = await fetch(address)
  assert.equal((await response.arrayBuffer()).byteLength, pageBytes)
  return performance.now() - startedAt
}

/** What a webhook was told of the limit of a subscription, once it was told so much. */
async function untilPosted(subscription: string, limit: string, count: number): Promise<unknown[]> {
  return await until(`${count} messages of ${limit}`, async () => {
    await installation.relay()
    const events = receiver.received.map(({ event }) => event)
    const of = events.filter(
      ({ subscription: told, data }) => told === subscription && (data as Json)['limit'] === limit,
    )
    return of.length >= count && of.map(({ kind }) => kind)
  })
}

let cookie = ''

/** Whether the console says of a subscription that a limit is reached. */
async function seenInConsole(subscription: string): Promise<boolean> {
  const { app, db } = installation
  cookie ||= await signIn({ db, request: async (address, init) => await app.request(address, init) })
  const headers = { accept: 'text/html', cookie }
  const page = await (await app.request(`/subscriptions/${subscription}`, { headers })).text()
  assert.match(page, /Limits/)
  return page.includes('limit reached')
}

async function limitEvents(subscription: string): Promise<string[]> {
  const events = await diary.events(subscription)
  return events
    .filter(({ kind }) => /^limit\.(reached|held|lifted)$/.test(String(kind)))
    .map(({ kind, data }) => {
      const { limit, way } = data as Json
      return `${String(kind)} ${String(limit)} ${String(way)}`
    })
    .toReversed()
}

const listLimited = async () =>
  (await diary.list('/v1/subscriptions?limited=true')).map((subscription) => subscription['id'])

/** What the customer sees who was let into the portal by a link. */
async function openPortal(): Promise<(path: string) => Promise<string>> {
  const { url } = await diary.post('/v1/customers/harbour-bakery/portal-links', {}, 201)
  const headers = { 'sec-fetch-site': 'same-origin' }
  const { pathname } = new URL(String(url))
  const entered = await installation.app.request(pathname, { method: 'POST', headers })
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
  return async (path) => await (await installation.app.request(path, { headers: { cookie } })).text()
}

async function limitAttribute(subscription: string): Promise<unknown> {
  const { searchAttributes } = await installation.client.workflow
    .getHandle(workflowIds.subscription(subscription))
    .describe()
  return searchAttributes['Limit']?.[0] ?? null
}

chapter('what an application cannot hold is sold with a warning only, or not at all', async () => {
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  await sellShelf()
  const mails = { ...threshold, code: 'shelf-mails', name: 'Mails', limit: 'mails' }
  const refused = await installation.call('POST', '/v1/products', mails)
  assert.deepEqual(
    [refused.status, refused.body['code'], (refused.body['errors'] as Json[])[0]?.['pointer']],
    [409, 'limit_not_enforceable', '/terms/enforcement'],
  )
  await diary.post('/v1/products', { ...mails, terms: { enforcement: 'soft' } }, 201)
})

chapter('sold memory is the memory of the container, and more of it is given while it runs', async () => {
  shelf = await diary.order([{ kit: 'shelf' }])
  relay = await diary.order([{ kit: 'relay' }])
  await diary.untilPhase(shelf, 'active')
  await diary.untilPhase(relay, 'active')
  const container = await containerOf(shelf)
  assert.equal((await container.inspect()).HostConfig.Memory, 48 * 1024 * 1024)
  const { State: before } = await container.inspect()
  await change(shelf, 'shelf-memory', '64')
  const { HostConfig: limits, State: state } = await container.inspect()
  assert.deepEqual([limits.Memory, state.StartedAt], [64 * 1024 * 1024, before.StartedAt])
})

chapter('a full disk becomes read-only, which is seen everywhere, and an upgrade lifts it', async () => {
  const { secret } = await diary.post(
    '/v1/webhooks',
    { url: receiver.url, kinds: ['limit.reached', 'limit.lifted'] },
    201,
  )
  receiver.secrets.push(String(secret))
  await startSampler()
  assert.equal(await run(shelf, 'dd', 'if=/dev/zero', 'of=/data/fill', 'bs=64k', 'count=17'), 0)
  const crossedAt = performance.now()
  const limit = await untilHeld(shelf, 'disk')
  assert.ok(performance.now() - crossedAt < 60_000)
  assert.equal((limit['hold'] as Json)['way'], 'read_only')
  assert.notEqual(await run(shelf, 'touch', '/data/more'), 0)
  await fetchPage(shelf)
  assert.equal((await instanceOf(shelf))['state'], 'limited')
  assert.deepEqual((await diary.subscription(shelf))['limits_reached'], ['disk'])
  assert.deepEqual(await listLimited(), [shelf])
  assert.equal((await diary.list('/v1/instances?state=limited')).length, 1)
  assert.equal(await limitAttribute(shelf), 'disk')
  assert.ok(await seenInConsole(shelf))
  assert.deepEqual(await untilPosted(shelf, 'disk', 1), ['limit.reached'])
  const seeInPortal = await openPortal()
  const page = `/portal/subscriptions/${shelf}`
  assert.match(
    await seeInPortal(page),
    /Limit reached.*shelf-disk: the limit is reached\.<\/strong> Nothing new can be saved for now\./s,
  )
  assert.ok(performance.now() - crossedAt < 60_000)

  assert.ok((await change(shelf, 'shelf-disk', '10')) < 10_000)
  assert.equal(await run(shelf, 'touch', '/data/more'), 0)
  assert.equal((await instanceOf(shelf))['state'], 'running')
  assert.deepEqual(await listLimited(), [])
  assert.equal(await limitAttribute(shelf), null)
  assert.ok(!(await seenInConsole(shelf)))
  assert.deepEqual((await diary.subscription(shelf))['limits_reached'], [])
  assert.deepEqual(await untilPosted(shelf, 'disk', 2), ['limit.reached', 'limit.lifted'])
  assert.ok(receiver.received.every(({ signedBy }) => signedBy.length === 1))
  assert.doesNotMatch(await seeInPortal(page), /reached/)
  assert.deepEqual(await limitEvents(shelf), [
    'limit.reached disk read_only',
    'limit.held disk read_only',
    'limit.lifted disk null',
  ])
  const warned = (await diary.events(shelf)).filter(({ kind }) => kind === 'limit.warned')
  const shares = warned.map(({ data }) => String((data as Json)['threshold']))
  assert.deepEqual(shares.toSorted(), ['100 %', '80 %'])
})

chapter('traffic over what was sold is slowed down, and an upgrade lifts it', async () => {
  const fastest = async (pages: number) => {
    const taken: number[] = []
    for (let page = 0; page < pages; page += 1) taken.push(await fetchPage(relay))
    return Math.min(...taken)
  }
  const fast = await fastest(11)
  const crossedAt = performance.now()
  await untilHeld(relay, 'traffic')
  assert.ok(performance.now() - crossedAt < 60_000)
  // Of 120 KiB, 16 go at once and the rest at 64 kB a second: no machine is too slow for the least that this takes.
  const slow = await fetchPage(relay)
  assert.ok(slow > 1_500 && fast < 1_400, `${fast} ms before, ${slow} ms held`)
  assert.ok((await change(relay, 'shelf-traffic', '50')) < 10_000)
  const lifted = await fastest(5)
  assert.ok(lifted < 1_400, `${slow} ms held, ${lifted} ms lifted`)
  assert.deepEqual(await limitEvents(relay), [
    'limit.reached traffic throttle_network',
    'limit.held traffic throttle_network',
    'limit.lifted traffic null',
  ])
})

/** Each by one product: its limit, and what is seen of its container while it is held. */
const ways = [
  { limit: 'shut', way: 'block_ingress', seen: { isRunning: true, networks: 1, ports: 0 } },
  { limit: 'cut', way: 'block_network', seen: { isRunning: true, networks: 0, ports: 0 } },
  { limit: 'halted', way: 'stop', seen: { isRunning: false, networks: 1, ports: 1 } },
] as const

async function seenOf(subscription: string) {
  const {
    State: state,
    HostConfig: config,
    NetworkSettings: settings,
  } = await (await containerOf(subscription)).inspect()
  const networks = Object.keys(settings.Networks).filter((name) => name !== 'none')
  const ports = Object.keys((config.PortBindings ?? {}) as object)
  return { isRunning: state.Running, networks: networks.length, ports: ports.length }
}

chapter(
  'a full disk shuts the door, cuts the network or stops, as it is sold, and an upgrade brings it back',
  async () => {
    const product = (limit: string) => ({ ...threshold, code: `shelf-${limit}`, name: limit, limit })
    for (const { limit } of ways) await diary.post('/v1/products', product(limit), 201)
    const held = await Promise.all(
      ways.map(async (of) => ({ ...of, sold: await diary.order([{ product: `shelf-${of.limit}` }]) })),
    )
    for (const { sold } of held) await diary.untilPhase(sold, 'active')
    await Promise.all(
      held.map(async ({ sold, limit, way, seen }) => {
        await fetchPage(sold)
        assert.equal(await run(sold, 'dd', 'if=/dev/zero', 'of=/data/fill', 'bs=64k', 'count=17'), 0)
        assert.equal(((await untilHeld(sold, limit))['hold'] as Json)['way'], way)
        assert.deepEqual(await seenOf(sold), seen)
        await assert.rejects(fetchPage(sold))
        await change(sold, `shelf-${limit}`, '10')
        await until('it answers again', async () => (await fetchPage(sold).catch(() => 0)) > 0)
        assert.equal((await instanceOf(sold))['state'], 'running')
        assert.deepEqual(await limitEvents(sold), [
          `limit.reached ${limit} ${way}`,
          `limit.held ${limit} ${way}`,
          `limit.lifted ${limit} null`,
        ])
      }),
    )
  },
)

chapter(
  'of a hundred who want the last unit at once one gets it, and it is limited until it is given back',
  async () => {
    const { id } = await instanceOf(shelf)
    const address = `/v1/instances/${String(id)}/limits/seats/reservations`
    const { id: first } = await diary.post(address, { reference: 'ada' }, 201)
    await diary.post(`/v1/unit-reservations/${String(first)}/confirm`, {})
    const replies = await Promise.all(
      Array.from({ length: 100 }, async () => await installation.call('POST', address, {})),
    )
    const codes = Map.groupBy(
      replies,
      ({ status, body }) => `${status} ${String(body['code'] ?? body['state'])}`,
    )
    assert.deepEqual([...codes].map(([code, of]) => `${code}: ${of.length}`).toSorted(), [
      '201 reserved: 1',
      '409 limit_reached: 99',
    ])
    assert.equal((await diary.list(`/v1/unit-reservations?instance=${String(id)}&held=true`)).length, 2)
    assert.equal((await limitOf(shelf, 'seats'))['used_quantity'], '2')
    await until('it is limited', async () => (await instanceOf(shelf))['state'] === 'limited')
    await diary.post(`/v1/unit-reservations/${String(first)}/release`, {})
    await until('it is limited no more', async () => (await instanceOf(shelf))['state'] === 'running')
  },
)
