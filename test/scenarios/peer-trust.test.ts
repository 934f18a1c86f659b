import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { peerPaths } from '#domain/peer-message.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'

let parent: TestInstallation
let child: TestInstallation
let customerId = ''
/** The child, as the parent knows it, and the other way round. */
let peer = ''
let supplier = ''
let childClockMs = 0

before(async () => {
  parent = await startInstallation({ isServed: true })
  child = await startInstallation({
    isServed: true,
    now: () => new Date(Date.now() + childClockMs).toISOString(),
  })
  const made = await parent.call('POST', '/v1/customers', {
    code: 'reseller',
    name: 'Reseller',
    currency: 'USD',
  })
  customerId = decodeId('customer', String(made.body['id']))
})
after(async () => {
  await child.stop()
  await parent.stop()
})

const bill = async () => (await insertOneOffInvoice(parent.db, customerId, [['1', '1.00']])).number

const numbers = async () =>
  (await child.db.selectFrom('supplier_invoices').select('number').orderBy('id').execute()).map(
    ({ number }) => number,
  )

const relay = async () => {
  await parent.relay()
  await child.relay()
}

/** As the relay of an API process does each moment. */
const soon = async <T>(what: string, look: () => Promise<T | undefined | false>) =>
  await until(what, async () => {
    await relay()
    return await look()
  })

const untilReceived = async (expected: readonly string[]) =>
  await soon(`${expected.length} in order`, async () => {
    const found = await numbers()
    return found.length >= expected.length && (assert.deepEqual(found, expected), true)
  })

const stateOf = async (side: TestInstallation) =>
  (await side.call('GET', `/v1/peers/${side === parent ? peer : supplier}`)).body

interface Key {
  readonly fingerprint: string
  readonly public_key: string
  readonly side: 'ours' | 'theirs'
  readonly since: string | null
  readonly until: string | null
  readonly revoked_at: string | null
}
const keysOf = async (side: TestInstallation) => (await stateOf(side))['keys'] as Key[]

const command = async (side: TestInstallation, name: string, body: object = {}) => {
  const of = side === parent ? peer : supplier
  const { status, body: said } = await side.call('POST', `/v1/peers/${of}/${name}`, body)
  assert.equal(status, 200, JSON.stringify(said))
  return said
}

const openTask = async (side: TestInstallation, kind: string) => {
  const tasks = (await side.call('GET', '/v1/tasks?open=true')).body['data'] as Json[]
  const found = tasks.filter((task) => task['kind'] === kind)
  assert.ok(found.length <= 1, `one alert of ${kind}, not ${found.length}`)
  return found[0]
}

/** What stands before an installation, until it is taken away. */
function standBefore(
  side: TestInstallation,
  answer: (request: Request, open: typeof fetchIt) => Promise<Response>,
) {
  const { door } = side
  assert.ok(door)
  const fetchIt = async (request: Request) => await side.app.fetch(request)
  door.lead(async (request) => await answer(request, fetchIt))
  return () => door.lead(fetchIt)
}
declare function fetchIt(request: Request): Promise<Response>

const isPath = (request: Request, path: string) => new URL(request.url).pathname === path

const billed: string[] = []

test('to an installation that understands version 1 documents go as version 1; what is newer waits with one alert, and flows once it understands it', async () => {
  // As installations were paired before anybody said what it understands.
  const openParent = standBefore(parent, async (request, open) => {
    if (!isPath(request, peerPaths.redemption)) return await open(request)
    const { understands: _understands, above: _above, ...said } = (await request.json()) as Json
    return await open(
      new Request(request.url, { method: 'POST', headers: request.headers, body: JSON.stringify(said) }),
    )
  })
  const asked: Json[] = []
  const openChild = standBefore(child, async (request, open) => {
    asked.push((await request.clone().json()) as Json)
    if (!isPath(request, peerPaths.firstMessages)) return new Response('{}', { status: 404 })
    const { results } = (await (await open(request)).json()) as Json
    return Response.json({ results })
  })
  const invited = await parent.call('POST', '/v1/peers/invitations', {
    role: 'customer',
    customer: 'reseller',
  })
  peer = String(invited.body['peer'])
  const accepted = await child.call('POST', '/v1/peers', { invitation: invited.body['invitation'] })
  supplier = String(accepted.body['id'])
  await soon('both are active', async () => (await stateOf(child))['state'] === 'active')
  assert.equal((await stateOf(parent))['understands'], 1)
  openParent()

  await command(parent, 'rotate-key')
  billed.push(await bill(), await bill())
  await untilReceived(billed)
  const task = await soon('an alert', async () => await openTask(parent, 'peer_outdated'))
  assert.match(String(task['detail']), /1 of kind key/)
  assert.deepEqual([...new Set(asked.map(({ version }) => version))], [1])
  assert.equal((await stateOf(parent))['waiting'], 1)

  openChild()
  billed.push(await bill())
  await untilReceived(billed)
  await soon('nothing waits', async () => (await stateOf(parent))['waiting'] === 0)
  assert.deepEqual(
    [(await stateOf(parent))['understands'], await openTask(parent, 'peer_outdated')],
    [2, undefined],
  )
})

