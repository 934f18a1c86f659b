import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { ensureInstallation } from '#bin/installation.ts'
import type { Db, Tx } from '#db/database.ts'
import { insertExpenseCategory, mapExpense, updateExpenseCategory } from '#db/expense.ts'
import { newId } from '#db/identifier.ts'
import { pairPeer } from '#db/peer-pairing.ts'
import { noteUnderstanding } from '#db/peer-understanding.ts'
import { closePeer } from '#db/peer.ts'
import { ensurePeerSupplier } from '#db/supplier.ts'
import { ownUnderstanding } from '#domain/peer-message.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { until } from '#test/support/installation.ts'
import { insertPeer } from '#test/support/peer.ts'

let db: Db
let drop: () => Promise<void>
let categoryId = ''
const now = '2026-03-01T00:00:00.000Z'

before(async () => {
  ;({ db, drop } = await createTestDatabase())
  await ensureInstallation(db, 'dry-run')
  categoryId = await write(
    async (tx) => await insertExpenseCategory(tx, { code: 'hosting', name: 'Hosting', account: '6110' }),
  )
})
after(async () => await drop())

async function write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  return await db.transaction().execute(work)
}

const understanding = { other_version: 2, other_kinds: [...ownUnderstanding.kinds] }

async function pair(different: object = {}) {
  const peerId = await insertPeer(db, { ...understanding, ...different })
  return { peerId, supplierId: await write(async (tx) => await ensurePeerSupplier(tx, peerId)) }
}

const say = async (
  tx: Tx,
  supplierId: string,
  value: string,
  to: string | null = categoryId,
  matches = 'product_code',
) =>
  await mapExpense(tx, {
    supplierId,
    matches: matches as 'product_code',
    value,
    categoryId: to,
    actor: 'tester',
    now,
  })

/** What a peer is told, message by message: its products, and as what. */
async function toldTo(peerId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('peer_messages')
    .select('content')
    .where('peer_id', '=', peerId)
    .where('kind', '=', 'expense_mappings')
    .orderBy('sequence')
    .execute()
  return rows.map(({ content }) =>
    ((content ?? {})['mappings'] as { product_code: string; category: { code: string; name: string } }[])
      .map(({ product_code: product, category }) => `${product}=${category.code} ${category.name}`)
      .join(', '),
  )
}

test('what is mapped, changed and taken back is told whole each time, with what causes it or not at all', async () => {
  const { peerId, supplierId } = await pair()
  await write(async (tx) => await say(tx, supplierId, 'b'))
  await assert.rejects(
    write(async (tx) => {
      await say(tx, supplierId, 'never')
      throw new Error('rolled back')
    }),
    /rolled back/,
  )
  await write(async (tx) => await say(tx, supplierId, 'a'))
  const other = await write(
    async (tx) => await insertExpenseCategory(tx, { code: 'other', name: 'Other', account: null }),
  )
  await write(async (tx) => await say(tx, supplierId, 'a', other))
  await write(async (tx) => await say(tx, supplierId, 'a', null))
  await write(async (tx) => await say(tx, supplierId, 'b', null))
  assert.deepEqual(await toldTo(peerId), [
    'b=hosting Hosting',
    'a=hosting Hosting, b=hosting Hosting',
    'a=other Other, b=hosting Hosting',
    'b=hosting Hosting',
    '',
  ])
})

test('what changes nothing of it is not told: the same again, what is said by the text of a line, nothing taken back', async () => {
  const { peerId, supplierId } = await pair()
  await write(async (tx) => await say(tx, supplierId, 'nothing', null))
  await write(async (tx) => await say(tx, supplierId, 'Support by hand', categoryId, 'description'))
  assert.deepEqual(await toldTo(peerId), [])
  await write(async (tx) => await say(tx, supplierId, 'a'))
  await write(async (tx) => await say(tx, supplierId, 'a'))
  await write(async (tx) => await updateExpenseCategory(tx, categoryId, { account: '6111' }))
  assert.deepEqual(await toldTo(peerId), ['a=hosting Hosting'])
})

