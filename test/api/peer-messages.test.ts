import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { ensurePeerSupplier } from '#db/supplier.ts'
import { encodeId } from '#domain/identifier.ts'
import { ownUnderstanding, peerPaths, usualMessageBytes } from '#domain/peer-message.ts'
import { createTestApi } from '#test/support/api.ts'
import { insertPeer, supplierDocument } from '#test/support/peer.ts'
import { createPeerSender, type SentMessage } from '#test/support/peer-sender.ts'

let api: Awaited<ReturnType<typeof createTestApi>>
before(async () => {
  api = await createTestApi()
})
after(async () => api.close())

const documentIds = ['inv_01kb0000000000000000000001', 'inv_01kb0000000000000000000002'] as const
const document = (sequence: number, different: object = {}): SentMessage => ({
  sequence,
  kind: 'document',
  content: supplierDocument({ number: `UP-${sequence}`, ...different }),
})

async function pair(different: object = {}) {
  const peerId = await insertPeer(api.db, different)
  return { peerId, ...(await createPeerSender(api, peerId)) }
}

const numbersOf = async (peerId: string) =>
  (
    await api.db
      .selectFrom('supplier_invoices')
      .select('number')
      .where('peer_id', '=', peerId)
      .orderBy('id')
      .execute()
  ).map(({ number }) => number)

test('what comes again is answered the same way for ever, and is there once', async () => {
  const { peerId, send } = await pair()
  const messages = [document(1, { document: documentIds[0] }), document(2, { document: documentIds[1] })]
  const first = await send(0, messages)
  assert.deepEqual(first.body, {
    version: 2,
    understands: ownUnderstanding,
    results: [
      { sequence: 1, outcome: 'stored' },
      { sequence: 2, outcome: 'stored' },
    ],
  })
  for (const after of [0, 2]) {
    const again = await send(
      after,
      after === 0 ? messages : [document(3, { document: documentIds[1], number: 'UP-2' })],
    )
    const results = again.body['results'] as { outcome: string }[]
    assert.ok(
      results.every(({ outcome }) => outcome === 'exists'),
      JSON.stringify(again.body),
    )
  }
  assert.deepEqual(await numbersOf(peerId), ['UP-1', 'UP-2'])
})

test('a message that skips one is refused and changes nothing, and is taken once that one is there', async () => {
  const { peerId, send } = await pair()
  const [first, second] = [document(1), document(2, { document: documentIds[1] })]
  const early = await send(1, [second])
  assert.deepEqual([early.status, early.body['code']], [409, 'peer_sequence_gap'])
  assert.match(String(early.body['detail']), /follows message 1; the last that was taken here is 0/)
  assert.deepEqual(await numbersOf(peerId), [])
  assert.equal((await send(0, [first])).status, 200)
  assert.equal((await send(1, [second])).status, 200)
  assert.deepEqual(await numbersOf(peerId), ['UP-1', 'UP-2'])
})

test('a document is taken that is larger than every other message may be; those are refused by their code', async () => {
  const { peerId, send } = await pair()
  const [line] = supplierDocument().lines
  assert.ok(line)
  const lines = Array.from({ length: 1_400 }, () => ({ ...line, description: 'Hosting '.repeat(200) }))
  const large = document(1, { lines })
  assert.ok(JSON.stringify(large.content).length > usualMessageBytes)
  assert.deepEqual((await send(0, [large])).body['results'], [{ sequence: 1, outcome: 'stored' }])
  assert.deepEqual(await numbersOf(peerId), ['UP-1'])
  const beyond = await send(1, [{ ...large, sequence: 2, kind: 'standing' }])
  assert.deepEqual([beyond.status, beyond.body['code']], [413, 'body_too_large'])
  // By bytes, as who sends it counts: of two bytes each are fewer signs.
  const wide = 'ü'.repeat(usualMessageBytes * 0.6)
  const said = await send(1, [{ sequence: 2, kind: 'standing', content: { wide } }])
  assert.deepEqual([said.status, said.body['code']], [413, 'body_too_large'])
  assert.deepEqual(await numbersOf(peerId), ['UP-1'])
})

test('a number that comes again with another content halts the peer, whatever its kind', async () => {
  const { peerId, send } = await pair()
  await send(0, [document(1)])
  const { body } = await send(0, [document(1, { number: 'UP-X', document: documentIds[1] }), document(2)])
  assert.deepEqual(body['results'], [{ sequence: 1, outcome: 'conflict' }])
  const peer = await api.db
    .selectFrom('peers')
    .select(['state', 'halted_reason'])
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
  assert.deepEqual(peer, {
    state: 'halted',
    halted_reason: 'message 1, a document, came again with another content',
  })
  assert.deepEqual(await numbersOf(peerId), ['UP-1'])
  assert.equal((await send(1, [document(2)])).body['code'], 'peer_halted')
})

