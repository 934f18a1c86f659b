import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { ensureInstallation } from '#bin/installation.ts'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { hashInstallation, readAbove, readAboveFor, takeAbove } from '#db/peer-level.ts'
import { pairPeer } from '#db/peer-pairing.ts'
import { closePeer } from '#db/peer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { ownUnderstanding } from '#domain/peer-message.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { until } from '#test/support/installation.ts'
import { insertPeer } from '#test/support/peer.ts'

interface Site {
  readonly db: Db
  readonly id: string
  readonly drop: () => Promise<void>
}
const sites: Site[] = []
before(async () => {
  for (let index = 0; index < 4; index += 1) {
    const { db, drop } = await createTestDatabase()
    await ensureInstallation(db, 'dry-run')
    sites.push({ db, drop, id: (await getInstallation(db)).id })
  }
})
after(async () => {
  for (const { drop } of sites) await drop()
})

const now = '2026-03-01T00:00:00.000Z'
const names = ['A', 'B', 'C', 'D']
const site = (name: string): Site => sites[names.indexOf(name)] ?? assert.fail(`there is no ${name}`)
const nameOf = (hash: string): string =>
  names.find((name) => hashInstallation(site(name).id) === hash) ?? hash
const aboveAt = async (name: string) => (await readAbove(site(name).db)).map(nameOf).toSorted().join('')

const unpaired = { state: 'invited', installation_id: null, other_peer_id: null, name: null, url: null }

/** One that waits to be paired with, on one side. */
async function invite(db: Db, role: 'supplier' | 'customer') {
  return await insertPeer(db, { ...unpaired, currency: null, paired_at: null, role })
}

async function pair(at: Site, peerId: string, other: Site, above: readonly string[]): Promise<void> {
  const pairing = {
    installationId: other.id,
    otherPeerId: newId(),
    name: nameOf(hashInstallation(other.id)),
    url: 'https://other.example.com',
    publicKey: randomBytes(32),
    currency: 'USD',
    customer: null,
    understands: ownUnderstanding,
    above,
  }
  await at.db.transaction().execute(async (tx) => await pairPeer(tx, peerId, pairing, now))
}

/** The one bills the other from now on, who accepts: the supplier checks first, the customer takes what it is told. */
async function bill(supplierName: string, customerName: string) {
  const [supplier, customer] = [site(supplierName), site(customerName)]
  const [there, here] = [await invite(supplier.db, 'customer'), await invite(customer.db, 'supplier')]
  await pair(supplier, there, customer, [])
  await pair(customer, here, supplier, await readAboveFor(supplier.db, there))
  return { there, here }
}

/** The other way round: the customer invites, and is told by who accepts. */
async function billInvited(supplierName: string, customerName: string): Promise<void> {
  const [supplier, customer] = [site(supplierName), site(customerName)]
  const [there, here] = [await invite(supplier.db, 'customer'), await invite(customer.db, 'supplier')]
  await pair(customer, here, supplier, await readAboveFor(supplier.db, there))
}

/** Carries what one tells its customer of who is above it. */
async function carry(from: string, to: { name: string; peerId: string }): Promise<string> {
  const { content } = await site(from)
    .db.selectFrom('peer_messages')
    .select('content')
    .where('kind', '=', 'levels')
    .orderBy('sequence', 'desc')
    .orderBy('queued_at', 'desc')
    .executeTakeFirstOrThrow()
  const above = content?.['above'] as string[]
  return await site(to.name)
    .db.transaction()
    .execute(async (tx) => await takeAbove(tx, { ...to, above }))
}