test('keys that are rotated on both sides while messages wait lose nothing; the new ones sign, the old ones hold for a day (G-20 F55)', async () => {
  const open = standBefore(child, async () => new Response('', { status: 503 }))
  for (let index = 0; index < 3; index += 1) billed.push(await bill())
  await command(parent, 'rotate-key')
  await command(child, 'rotate-key')
  for (let index = 0; index < 3; index += 1) billed.push(await bill())
  open()
  await untilReceived(billed)
  for (const [side, other] of [
    [parent, child],
    [child, parent],
  ] as const) {
    const signing = await soon('the next one signs', async () => {
      const ours = (await keysOf(side)).filter((key) => key.side === 'ours')
      return ours.every(({ since }) => since !== null) && ours[0]
    })
    const theirs = (await keysOf(other)).filter((key) => key.side === 'theirs')
    assert.deepEqual([theirs[0]?.fingerprint, theirs[0]?.until], [signing.fingerprint, null])
    const old = Date.parse(theirs[1]?.until ?? '') - Date.parse(theirs[0]?.since ?? '')
    assert.equal(old, 24 * 60 * 60_000)
  }
  billed.push(await bill())
  await untilReceived(billed)
})

test('a key that was taken, whose answer was lost until the old one was over, signs all the same', async () => {
  let isLost = false
  const open = standBefore(child, async (request, answer) => {
    if (isLost) return new Response('', { status: 502 })
    const taken = await answer(request)
    isLost = taken.status === 200
    return new Response('', { status: 502 })
  })
  await command(parent, 'rotate-key')
  await soon('it was taken', async () => isLost)
  const over = new Date(Date.now() - 1_000).toISOString()
  await child.db
    .updateTable('peer_keys')
    .set({ expires_at: over })
    .where('is_own', '=', false)
    .where('expires_at', 'is not', null)
    .execute()
  billed.push(await bill())
  open()
  await untilReceived(billed)
  await soon('it signs', async () => (await keysOf(parent)).every(({ since }) => since !== null))
})

test('clocks ten minutes apart: refused and kept, an operator is told by how much, and it comes once they are right (F54)', async () => {
  childClockMs = 600_000
  billed.push(await bill())
  const task = await soon('an alert', async () => await openTask(parent, 'peer_refuses'))
  const [, seconds] = /clocks differ by (\d+) seconds: it is 20\S+Z here, and 20\S+Z over there/.exec(
    String(task['detail']),
  ) ?? ['', '0']
  assert.ok(Math.abs(Number(seconds) - 600) < 60, String(task['detail']))
  const there = await openTask(child, 'peer_message_refused')
  assert.match(String(there?.['detail']), /peer_message_expired/)
  assert.deepEqual([(await stateOf(parent))['state'], await numbers()], ['active', billed.slice(0, -1)])
  childClockMs = 0
  await untilReceived(billed)
  await soon('nothing is left to be done', async () => (await openTask(parent, 'peer_refuses')) === undefined)
})

test('who is told to come more slowly comes as late as it was told', async () => {
  const at: number[] = []
  const open = standBefore(child, async (request, answer) => {
    const wait = ['1', '2'][at.length]
    at.push(Date.now())
    if (wait === undefined) return await answer(request)
    return new Response('', { status: 429, headers: { 'retry-after': wait } })
  })
  billed.push(await bill())
  await untilReceived(billed)
  open()
  const [first = 0, second = 0, third = 0] = at
  assert.ok(second - first >= 1_000 && third - second >= 2_000, at.join())
})

test('a revoked key is refused from the next message on; the other one goes on when a person has pinned it', async () => {
  const [signing] = (await keysOf(parent)).filter((key) => key.side === 'ours')
  assert.ok(signing)
  await command(child, 'revoke-key', { fingerprint: signing.fingerprint })
  billed.push(await bill())
  const task = await soon('an alert', async () => await openTask(parent, 'peer_refuses'))
  assert.match(String(task['detail']), /peer_signature_refused.*pin-key/)
  assert.ok(await openTask(child, 'peer_message_refused'))
  assert.deepEqual(await numbers(), billed.slice(0, -1))
  await command(parent, 'revoke-key', { fingerprint: signing.fingerprint })
  const [next] = (await keysOf(parent)).filter((key) => key.side === 'ours')
  assert.ok(next)
  await command(child, 'pin-key', { public_key: next.public_key })
  await untilReceived(billed)
  for (const side of [parent, child]) {
    const revoked = (await keysOf(side)).find(({ fingerprint }) => fingerprint === signing.fingerprint)
    assert.notEqual(revoked?.revoked_at, null)
  }
})

