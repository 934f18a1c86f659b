import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Tx } from '#db/database.ts'
import { insertCreditNote } from '#db/credit-note.ts'
import { hashOf } from '#db/content-hash.ts'
import { newId } from '#db/identifier.ts'
import { markCollectible, markUncollectible, voidInvoice } from '#db/invoice-mark.ts'
import { insertPayment } from '#db/payment.ts'
import { readWaitingMessages } from '#db/peer-outgoing.ts'
import { fallAsleep, noteDelivered } from '#db/peer-queue.ts'
import { noteUnderstanding } from '#db/peer-understanding.ts'
import { queueFormerStandings } from '#db/peer-standing.ts'
import { readSupplierDocuments } from '#db/supplier-document.ts'
import { encodeId } from '#domain/identifier.ts'
import { usualMessageBytes } from '#domain/peer-message.ts'
import { withoutReferences } from '#domain/supplier-invoice.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { insertPeer, insertReseller } from '#test/support/peer.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const at = (day: string) => `2026-04-${day}T10:00:00.000Z`

const pair = async (customerId: string) =>
  await insertPeer(seller.db, { role: 'customer', customer_id: customerId })
/** 10.00 and 20 percent. */
const bill = async (customerId: string) => await insertOneOffInvoice(seller.db, customerId, [['1', '10.00']])
const change = async <T>(act: (tx: Tx) => Promise<T>) => await seller.db.transaction().execute(act)

const pay = async (invoiceId: string, amountMinor: number, receivedAt: string) =>
  await change(
    async (tx) =>
      await insertPayment(tx, {
        invoiceId,
        amountMinor,
        currency: 'USD',
        reference: null,
        actor: 'test',
        receivedAt,
      }),
  )

const mark = (invoiceId: string, now: string) => ({ invoiceId, reason: 'test', actor: 'test', now })

/** What waits for a peer, as its kinds, and what each standing says. */
async function queued(peerId: string) {
  const rows = await seller.db
    .selectFrom('peer_messages')
    .select(['kind', 'content', 'subject_id'])
    .where('peer_id', '=', peerId)
    .orderBy('sequence')
    .execute()
  return rows.map(({ kind, content, subject_id: subject }) =>
    content === null
      ? [kind, subject]
      : [
          content['state'],
          content['paid_minor'],
          content['credited_minor'],
          content['open_minor'],
          content['since'],
        ],
  )
}

test('what is paid, partly paid, written off and taken back is told with amounts and instant, in this order', async () => {
  const customerId = await insertReseller(seller.db)
  const peerId = await pair(customerId)
  const { id } = await bill(customerId)
  await pay(id, 500, at('02'))
  await change(async (tx) => await markUncollectible(tx, mark(id, at('03'))))
  await change(async (tx) => await markCollectible(tx, mark(id, at('04'))))
  await pay(id, 700, at('05'))
  assert.deepEqual(await queued(peerId), [
    ['document', id],
    ['partly_paid', 500, 0, 700, at('02')],
    ['uncollectible', 500, 0, 700, at('03')],
    ['partly_paid', 500, 0, 700, at('04')],
    ['paid', 1_200, 0, 0, at('05')],
  ])
})

test('a void invoice is told after the credit note that annuls it, once', async () => {
  const customerId = await insertReseller(seller.db)
  const peerId = await pair(customerId)
  const { id } = await bill(customerId)
  const note = await change(async (tx) => await voidInvoice(tx, mark(id, at('02'))))
  await change(async (tx) => await voidInvoice(tx, mark(id, at('03'))))
  assert.deepEqual(await queued(peerId), [
    ['document', id],
    ['document', note?.id],
    ['void', 0, 1_200, 0, at('02')],
  ])
})

