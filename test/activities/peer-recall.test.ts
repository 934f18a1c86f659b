import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createPeerRecall } from '#activities/peer-recall.ts'
import { makeOwnKey, pinKey } from '#db/peer-key.ts'
import { getInstallation } from '#db/read/installation.ts'
import { readPeerStanding } from '#db/peer.ts'
import { ownUnderstanding } from '#domain/peer-message.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { openDoor } from '#test/support/door.ts'
import { insertPeer, insertReseller, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { installationKey } from '#test/support/workers.ts'

// An installation that was restored from an older backup asks a customer what it has of its documents.
let supplier: TestApi
let customer: TestApi
let door: Awaited<ReturnType<typeof openDoor>>
before(async () => {
  door = await openDoor()
  supplier = await createTestApi({ installationKey })
  customer = await createTestApi({ installationKey, publicUrl: door.url })
  door.lead(async (request) => await customer.frame.app.fetch(request))
})
after(async () => {
  await supplier.close()
  await customer.close()
  await door.close()
})

const now = new Date().toISOString()

/** Both are peers of each other, and know each other's keys. */
async function pair() {
  const installations = await Promise.all([getInstallation(supplier.db), getInstallation(customer.db)])
  const [ours, theirs] = installations.map(({ id }) => id)
  const here = await insertPeer(supplier.db, {
    role: 'customer',
    customer_id: await insertReseller(supplier.db),
    installation_id: theirs,
    url: door.url,
    other_version: ownUnderstanding.version,
    other_kinds: ownUnderstanding.kinds,
  })
  const there = await insertPeer(customer.db, { installation_id: ours, other_peer_id: here })
  await supplier.db.updateTable('peers').set({ other_peer_id: there }).where('id', '=', here).execute()
  const sides = [
    { db: supplier.db, peerId: here },
    { db: customer.db, peerId: there },
  ] as const
  const makeKey = async ({ db, peerId }: (typeof sides)[number]) =>
    await db.transaction().execute(async (tx) => await makeOwnKey(tx, installationKey, { peerId, now }))
  const [own, other] = [await makeKey(sides[0]), await makeKey(sides[1])]
  for (const [{ db, peerId }, { publicKey }] of [
    [sides[1], own],
    [sides[0], other],
  ] as const)
    await db.transaction().execute(async (tx) => await pinKey(tx, { peerId, publicKey, now }))
  return { here, there }
}

test('a document that is lost is found however large it is, and no number of its series is given again', async () => {
  const { here, there } = await pair()
  const [line] = supplierDocument().lines
  assert.ok(line)
  const free = { ...line, amount_minor: 0, tax_minor: 0, description: 'x'.repeat(2_000) }
  const large = supplierDocument({
    number: 'INV-00001',
    lines: [line, ...Array.from({ length: 300 }, () => free)],
  })
  await receiveDocument(customer.db, there, large)
  const { db, publicUrl: consoleUrl } = supplier
  const recall = createPeerRecall({ db, installationKey, consoleUrl })
  await assert.rejects(recall.recallPeer(here), { code: 'peer_halted', message: /INV-00001/ })
  assert.equal((await readPeerStanding(db, here)).state, 'halted')
  const lost = await db.selectFrom('lost_documents').select(['number', 'series', 'sequence']).execute()
  assert.deepEqual(lost, [{ number: 'INV-00001', series: 'INV', sequence: 1 }])
})