test('what comes at once is taken whole or not at all', async () => {
  const { peerId, send } = await pair()
  const broken = document(2, { document: documentIds[1], due_on: 'tomorrow' })
  assert.equal((await send(0, [document(1), broken])).status, 422)
  assert.deepEqual(await numbersOf(peerId), [])
  assert.equal((await send(0, [document(2), document(1)])).body['code'], 'field_invalid')
})

test('a kind that is not known, or of the wrong side, is refused by its code', async () => {
  const { send } = await pair()
  const unknown = await send(0, [{ ...document(1), kind: 'greeting' as 'document' }])
  assert.deepEqual([unknown.status, unknown.body['code']], [422, 'peer_kind_refused'])
  const customer = await pair({ role: 'customer' })
  const turned = await customer.send(0, [document(1)])
  assert.deepEqual([turned.status, turned.body['code']], [422, 'peer_kind_refused'])
})

test('what is refused is refused by its code, and counted, whatever characters it is about', async () => {
  const { peerId, send } = await pair()
  for (const kind of ['greet\0', 'greet\uD800'])
    assert.equal((await send(0, [{ ...document(1), kind: kind as 'document' }])).status, 422)
  const refused = await api.db
    .selectFrom('peer_refusals')
    .select(['code', 'count', 'detail'])
    .where('peer_id', '=', peerId)
    .execute()
  const detail = 'Messages of kind greet\u{FFFD} are not understood here.'
  assert.deepEqual(refused, [{ code: 'peer_kind_refused', count: 2, detail }])
})

test('an installation that is paired with anew is the supplier that it was: what it sent before is there once', async () => {
  const installation = { installation_id: newId() }
  const former = await pair(installation)
  const sent = document(1, { document: encodeId('invoice', newId()) })
  assert.equal((await former.send(0, [sent])).status, 200)
  await api.db
    .updateTable('peers')
    .set({ state: 'closed', closed_at: new Date().toISOString() })
    .where('id', '=', former.peerId)
    .execute()
  const { peerId, send } = await pair(installation)
  await api.db.transaction().execute(async (tx) => await ensurePeerSupplier(tx, peerId))
  const outcomes = ({ body }: Awaited<ReturnType<typeof send>>) =>
    (body['results'] as { outcome: string }[]).map(({ outcome }) => outcome)
  assert.deepEqual(outcomes(await send(0, [sent])), ['exists'])
  assert.deepEqual([await numbersOf(former.peerId), await numbersOf(peerId)], [['UP-1'], []])
  const open = { paid_minor: 1_200, credited_minor: 0, open_minor: 0, since: '2026-03-02T00:00:00Z' }
  const told = { document: (sent.content as { document: string }).document, state: 'paid', ...open }
  assert.deepEqual(outcomes(await send(1, [{ sequence: 2, kind: 'standing', content: told }])), ['stored'])
  const kept = await api.db
    .selectFrom('supplier_standings as standing')
    .innerJoin('supplier_invoices as invoice', (join) =>
      join
        .onRef('invoice.peer_id', '=', 'standing.peer_id')
        .onRef('invoice.document_id', '=', 'standing.document_id'),
    )
    .select(['number', 'state'])
    .where('invoice.peer_id', '=', former.peerId)
    .execute()
  assert.deepEqual(kept, [{ number: 'UP-1', state: 'paid' }])
  // Restored from a backup that does not know us, it gives its numbers again.
  const again = document(3, { document: encodeId('invoice', newId()), number: 'UP-1' })
  assert.deepEqual(outcomes(await send(2, [again])), ['conflict'])
  assert.deepEqual(await numbersOf(peerId), [])
})

test('a message of version 1 is understood at both paths; one that is newer is refused by its code', async () => {
  const { peerId, post } = await pair()
  const documents = [supplierDocument()]
  const old = await post({ version: 1, documents }, peerPaths.firstMessages)
  assert.deepEqual(old.body['results'], [{ document: documentIds[0], outcome: 'stored' }])
  const again = await post({ version: 1, documents })
  assert.deepEqual(again.body['results'], [{ document: documentIds[0], outcome: 'exists' }])
  assert.deepEqual(await numbersOf(peerId), ['UP-1'])
  const newer = await post({ version: 3, things: [] })
  assert.deepEqual([newer.status, newer.body['code']], [422, 'peer_version_unknown'])
})

test('what the other side says that it understands is kept, and wakes what waits for that', async () => {
  const { peerId, post } = await pair()
  const understands = { version: 3, kinds: ['document', 'greeting'] }
  await post({ version: 2, after: 0, understands, messages: [document(1)] })
  const peer = await api.db
    .selectFrom('peers')
    .select(['other_version', 'other_kinds', 'is_awake'])
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
  assert.deepEqual(peer, { other_version: 3, other_kinds: ['document', 'greeting'], is_awake: true })
})