test('what a credit note leaves as balance pays the next invoice, and that is told too', async () => {
  const customerId = await insertReseller(seller.db)
  const peerId = await pair(customerId)
  const first = await bill(customerId)
  await pay(first.id, 1_200, at('01'))
  const request = { kind: 'lines', lines: [{ lineId: first.lineIds[0] ?? '', netMinor: 500 }] } as const
  const credit = {
    invoiceId: first.id,
    request,
    billingKey: `credit/${newId()}`,
    reason: null,
    actor: 'test',
  }
  const note = await change(async (tx) => await insertCreditNote(tx, { ...credit, now: at('02') }))
  const { id } = await insertOneOffInvoice(seller.db, customerId, [['1', '10.00']], { now: at('03') })
  const all = await queued(peerId)
  assert.deepEqual(all.slice(2, 4), [
    ['document', note.id],
    ['document', id],
  ])
  assert.deepEqual(all[4]?.slice(0, 4), ['partly_paid', 600, 0, 600])
})

test('a credit note of an invoice from before the trust takes that with it, and how it stands', async () => {
  const customerId = await insertReseller(seller.db)
  const before = await bill(customerId)
  await pay(before.id, 1_200, at('01'))
  const peerId = await pair(customerId)
  await pay((await bill(customerId)).id, 1_200, at('02'))
  const request = { kind: 'lines', lines: [{ lineId: before.lineIds[0] ?? '', netMinor: 500 }] } as const
  const credit = {
    invoiceId: before.id,
    request,
    billingKey: `credit/${newId()}`,
    reason: null,
    actor: 'test',
  }
  const note = await change(async (tx) => await insertCreditNote(tx, { ...credit, now: at('03') }))
  assert.deepEqual((await queued(peerId)).slice(2), [
    ['document', before.id],
    ['document', note.id],
    ['paid', 1_200, 0, 0, at('01')],
  ])
})

test('nothing is told of invoices that a peer was never sent, nor to a closed peer', async () => {
  const customerId = await insertReseller(seller.db)
  const before = await bill(customerId)
  const peerId = await pair(customerId)
  await pay(before.id, 1_200, at('01'))
  assert.deepEqual(await queued(peerId), [])
  const { id } = await bill(customerId)
  await seller.db
    .updateTable('peers')
    .set({ state: 'closed', closed_at: at('02') })
    .where('id', '=', peerId)
    .execute()
  await pay(id, 1_200, at('03'))
  assert.deepEqual(await queued(peerId), [['document', id]])
})

test('an invoice that an installation took as a former peer is not sent again for the credit note that corrects it', async () => {
  const customerId = await insertReseller(seller.db)
  const installation = { role: 'customer', customer_id: customerId, installation_id: newId() }
  const former = await insertPeer(seller.db, installation)
  const [taken, untaken] = [await bill(customerId), await bill(customerId)]
  await seller.db
    .updateTable('peer_messages')
    .set({ delivered_at: at('01'), sha256: Buffer.alloc(32) })
    .where('peer_id', '=', former)
    .where('subject_id', '=', taken.id)
    .execute()
  await seller.db
    .updateTable('peers')
    .set({ state: 'closed', closed_at: at('02') })
    .where('id', '=', former)
    .execute()
  const present = await insertPeer(seller.db, installation)
  const credit = async (invoiceId: string) =>
    await change(
      async (tx) =>
        await insertCreditNote(tx, {
          invoiceId,
          request: { kind: 'full' },
          billingKey: `credit/${newId()}`,
          reason: null,
          actor: 'test',
          now: at('03'),
        }),
    )
  const notes = [await credit(taken.id), await credit(untaken.id)]
  const documents = (await queued(present)).filter(([kind]) => kind === 'document')
  assert.deepEqual(
    documents.map(([, subject]) => subject),
    [notes[0]?.id, untaken.id, notes[1]?.id],
  )
})