test('a category that is called otherwise is told to every supplier that has something mapped to it', async () => {
  const [one, two, none] = [await pair(), await pair(), await pair()]
  const id = await write(
    async (tx) => await insertExpenseCategory(tx, { code: 'renamed', name: 'Before', account: null }),
  )
  for (const { supplierId } of [one, two]) await write(async (tx) => await say(tx, supplierId, 'a', id))
  await write(async (tx) => await updateExpenseCategory(tx, id, { name: 'After' }))
  for (const { peerId } of [one, two])
    assert.deepEqual(await toldTo(peerId), ['a=renamed Before', 'a=renamed After'])
  assert.deepEqual(await toldTo(none.peerId), [])
})

test('what is mapped to a category while it is renamed is told by its new name', async () => {
  const { peerId, supplierId } = await pair()
  const id = await write(
    async (tx) => await insertExpenseCategory(tx, { code: 'moving', name: 'Before', account: null }),
  )
  const isMapped = { value: false }
  const { mapping } = await write(async (tx) => {
    await updateExpenseCategory(tx, id, { name: 'After' })
    const maps = write(async (inner) => await say(inner, supplierId, 'a', id))
    void maps.finally(() => (isMapped.value = true))
    await until('it waits, or is done', async () => {
      const { rows } = await sql`select from pg_locks where not granted`.execute(db)
      return isMapped.value || rows.length > 0
    })
    return { mapping: maps }
  })
  await mapping
  assert.deepEqual(await toldTo(peerId), ['a=moving After'])
})

test('a closed peer is told nothing, a halted one is; who does not understand it is told once when it does', async () => {
  const closed = await pair({ state: 'closed', closed_at: now })
  const halted = await pair({ state: 'halted', halted_reason: 'UP-9 came again' })
  const old = await pair({ other_version: 2, other_kinds: ['document'] })
  const first = await pair({ other_version: 1, other_kinds: ['document'] })
  for (const { supplierId } of [closed, halted, old, first])
    for (const product of ['a', 'b']) await write(async (tx) => await say(tx, supplierId, product))
  assert.deepEqual(
    [await toldTo(closed.peerId), await toldTo(old.peerId), await toldTo(first.peerId)],
    [[], [], []],
  )
  assert.equal((await toldTo(halted.peerId)).length, 2)
  const understand = async (kinds: readonly string[]) =>
    await write(async (tx) => await noteUnderstanding(tx, old.peerId, { version: 2, kinds, now }))
  await understand(['document', 'file'])
  assert.deepEqual(await toldTo(old.peerId), [])
  for (const kinds of [ownUnderstanding.kinds, [...ownUnderstanding.kinds, 'tomorrow']])
    await understand(kinds)
  assert.deepEqual(await toldTo(old.peerId), ['a=hosting Hosting, b=hosting Hosting'])
})

test('a supplier that is paired with anew is told once what is mapped by then', async () => {
  const installationId = newId()
  const former = await pair({ installation_id: installationId })
  await write(async (tx) => await say(tx, former.supplierId, 'a'))
  await write(async (tx) => await closePeer(tx, former.peerId, { actor: 'tester', now }))
  await write(async (tx) => await say(tx, former.supplierId, 'b'))
  const unpaired = { installation_id: null, other_peer_id: null, name: null, url: null, paired_at: null }
  const anew = await insertPeer(db, { ...unpaired, currency: null, state: 'invited' })
  await write(
    async (tx) =>
      await pairPeer(
        tx,
        anew,
        {
          installationId,
          otherPeerId: newId(),
          name: 'Upstream',
          url: 'https://upstream.example.com',
          publicKey: randomBytes(32),
          currency: 'USD',
          customer: null,
          understands: ownUnderstanding,
          above: [],
        },
        now,
      ),
  )
  assert.deepEqual(await toldTo(former.peerId), ['a=hosting Hosting'])
  assert.deepEqual(await toldTo(anew), ['a=hosting Hosting, b=hosting Hosting'])
})

test('of two that map at once the one that is later tells both', async () => {
  const { peerId, supplierId } = await pair()
  await Promise.all(
    ['a', 'b', 'c'].map(async (value) => await write(async (tx) => await say(tx, supplierId, value))),
  )
  assert.equal((await toldTo(peerId)).at(-1), 'a=hosting Hosting, b=hosting Hosting, c=hosting Hosting')
})
