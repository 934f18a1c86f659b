import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { sql } from 'kysely'
import { seedInstallation } from '#bin/demo-catalog.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
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
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { pairInstallations, relayAlways, type ChainLink } from '#test/support/peer-chain.ts'

// An installation sells an installation: containers of its own program. The first run with a changed program builds the image anew,
// which takes half a minute, and the first run on a machine builds its base as well, which takes some minutes; both are kept.
// Who sells it is billed by an installation itself, so there are three levels.

const builtWithinMs = 9 * 60_000

let top: TestInstallation
let parent: TestInstallation
let above: ChainLink
let diary: Diary
let subscription: string
let address: string
let instance: string
let stopRelay: (() => Promise<void>) | undefined

before(async () => {
  ;[top, parent] = await Promise.all([
    startInstallation({ isServed: true }),
    startInstallation({ isServed: true }),
  ])
  diary = createDiary(parent)
  await seedApplication(parent.db, 'clouder')
  await seedInstallation(parent.db)
  stopRelay = relayAlways([top, parent])
  above = await pairInstallations(top, parent, 'middle')
})
after(async () => {
  await stopRelay?.()
  await parent.stop()
  await top.stop()
})

async function container(component: string) {
  const { docker, containers } = await listObjects(parent.installationId)
  const found = containers.find(({ Labels: labels }) => labels['io.clouder.component'] === component)
  return docker.getContainer(found?.Id ?? '')
}

/** The child's own command line. */
async function inChild<Answer = Json[]>(...argv: string[]): Promise<Answer> {
  return JSON.parse(await runIn(await container('api'), ['clouder', ...argv, '--json'].join(' '))) as Answer
}

/** The one that is sold. */
const peers = async () => (await diary.list('/v1/peers')).filter(({ role }) => role === 'customer')

/** The tables in which a row says something of this. */
async function listTablesWith({ db }: TestInstallation, text: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
      and xpath_exists('//row', query_to_xml(
        format('select 1 from %I one where strpos(one::text, %L) > 0 limit 1', relname, ${text}::text), false, false, ''))
    order by relname`.execute(db)
  return rows.map(({ name }) => name)
}

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

chapter('G-16 each level sees only the one next to it, whoever bills whom meanwhile', async () => {
  const billed = await insertOneOffInvoice(top.db, above.customerId, [['1', '12.00']])
  const [received] = await until('the seller has its own supplier invoice', async () => {
    const found = await diary.list('/v1/supplier-invoices')
    return found.length > 0 && found
  })
  assert.equal(received?.['document'], encodeId('invoice', billed.id))
  const documents = await inChild('supplier-invoices')
  const own = (await diary.invoices(subscription)).map(({ id }) => String(id))
  assert.deepEqual(documents.map(({ document }) => String(document)).toSorted(), own.toSorted())
  // Nothing that is kept up there names it: by its id, its address, its seller or its bill.
  const [sold] = await peers()
  const ids = [decodeId('installation', String(sold?.['installation'])), decodeId('invoice', own[0] ?? '')]
  for (const known of [...ids, address, 'Harbour Hosting'])
    assert.deepEqual(await listTablesWith(top, known), [], known)
  const [seller] = await top.db.selectFrom('peers').select('installation_id').execute()
  assert.notDeepEqual(await listTablesWith(top, seller?.installation_id ?? ''), [])
})

chapter('G-16 a link by which it would bill the top closes a circle, and is refused', async () => {
  await inChild<Json>('customers', 'create', 'top', '--name', 'Top', '--currency', 'USD')
  const invited = await inChild<Json>('peers', 'invite', '--customer', 'top')
  const accepted = await top.call('POST', '/v1/peers', { invitation: invited['invitation'] })
  assert.equal(accepted.status, 201, JSON.stringify(accepted.body))
  const task = await until('an operator is told', async () => {
    const tasks = (await top.call('GET', '/v1/tasks')).body['data'] as Json[]
    return tasks.find(({ kind }) => kind === 'peer_halted')
  })
  assert.match(String(task['detail']), /peer_cycle/)
  const { body: left } = await top.call('GET', `/v1/peers/${String(accepted.body['id'])}`)
  assert.deepEqual([left['state'], left['paired_at']], ['accepting', null])
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