test('a circle is refused however late its parts were joined, and nobody learns more than hashed ids', async () => {
  const circle = { code: 'peer_cycle' }
  await bill('A', 'B')
  const { here } = await bill('C', 'D')
  await bill('B', 'C')
  assert.deepEqual([await aboveAt('C'), await aboveAt('D')], ['ABC', 'CD'])
  assert.equal(await carry('C', { name: 'D', peerId: here }), 'stored')
  assert.deepEqual([await aboveAt('A'), await aboveAt('B'), await aboveAt('D')], ['A', 'AB', 'ABCD'])
  for (const [supplier, customer] of [
    ['D', 'A'],
    ['D', 'B'],
    ['C', 'A'],
    ['D', 'C'],
    ['B', 'A'],
  ] as const) {
    await assert.rejects(bill(supplier, customer), circle, `${supplier} ${customer}`)
    await assert.rejects(billInvited(supplier, customer), circle, `${supplier} ${customer}, invited`)
  }
  const [told] = await site('C')
    .db.selectFrom('peer_messages')
    .select('content')
    .where('kind', '=', 'levels')
    .execute()
  for (const { id } of sites) assert.equal(JSON.stringify(told).includes(id), false)
  // A shortcut is no circle.
  await bill('A', 'D')
  assert.equal(await aboveAt('D'), 'ABCD')
})

test('two that are joined to a circle at once see it by what they are told, and nothing of it is kept', async () => {
  const { id: peerId } = await site('B')
    .db.selectFrom('peers')
    .select('id')
    .where('role', '=', 'supplier')
    .executeTakeFirstOrThrow()
  const above = [hashInstallation(site('A').id), hashInstallation(site('B').id)]
  const taken = await site('B')
    .db.transaction()
    .execute(async (tx) => await takeAbove(tx, { peerId, above }))
  assert.equal(taken, 'circle')
  assert.equal(await aboveAt('B'), 'AB')
})

test('what is not above any more is told too, and only what changes is told', async () => {
  const { db } = site('C')
  const count = async () =>
    (await db.selectFrom('peer_messages').select('sequence').where('kind', '=', 'levels').execute()).length
  const before = await count()
  const { id: peerId } = await db
    .selectFrom('peers')
    .select('id')
    .where('role', '=', 'supplier')
    .where('state', '=', 'active')
    .executeTakeFirstOrThrow()
  await db
    .transaction()
    .execute(
      async (tx) =>
        await takeAbove(tx, { peerId, above: ['A', 'B'].map((name) => hashInstallation(site(name).id)) }),
    )
  assert.equal(await count(), before)
  await db.transaction().execute(async (tx) => await closePeer(tx, peerId, { actor: 'tester', now }))
  assert.deepEqual([await count(), await aboveAt('C')], [before + 1, 'C'])
})

test('a customer that is paired with while a supplier tells who is above it is told of those as well', async () => {
  const { db } = site('A')
  const supplier = await insertPeer(db, { role: 'supplier', name: 'Above' })
  const above = [hashInstallation(newId())]
  const isSettled = { supplier: false }
  const pairing = await invite(db, 'customer')
  const { taking } = await db.transaction().execute(async (tx) => {
    const other = {
      installationId: newId(),
      otherPeerId: newId(),
      name: 'Below',
      url: 'https://b.example.com',
    }
    const told = {
      publicKey: randomBytes(32),
      currency: 'USD',
      customer: null,
      understands: ownUnderstanding,
      above: [],
    }
    await pairPeer(tx, pairing, { ...other, ...told }, now)
    const takes = db
      .transaction()
      .execute(async (inner) => await takeAbove(inner, { peerId: supplier, above }))
    void takes.finally(() => (isSettled.supplier = true))
    await until('it waits, or is done', async () => {
      const { rows } = await sql`select from pg_locks where locktype = 'advisory' and not granted`.execute(db)
      return isSettled.supplier || rows.length > 0
    })
    return { taking: takes }
  })
  assert.equal(await taking, 'stored')
  const rows = await db.selectFrom('peer_messages').select('content').where('peer_id', '=', pairing).execute()
  assert.deepEqual(
    rows.map(({ content }) => JSON.stringify(content).includes(above[0] ?? '?')),
    [true],
  )
})
