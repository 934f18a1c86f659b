import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { listFilelessDocuments } from '#db/peer-file.ts'
import { decodeId } from '#domain/identifier.ts'
import { randomOf } from '#test/properties/usage-story.ts'
import { cutConnections } from '#test/races/cut.ts'
import { listBilledDocuments } from '#test/support/billed-documents.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import {
  bill,
  compareLink,
  readPeers,
  startPeerChain,
  type Bill,
  type ChainLink,
} from '#test/support/peer-chain.ts'
import { makeWeather } from '#test/support/peer-weather.ts'
import { holds } from '#test/support/property.ts'

/**
 * With CLOUDER_TEST_CASES=20 twenty seeds of a thousand documents each, among installations that share neither a process nor a
 * namespace; without it one seed of a few documents, of which only the child is apart.
 */
const isLong = process.env['CLOUDER_TEST_CASES'] !== undefined
const documentsPerSeed = isLong ? 1_000 : 40
const pauseMs = 200
const limitMs = 3 * 3_600_000
const tenMinutesMs = 600_000
/** Files are pressed and sent behind their documents. */
const patienceMs = isLong ? 30 * 60_000 : 5 * 60_000

let chain: Awaited<ReturnType<typeof startPeerChain>>
/** Bills what the child bills, and has never heard of another installation. */
let alone: TestInstallation

before(async () => {
  ;[chain, alone] = await Promise.all([startPeerChain(isLong), startInstallation({ hasWorkers: false })])
  const grandchild = { code: 'grandchild', name: 'grandchild', currency: 'USD' }
  assert.equal((await alone.call('POST', '/v1/customers', grandchild)).status, 201)
})
after(async () => {
  await alone.stop()
  await chain.stop()
})

function drawBill(random: () => number, customer: string): Bill {
  if (random() < 0.1) return { customer, creditMinor: 1 + Math.floor(random() * 5) }
  const prices = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const quantity = String(1 + Math.floor(random() * 9))
    return [quantity, (1 + random() * 99).toFixed(2)] as const
  })
  return { customer, prices }
}

/** What has happened in all the seeds, to messages and to the child. */
const happened = new Map<string, number>()
const count = (name: string, times = 1) => happened.set(name, (happened.get(name) ?? 0) + times)

/** What is done to the child besides what happens to its messages. */
const strikes: Readonly<Record<string, (random: () => number) => Promise<void>>> = {
  'API killed': async () => chain.api.restart(),
  'clock off': async (random) => {
    await chain.api.restart(random() < 0.5 ? tenMinutesMs : -tenMinutesMs)
    await sleep(2_000)
    await chain.api.restart()
  },
  'database cut': async () => void (await cutConnections(chain.child.databaseUrl, 'clouder api', 0.7)),
  'keys rotated': rotateKeys,
  // What it was sending is tried again once Temporal has not heard of it for 45 s.
  'worker killed': async () => chain.worker.kill(),
}
if (isLong) for (const name of Object.keys(strikes)) count(name, 0)

