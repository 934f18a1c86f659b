import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before } from 'node:test'
import { seedInstallation } from '#bin/demo-catalog.ts'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  seedApplication,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { runIn } from '#test/support/kept-data.ts'

// An installation sells an installation: containers of its own program. The first run with a changed program builds the image anew,
// which takes half a minute, and the first run on a machine builds its base as well, which takes some minutes; both are kept.

const builtWithinMs = 9 * 60_000

let parent: TestInstallation
let diary: Diary
let subscription: string
let address: string
let instance: string
const relaying = new AbortController()
let relays: Promise<void>

before(async () => {
  parent = await startInstallation({ isServed: true })
  diary = createDiary(parent)
  await seedApplication(parent.db, 'clouder')
  await seedInstallation(parent.db)
  relays = relayUntilOver()
})
after(async () => {
  relaying.abort()
  await relays
  await parent.stop()
})

/** As an API process does each moment. */
async function relayUntilOver(): Promise<void> {
  while (!relaying.signal.aborted) {
    await parent.relay()
    await sleep(200)
  }
}

async function container(component: string) {
  const { docker, containers } = await listObjects(parent.installationId)
  const found = containers.find(({ Labels: labels }) => labels['io.clouder.component'] === component)
  return docker.getContainer(found?.Id ?? '')
}

/** The child's own command line. */
async function inChild(...argv: string[]): Promise<Json[]> {
  return JSON.parse(await runIn(await container('api'), ['clouder', ...argv, '--json'].join(' '))) as Json[]
}

const peers = async () => await diary.list('/v1/peers')

chapter(
  'an installation is sold by one call: it answers, and is an active peer as the last step',
  async () => {
    subscription = await diary.order([
      { product: 'clouder', fields: { seller: 'Harbour Hosting', currency: 'USD' } },
      { product: 'clouder-network' },
    ])
    const active = await diary.untilPhase(subscription, 'active', builtWithinMs)
    const [deployed] = active['instances'] as { id: string; address: string }[]
    address = new URL(deployed?.address ?? '').origin
    instance = deployed?.id ?? ''
    assert.equal((await fetch(`${address}/readyz`)).status, 200)
    const [peer] = await peers()
    assert.deepEqual(
      [peer?.['state'], peer?.['role'], peer?.['url'], peer?.['name']],
      ['active', 'customer', address, 'Harbour Hosting'],
    )
    const [supplier] = await inChild('peers')
    assert.deepEqual([supplier?.['state'], supplier?.['role']], ['active', 'supplier'])
  },
)

chapter('G-17 its first bill is a supplier invoice in its own books, without a hand', async () => {
  const [invoice] = await diary.invoices(subscription)
  const [received] = await until('a supplier invoice', async () => {
    const found = await inChild('supplier-invoices')
    return found.length > 0 && found
  })
  assert.deepEqual(
    [received?.['number'], received?.['total']],
    [invoice?.['number'], invoice?.['total']],
    JSON.stringify(received),
  )
})

chapter('who ordered it is let in, and it sells in its turn once it has a server', async () => {
  const link = await diary.post(`/v1/instances/${instance}/login-links`, {}, 201)
  const { pathname } = new URL(String(link['url']))
  const opened = await parent.app.request(pathname, { method: 'POST', headers: { origin: parent.publicUrl } })
  const way = opened.headers.get('location') ?? ''
  assert.ok(way.startsWith(`${address}/login/`), way)
  assert.equal((await fetch(way)).status, 200)
  const sold = (await inChild('applications')).map(({ code }) => code)
  assert.ok(sold.includes('clouder'), JSON.stringify(sold))
})

chapter(
  'cancelled while it does not answer, it waits for its last bill, and everybody sees what for',
  async () => {
    await (await container('api')).stop()
    await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now' })
    await until('the unbuild says what it waits for', async () => {
      const events = await diary.events(subscription)
      return events.some((event) => JSON.stringify(event).includes('messages wait for it since'))
    })
    const { containers } = await listObjects(parent.installationId)
    assert.equal(containers.length, 5, 'nothing is removed before it has its last bill')
    await (await container('api')).start()
  },
)

chapter('it gets its last bill, is let go, saved and removed, and nothing is left', async () => {
  await diary.untilPhase(subscription, 'ended', 3 * 60_000)
  const [peer] = await peers()
  assert.deepEqual([peer?.['state'], peer?.['waiting']], ['closed', 0])
  const invoices = await diary.invoices(subscription)
  assert.ok(invoices.length > 1, 'there is a last bill')
  const undelivered = await parent.db
    .selectFrom('peer_messages')
    .select('sequence')
    .where('delivered_at', 'is', null)
    .execute()
  assert.deepEqual(undelivered, [])
  const told = (await diary.events(subscription)).map(
    ({ kind, data }) => `${String(kind)} ${JSON.stringify(data)}`,
  )
  assert.ok(
    told.some((line) => line.includes('backup')),
    told.join('\n'),
  )
  const left = await listObjects(parent.installationId)
  assert.deepEqual([left.containers, left.volumes ?? [], left.networks], [[], [], []])
})
