import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { layOutFiles } from '#activities/peer-files.ts'
import { keepInvoiceFile } from '#db/invoice-file.ts'
import { readWaitingMessages } from '#db/peer-outgoing.ts'
import { fallAsleep, noteDelivered } from '#db/peer-queue.ts'
import { largestSentFileBytes } from '#domain/invoice-file.ts'
import { ownUnderstanding } from '#domain/peer-message.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { insertPeer } from '#test/support/peer.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
let customerId = ''
let peerId = ''
before(async () => {
  seller = await createSeller()
  const customer = await seller.db.selectFrom('customers').select('id').limit(1).executeTakeFirstOrThrow()
  customerId = customer.id
  peerId = await insertPeer(seller.db, {
    role: 'customer',
    customer_id: customerId,
    other_version: 2,
    other_kinds: ownUnderstanding.kinds,
  })
})
after(async () => seller.drop())

const now = '2026-04-01T00:00:00Z'

const bill = async () => await insertOneOffInvoice(seller.db, customerId, [['1', '1.00']])

/** What is sent at once, which is taken over there. */
async function deliver() {
  const waiting = await readWaitingMessages(seller.db, peerId, 100)
  await noteDelivered(seller.db, peerId, { messages: waiting, isNumbered: true, now })
  return waiting.map(({ kind, content }): Record<string, unknown> => ({ ...content, kind }))
}

test('files come after all documents, each document’s once, and until then a peer does not sleep', async () => {
  const made = [await bill(), await bill()]
  assert.deepEqual(
    (await deliver()).map(({ kind }) => kind),
    ['document', 'document'],
  )
  assert.equal(await fallAsleep(seller.db, peerId), false)
  assert.equal(await layOutFiles(seller.db, peerId), 2)
  assert.equal(await layOutFiles(seller.db, peerId), 0)
  const files = await deliver()
  assert.deepEqual(
    files.map(({ name }) => name),
    made.flatMap(({ number }) => [`${number}.pdf`, `${number}.xml`]),
  )
  const [pdf, ubl] = files.map(({ data }) => String(Buffer.from(String(data), 'base64')))
  assert.match(String(pdf), /^%PDF-/)
  assert.match(String(ubl), /^<\?xml/)
  assert.equal(await fallAsleep(seller.db, peerId), true)
})

test('what is too much for one message is said to be missing, and why; the other file is sent', async () => {
  const { id } = await bill()
  const content = Buffer.alloc(largestSentFileBytes + 1)
  await keepInvoiceFile(seller.db, id, 'ubl', { language: null, sha256: Buffer.alloc(32), content })
  await deliver()
  await layOutFiles(seller.db, peerId)
  const [pdf, ubl] = await deliver()
  assert.equal(pdf?.['missing'], null)
  assert.deepEqual([ubl?.['data'], ubl?.['sha256']], [null, null])
  assert.match(String(ubl?.['missing']), /It has 5242881 bytes; no more than 5242880 are sent/)
})

test('no file is made for a peer that does not take files', async () => {
  await seller.db
    .updateTable('peers')
    .set({ other_kinds: ['document'] })
    .where('id', '=', peerId)
    .execute()
  await bill()
  await deliver()
  assert.equal(await layOutFiles(seller.db, peerId), 0)
  assert.equal(await fallAsleep(seller.db, peerId), true)
})