test('a document that is too large for its receiver waits with a task that says so, and holds nothing up', async () => {
  const customerId = await insertReseller(seller.db)
  const peerId = await insertPeer(seller.db, {
    role: 'customer',
    customer_id: customerId,
    other_version: 2,
    other_kinds: ['document'],
  })
  const called = async (name: string) =>
    await seller.db
      .updateTable('installation')
      .set({ seller: JSON.stringify({ name, address: '', taxId: null }) })
      .execute()
  await called('x'.repeat(usualMessageBytes))
  const large = await bill(customerId)
  await called('Seller')
  const [beyond, small] = [await bill(customerId), await bill(customerId)]
  // As of one that no version takes: so large that it takes a test long to make.
  await seller.db
    .updateTable('peer_messages')
    .set({ needs: 'larger' })
    .where('subject_id', '=', beyond.id)
    .execute()
  const waiting = async () =>
    (await readWaitingMessages(seller.db, peerId, 100)).map(({ content }) => content['document'])
  assert.deepEqual(await waiting(), [encodeId('invoice', small.id)])
  await noteDelivered(seller.db, peerId, {
    messages: [{ sequence: 3, kind: 'document' }],
    isNumbered: true,
    now: at('01'),
  })
  assert.equal(await fallAsleep(seller.db, peerId), true)
  const task = await seller.db
    .selectFrom('tasks')
    .select(['kind', 'detail'])
    .where('subject_id', '=', peerId)
    .executeTakeFirstOrThrow()
  assert.equal(task.kind, 'peer_outdated')
  assert.match(task.detail, /1 of kind document of a large size, 1 of kind document of more than any version/)
  assert.match(task.detail, /credit it and bill it in smaller parts/)
  await change(
    async (tx) =>
      await noteUnderstanding(tx, peerId, { version: 2, kinds: ['document', 'large'], now: at('02') }),
  )
  assert.deepEqual(await waiting(), [encodeId('invoice', large.id)])
})

test('what becomes of an invoice that an installation took as a former peer is told to the present one, also what was while there was none', async () => {
  const customerId = await insertReseller(seller.db)
  const installationId = newId()
  const installation = { role: 'customer', customer_id: customerId, installation_id: installationId }
  const former = await insertPeer(seller.db, installation)
  const [paid, told, later] = [await bill(customerId), await bill(customerId), await bill(customerId)]
  await pay(told.id, 1_200, at('01'))
  await seller.db
    .updateTable('peer_messages')
    .set({ delivered_at: at('01'), sha256: Buffer.alloc(32) })
    .where('peer_id', '=', former)
    .execute()
  await seller.db
    .updateTable('peers')
    .set({ state: 'closed', closed_at: at('02') })
    .where('id', '=', former)
    .execute()
  await pay(paid.id, 1_200, at('03'))
  const present = await insertPeer(seller.db, installation)
  await change(async (tx) => await queueFormerStandings(tx, installationId))
  assert.deepEqual(await queued(present), [['paid', 1_200, 0, 0, at('03')]])
  await pay(later.id, 500, at('04'))
  assert.deepEqual((await queued(present)).slice(1), [['partly_paid', 500, 0, 700, at('04')]])
})

test('what a version that said less has sent goes out again as it was, so that its hash is what both sides know', async () => {
  const customerId = await insertReseller(seller.db)
  const peerId = await pair(customerId)
  const [first, second] = [await bill(customerId), await bill(customerId)]
  const documents = await readSupplierDocuments(seller.db, [first.id, second.id])
  const former = withoutReferences(documents.get(first.id) ?? assert.fail())
  await seller.db
    .updateTable('peer_messages')
    .set({ sha256: hashOf(former) })
    .where('peer_id', '=', peerId)
    .where('subject_id', '=', first.id)
    .execute()
  const [sentBefore, sentNow] = await readWaitingMessages(seller.db, peerId, 100)
  assert.deepEqual([sentBefore?.content, sentBefore?.sha256], [former, hashOf(former)])
  assert.deepEqual(sentNow?.content, documents.get(second.id))
  assert.notDeepEqual(former, documents.get(first.id))
})