/** Each at a drawn moment of the run: all of them, but seldom the dearest; in a short run one. */
function drawStrikes(random: () => number, batches: number): Map<number, () => Promise<void>> {
  const drawn = Object.entries(strikes)
    .filter(([name]) => name !== 'worker killed' || (isLong && random() < 0.3))
    .map(([name, strike]) => ({ name, strike, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, isLong ? undefined : 1)
  return new Map(
    drawn.map(({ name, strike }, index) => [
      Math.floor(((index + random()) * batches) / drawn.length),
      async () => {
        count(name)
        await strike(random)
      },
    ]),
  )
}

/** On both sides of both links, while messages wait and are lost. */
async function rotateKeys(): Promise<void> {
  for (const { supplier, customer, peer, supplierPeer } of chain.links)
    for (const [side, id] of [
      [supplier, peer],
      [customer, supplierPeer],
    ] as const) {
      const { status, body } = await side.call('POST', `/v1/peers/${id}/rotate-key`, {})
      // One that is not known over there yet is not followed by another.
      assert.ok(status === 200 || body['code'] === 'action_not_allowed', JSON.stringify(body))
    }
}

/** @returns what the child has billed, in its order */
async function billThroughWeather(random: () => number): Promise<Bill[]> {
  const batches = Math.ceil(documentsPerSeed / 10)
  const drawn = drawStrikes(random, batches)
  const underWay: Promise<void>[] = []
  const billedByChild: Bill[] = []
  for (let batch = 0; batch < batches; batch += 1) {
    const strike = drawn.get(batch)
    if (strike !== undefined) underWay.push(strike())
    if (batch === Math.floor(batches / 2)) await rotateKeys()
    const ofParent = Array.from({ length: 5 }, () => drawBill(random, 'child'))
    const ofChild = Array.from({ length: 5 }, () => drawBill(random, 'grandchild'))
    ofChild.push(drawBill(random, 'harbour-bakery'))
    await Promise.all([billAll(chain.parent, ofParent), billAll(chain.child, ofChild)])
    billedByChild.push(...ofChild)
    await sleep(random() * pauseMs)
  }
  await Promise.all(underWay)
  return billedByChild
}

async function billAll(seller: TestInstallation, bills: readonly Bill[]): Promise<void> {
  for (const one of bills) await bill(seller, one)
}

/** Before child and grandchild: both links have weather of their own. */
function makeWeathers(random: () => number) {
  const { api, child, grandchild } = chain
  const toChild = makeWeather({
    random,
    share: 0.5,
    forward: api.forward,
    strike: async () => {
      await sleep(random() * 40)
      if (random() < 0.5) await api.kill()
      else await cutConnections(child.databaseUrl, 'clouder api')
      await api.restart()
    },
  })
  const toGrandchild = makeWeather({
    random,
    share: 0.3,
    forward: chain.forwardToGrandchild,
  })
  child.door?.lead(async (request) => toChild.receive(request))
  grandchild.door?.lead(async (request) => toGrandchild.receive(request))
  return [toChild, toGrandchild] as const
}

/** They are made once their documents are sent, and follow them. */
async function hasLaidDownFiles({ supplier, peer }: ChainLink): Promise<boolean> {
  const left = await listFilelessDocuments(supplier.db, decodeId('peer', peer), 1)
  return left.length === 0
}

async function untilNothingWaits(link: ChainLink): Promise<void> {
  await until(
    'nothing waits',
    async () => {
      // Looked for first: what is laid down afterwards waits.
      const isLaidDown = await hasLaidDownFiles(link)
      const [here, there] = await readPeers(link)
      assert.deepEqual([here['state'], there['state']], ['active', 'active'], JSON.stringify([here, there]))
      return isLaidDown && here['waiting'] === 0 && there['waiting'] === 0
    },
    patienceMs,
  )
}

async function live(seed: number): Promise<string> {
  const random = randomOf(seed)
  const weathers = makeWeathers(random)
  const billedByChild = await billThroughWeather(random)
  for (const weather of weathers) await weather.clear()
  await Promise.all([billAll(alone, billedByChild), ...chain.links.map(assertAgreement)])
  assert.deepEqual(await listBilledDocuments(chain.child.db), await listBilledDocuments(alone.db))
  for (const { seen } of weathers) for (const [name, times] of Object.entries(seen)) count(name, times)
  return weathers.map(({ seen }) => JSON.stringify(seen)).join(' and ')
}

async function assertAgreement(link: ChainLink): Promise<void> {
  await untilNothingWaits(link)
  const compared = await compareLink(link)
  assert.deepEqual(compared.received, compared.finalized)
  assert.deepEqual(compared.kept, compared.finalized)
  assert.deepEqual(compared.taken, compared.sent)
  assert.deepEqual(compared.saidOpen, compared.open)
  assert.deepEqual(compared.disagreements, [])
  for (const { keys } of await readPeers(link)) {
    // The next one signs on both sides, and the one before it is over in a day.
    const known = keys as { side: string; since: string | null; until: string | null }[]
    for (const side of ['ours', 'theirs']) {
      const [newest, before] = known.filter((key) => key.side === side)
      assert.ok(newest?.since && newest.until === null && before?.until, JSON.stringify(known))
    }
  }
}

test(
  'through kills, cuts, wrong clocks, new keys, lost, doubled, late and repeated messages every document is there once, in order, with its hash (G-03 F49 F50)',
  { timeout: limitMs },
  async (t) => {
    await holds(
      t,
      1,
      [fc.noShrink(fc.integer({ min: 0 }))],
      async (seed) => {
        const startedMs = Date.now()
        const seen = await live(seed)
        const said = `seed ${seed}: ${((Date.now() - startedMs) / 1_000).toFixed(0)} s, ${seen}`
        // Who waits for hours reads how far it is.
        if (isLong) console.log(said)
        else t.diagnostic(said)
      },
      { limitMs },
    )
    t.diagnostic(JSON.stringify([...happened]))
    // A run in which nothing happens proves nothing.
    if (isLong)
      assert.ok(
        [...happened.values()].every((times) => times > 0),
        JSON.stringify([...happened]),
      )
    for (const one of [chain.parent, chain.child, chain.grandchild])
      await assertInvariants(one.db, { isUnderWay: true })
  },
)

/** Documents that an installation has billed, and everything of itself that its documents and messages could name. */
async function readBilled({ db, publicUrl, installationId }: TestInstallation) {
  const rows = await db.selectFrom('invoices').select('id').where('number', 'is not', null).execute()
  return { ids: new Set(rows.map(({ id }) => id)), names: [publicUrl, installationId] }
}

test('a grandchild sees its own level only: its supplier invoices are the child’s, and nothing in them names the parent (G-16)', async () => {
  const { parent, child, grandchild } = chain
  const [ofParent, ofChild] = [await readBilled(parent), await readBilled(child)]
  const held = await grandchild.db.selectFrom('supplier_invoices').selectAll().execute()
  const documents = held.map(({ document_id: id }) => id)
  assert.ok(documents.length > 0)
  assert.deepEqual(
    documents.filter((id) => !ofChild.ids.has(id)),
    [],
  )
  assert.deepEqual(
    documents.filter((id) => ofParent.ids.has(id)),
    [],
  )
  const list = async (path: string) => (await grandchild.call('GET', path)).body['data'] as Json[]
  const [suppliers, peers] = [await list('/v1/suppliers'), await list('/v1/peers')]
  assert.deepEqual([suppliers.length, peers.length], [1, 1])
  assert.deepEqual([peers[0]?.['role'], peers[0]?.['url']], ['supplier', child.publicUrl])
  const seen = JSON.stringify([held.map(({ content }) => content), suppliers, peers])
  for (const name of ofParent.names) assert.ok(!seen.includes(name), name)
})

const dayMs = 86_400_000

/** What Temporal's UI shows of the activity that waits, and how long it pauses at most. */
async function readWaitingActivity({ supplier, peer }: ChainLink) {
  const handle = supplier.client.workflow.getHandle(`peer/${peer}`)
  const { raw } = await handle.describe()
  const { events } = await handle.fetchHistory()
  const policy = events?.findLast((event) => event.activityTaskScheduledEventAttributes)
    ?.activityTaskScheduledEventAttributes?.retryPolicy
  return {
    failure: raw.pendingActivities?.[0]?.lastFailure?.message ?? '',
    longestPauseS: Number(policy?.maximumInterval?.seconds ?? Infinity),
  }
}

async function openTasks({ supplier }: ChainLink): Promise<Json[]> {
  const { body } = await supplier.call('GET', '/v1/tasks')
  const tasks = body['data'] as Json[]
  return tasks.filter(({ kind, closed_at: closedAt }) => kind === 'peer_unreachable' && closedAt === null)
}

test('a child that is away for a day costs nothing but time: 12 wait, visibly, with an alert, and come in order, once (G-04 F48)', async () => {
  const [link] = chain.links
  await chain.api.kill()
  for (let document = 1; document <= 12; document += 1)
    await bill(chain.parent, { customer: 'child', prices: [['1', `${document}.00`]] })
  const { longestPauseS } = await until('it is tried, and fails', async () => {
    const activity = await readWaitingActivity(link)
    return /^12 messages wait since 20\d\d-.*: .+/.test(activity.failure) && activity
  })
  // Its return is noticed within so long, whenever that is: it is all there within a quarter of an hour.
  assert.ok(longestPauseS <= 300, `it pauses for ${longestPauseS} s`)
  assert.deepEqual(await openTasks(link), [])

  // A day passes: what waits was queued a day ago.
  await chain.parent.db
    .updateTable('peer_messages')
    .set({ queued_at: new Date(Date.now() - dayMs).toISOString() })
    .where('delivered_at', 'is', null)
    .execute()
  const [task] = await until('an operator is told', async () => {
    const open = await openTasks(link)
    return open.length > 0 && open
  })
  assert.match(JSON.stringify(task), /12 messages wait since/)
  const [waiting] = await readPeers(link)
  assert.equal(waiting['waiting'], 12)
  assert.ok(Date.parse(String(waiting['waiting_since'])) < Date.now() - dayMs + 60_000)
  assert.match(String(waiting['waiting_reason']), /\/v1\/peer-messages answers 502/)
  const before = (await compareLink(link)).received.length

  await chain.api.restart()
  await untilNothingWaits(link)
  const { sent, taken, finalized, received } = await compareLink(link)
  assert.deepEqual(taken, sent)
  assert.deepEqual(received, finalized)
  assert.equal(received.length, before + 12)
  await until('the alert ends by itself', async () => (await openTasks(link)).length === 0)
})