test('who is billed does not bill: a circle is refused over there, and an operator is told', async () => {
  const invited = await child.call('POST', '/v1/peers/invitations', { role: 'supplier' })
  const accepted = await parent.call('POST', '/v1/peers', {
    invitation: invited.body['invitation'],
    customer: 'reseller',
  })
  assert.equal(accepted.body['code'], 'peer_taken')
  await child.call('POST', '/v1/customers', { code: 'upstream', name: 'Upstream', currency: 'USD' })
  const turned = await child.call('POST', '/v1/peers/invitations', { role: 'customer', customer: 'upstream' })
  const { body } = await parent.call('POST', '/v1/peers', { invitation: turned.body['invitation'] })
  const task = await soon('an alert', async () => await openTask(parent, 'peer_halted'))
  assert.match(String(task['detail']), /peer_cycle/)
  const { body: left } = await parent.call('GET', `/v1/peers/${String(body['id'])}`)
  assert.equal(left['state'], 'accepting')
  assert.equal(left['waiting_reason'], task['detail'])
  assert.match(String(task['detail']), /Close the peer, and accept another invitation\.$/)
})

test('a peer that is closed while messages wait is sent nothing more; what waits stays, and is shown (F57)', async () => {
  const open = standBefore(child, async () => new Response('', { status: 503 }))
  await bill()
  await soon('it was tried', async () => (await stateOf(parent))['waiting_reason'] !== null)
  await command(parent, 'close')
  open()
  await soon('its workflow has ended', async () => {
    const { status } = await parent.client.workflow.getHandle(`peer/${peer}`).describe()
    return status.name === 'COMPLETED'
  })
  const { state, waiting } = await stateOf(parent)
  assert.deepEqual([state, waiting, await numbers()], ['closed', 1, billed])
  assert.ok((await keysOf(parent)).every(({ revoked_at: revokedAt }) => revokedAt !== null))
})

test('paired with anew, it gets what it never took before, once and in order: what waited, and what was finalized for it since', async () => {
  const waited = (await documentsOf(peer)).at(-1)
  assert.ok(waited)
  const finalize = async () => await insertOneOffInvoice(parent.db, customerId, [['1', '2.00']])
  const [paid, open] = [await finalize(), await finalize()]
  const amount = { amount_minor: 240, currency: 'USD' }
  const payment = await parent.call('POST', `/v1/invoices/${encodeId('invoice', paid.id)}/payments`, amount)
  assert.equal(payment.status, 200, JSON.stringify(payment.body))
  const former = peer
  const shown = async () => {
    const { state, waiting, untaken } = (await parent.call('GET', `/v1/peers/${former}`)).body
    return [state, waiting, untaken]
  }
  assert.deepEqual(await shown(), ['closed', 1, 3])

  await command(child, 'close')
  const invited = await parent.call('POST', '/v1/peers/invitations', {
    role: 'customer',
    customer: 'reseller',
  })
  peer = String(invited.body['peer'])
  const accepted = await child.call('POST', '/v1/peers', { invitation: invited.body['invitation'] })
  supplier = String(accepted.body['id'])
  billed.push(waited, paid.number, open.number)
  await untilReceived(billed)
  assert.deepEqual(await shown(), ['closed', 0, 0])
  assert.deepEqual(await documentsOf(peer), billed.slice(-3))
  const said = await soon('the supplier says that one is paid', async () => {
    const rows = (await child.call('GET', '/v1/supplier-invoices')).body['data'] as Json[]
    const says = rows.find(({ number }) => number === paid.number)?.['supplier_says'] as Json | null
    return says ?? undefined
  })
  assert.equal(said['state'], 'paid')
  billed.push(await bill())
  await untilReceived(billed)
})

/** Their numbers, as they were queued for it. */
async function documentsOf(publicId: string): Promise<string[]> {
  const rows = await parent.db
    .selectFrom('peer_messages')
    .innerJoin('invoices', 'invoices.id', 'peer_messages.subject_id')
    .select('invoices.number')
    .where('peer_messages.peer_id', '=', decodeId('peer', publicId))
    .where('peer_messages.kind', '=', 'document')
    .orderBy('peer_messages.sequence')
    .execute()
  return rows.map(({ number }) => number ?? '')
}
