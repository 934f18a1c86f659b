import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { readWaitingMessages } from '#db/peer-outgoing.ts'
import { fallAsleep, noteDelivered } from '#db/peer-queue.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { ownUnderstanding } from '#domain/peer-message.ts'
import { createTestConsole, type TestConsole } from '#test/pages/console.ts'
import { sectionText } from '#test/pages/text.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { createPeerSender, type SentMessage } from '#test/support/peer-sender.ts'

type Json = Record<string, unknown>

/** One installation, what the other is to it, and how the other speaks to it. */
interface Side {
  readonly api: TestConsole
  readonly peerId: string
  readonly take: Awaited<ReturnType<typeof createPeerSender>>['send']
  /** The last of its messages that went over. */
  sent: number
}

let parent: Side
let child: Side
let customerId = ''

before(async () => {
  const [upper, lower] = await Promise.all([createTestConsole(), createTestConsole()])
  const made = await upper.post('/v1/customers', { code: 'reseller', name: 'Reseller', currency: 'USD' })
  customerId = decodeId('customer', String(made.body['id']))
  parent = await createSide(upper, { role: 'customer', customer_id: customerId, name: 'Reseller' })
  child = await createSide(lower, { role: 'supplier', name: 'Upstream' })
})
after(async () => {
  await parent.api.close()
  await child.api.close()
})

async function createSide(api: TestConsole, as: object): Promise<Side> {
  const { version, kinds } = ownUnderstanding
  const peerId = await insertPeer(api.db, { ...as, other_version: version, other_kinds: kinds })
  return { api, peerId, take: (await createPeerSender(api, peerId)).send, sent: 0 }
}

/** What waits on one side goes over, changed on its way where a test says so. */
async function carry(from: Side, to: Side, change = (content: Json): Json => content): Promise<void> {
  const waiting = await readWaitingMessages(from.api.db, from.peerId, 100)
  if (waiting.length === 0) return
  const messages = waiting.map(({ sequence, kind, content }) => ({
    sequence,
    kind,
    content: change(content),
  }))
  const { status, body } = await to.take(from.sent, messages)
  assert.equal(status, 200, JSON.stringify(body))
  from.sent = Math.max(...waiting.map(({ sequence }) => sequence))
  await noteDelivered(from.api.db, from.peerId, {
    messages: waiting,
    isNumbered: true,
    now: '2026-04-01T00:00:00Z',
  })
}

/** A bill of the parent of two lines, here and there. */
async function bill(change?: (content: Json) => Json): Promise<{ invoice: string; supplied: string }> {
  const { id } = await insertOneOffInvoice(parent.api.db, customerId, [
    ['1', '10.00'],
    ['2', '5.00'],
  ])
  await carry(parent, child, change)
  const row = await child.api.db
    .selectFrom('supplier_invoices')
    .select('id')
    .where('document_id', '=', id)
    .executeTakeFirstOrThrow()
  return { invoice: encodeId('invoice', id), supplied: encodeId('supplierInvoice', row.id) }
}

const read = async ({ api }: Side, path: string): Promise<Json> => {
  const answer = await api.request(path, { headers: { authorization: `Bearer ${api.key}` } })
  assert.equal(answer.status, 200, path)
  return (await answer.json()) as Json
}

const raise = async (supplied: string, body: object = { reason: 'Line 2 was never ordered', lines: [2] }) => {
  const made = await child.api.post(`/v1/supplier-invoices/${supplied}/disputes`, body)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  return String(made.body['id'])
}
const answer = async (id: string, body: object, { api }: Side = parent) =>
  await api.post(`/v1/disputes/${id}/answer`, body)
const withdraw = async (id: string, { api }: Side = child) =>
  await api.post(`/v1/disputes/${id}/withdraw`, {})

/** What both sides have to say alike. */
async function saidOf(side: Side, id: string) {
  const {
    supplier_invoice: _theirs,
    invoice: _ours,
    peer: _peer,
    peer_name: _name,
    raised: _side,
    ...row
  } = await read(side, `/v1/disputes/${id}`)
  const { raised_by: _raised, withdrawn_by: _withdrawn, answered_by: _answered, ...said } = row
  return said
}

async function assertEqualOnBothSides(id: string, expected: Json): Promise<void> {
  const there = await saidOf(parent, id)
  assert.deepEqual(there, await saidOf(child, id))
  assert.deepEqual({ ...there, ...expected }, there)
}

async function tasksOf(side: Side, kind: string, subject: string) {
  const { data } = await read(side, '/v1/tasks?limit=100')
  return (data as Json[])
    .filter((task) => task['kind'] === kind && task['subject_id'] === subject)
    .map((task) => ({
      isOpen: task['closed_at'] === null,
      detail: task['detail'],
      why: task['closed_reason'],
    }))
}

test('a dispute that a person raises is a task over there, its answer comes back, and both sides say the same (G-14)', async () => {
  const { invoice, supplied } = await bill()
  const id = await raise(supplied)
  assert.equal((await read(child, `/v1/supplier-invoices/${supplied}`))['state'], 'disputed')
  assert.equal((await read(parent, `/v1/invoices/${invoice}`))['is_disputed'], false)
  await carry(child, parent)
  const [task] = await tasksOf(parent, 'invoice_disputed', invoice)
  assert.match(String(task?.detail), /“Line 2 was never ordered”/)
  assert.equal(task?.isOpen, true)
  assert.equal((await read(parent, `/v1/invoices/${invoice}`))['is_disputed'], true)
  await assertEqualOnBothSides(id, { state: 'open', reason: 'Line 2 was never ordered', lines: [2] })

  const text = 'It is in the order of 3 March.'
  const answered = await answer(id, { outcome: 'rejected', text })
  assert.deepEqual([answered.status, answered.body['state']], [200, 'rejected'])
  const [closed] = await tasksOf(parent, 'invoice_disputed', invoice)
  assert.deepEqual([closed?.isOpen, closed?.why], [false, 'the dispute was rejected'])
  await carry(parent, child)
  await assertEqualOnBothSides(id, { state: 'rejected', outcome: 'rejected', answer: text })
  const supplierInvoice = await read(child, `/v1/supplier-invoices/${supplied}`)
  assert.notEqual(supplierInvoice['state'], 'disputed')
  assert.deepEqual(
    (supplierInvoice['disputes'] as Json[]).map((dispute) => dispute['answer']),
    [text],
  )
  assert.equal((await read(parent, `/v1/invoices/${invoice}`))['is_disputed'], false)
})

test('where our sums differ the supplier is told by itself, and the answer closes the task here', async () => {
  const differing = (content: Json) => ({ ...content, total_minor: Number(content['total_minor']) + 1 })
  const { invoice, supplied } = await bill(differing)
  await carry(child, parent)
  const { data } = await read(parent, '/v1/disputes?raised=there&state=open')
  const [dispute] = data as Json[]
  assert.equal(dispute?.['invoice'], invoice)
  assert.match(
    String(dispute['reason']),
    /The sums do not add up: net and tax come to 2400, the total says 2401/,
  )
  assert.equal((await tasksOf(parent, 'invoice_disputed', invoice))[0]?.isOpen, true)
  assert.equal((await tasksOf(child, 'supplier_invoice_disputed', supplied))[0]?.isOpen, true)
  const id = String(dispute['id'])
  assert.equal((await read(child, `/v1/disputes/${id}`))['raised_by'], 'clouder')
  assert.equal((await answer(id, { outcome: 'accepted' })).status, 200)
  await carry(parent, child)
  await assertEqualOnBothSides(id, { state: 'accepted', answer: null })
  const [task] = await tasksOf(child, 'supplier_invoice_disputed', supplied)
  assert.deepEqual([task?.isOpen, task?.why], [false, 'the supplier has accepted the dispute'])
})

test('what is withdrawn needs no answer; where an answer crosses the withdrawal, both keep both and say withdrawn', async () => {
  const { invoice, supplied } = await bill()
  const first = await raise(supplied)
  await carry(child, parent)
  assert.equal((await withdraw(first)).body['state'], 'withdrawn')
  await carry(child, parent)
  await assertEqualOnBothSides(first, { state: 'withdrawn', outcome: null })
  assert.equal((await tasksOf(parent, 'invoice_disputed', invoice))[0]?.why, 'the dispute was withdrawn')

  const second = await raise(supplied, { reason: 'Still wrong' })
  await carry(child, parent)
  assert.equal((await answer(second, { outcome: 'rejected', text: 'It is not' })).status, 200)
  assert.equal((await withdraw(second)).status, 200)
  await carry(child, parent)
  await carry(parent, child)
  await assertEqualOnBothSides(second, { state: 'withdrawn', outcome: 'rejected', answer: 'It is not' })
})

test('what came before it is understood on the other side is one dispute: raised and withdrawn before anybody could answer', async () => {
  const { invoice, supplied } = await bill()
  const id = await raise(supplied)
  await withdraw(id)
  await carry(child, parent)
  await assertEqualOnBothSides(id, { state: 'withdrawn' })
  assert.ok((await tasksOf(parent, 'invoice_disputed', invoice)).every((task) => !task.isOpen))
})

test('what cannot be raised, withdrawn or answered is refused by its code', async () => {
  const { supplied } = await bill()
  const path = `/v1/supplier-invoices/${supplied}/disputes`
  const beyond = await child.api.post(path, { reason: 'Wrong', lines: [1, 3] })
  assert.deepEqual([beyond.status, beyond.body['code']], [422, 'field_invalid'])
  assert.match(JSON.stringify(beyond.body), /"\/lines\/1"/)
  assert.equal((await child.api.post(path, { reason: '  ' })).status, 422)
  const id = await raise(supplied)
  const refused: [Promise<{ status: number; body: Json }>, number, string][] = [
    [child.api.post(path, { reason: 'Again' }), 409, 'dispute_open'],
    [answer(id, { outcome: 'accepted' }, child), 409, 'dispute_not_ours'],
  ]
  await carry(child, parent)
  const unsaid = await answer(id, { outcome: 'rejected' })
  assert.equal(unsaid.status, 422)
  assert.match(JSON.stringify(unsaid.body), /"\/text"/)
  refused.push([withdraw(id, parent), 409, 'dispute_not_ours'])
  assert.equal((await answer(id, { outcome: 'accepted', text: 'Yes' })).status, 200)
  refused.push([answer(id, { outcome: 'accepted' }), 409, 'dispute_closed'])
  await carry(parent, child)
  refused.push([withdraw(id), 409, 'dispute_closed'])
  const closed = await insertPeer(child.api.db, { name: 'Gone', state: 'closed', closed_at: '2026-03-02' })
  const document = encodeId('invoice', newId())
  await receiveDocument(child.api.db, closed, supplierDocument({ document, number: 'GONE-1' }))
  const gone = await child.api.db
    .selectFrom('supplier_invoices')
    .select('id')
    .where('peer_id', '=', closed)
    .executeTakeFirstOrThrow()
  const ofGone = `/v1/supplier-invoices/${encodeId('supplierInvoice', gone.id)}/disputes`
  refused.push([child.api.post(ofGone, { reason: 'Wrong' }), 409, 'dispute_unreachable'])
  for (const [asked, status, code] of refused) {
    const { status: found, body } = await asked
    assert.deepEqual([found, body['code']], [status, code])
  }
})

test('it is said on the pages and in the lists of both sides, raised and answered there', async () => {
  const { invoice, supplied } = await bill()
  const [here, there] = [`/supplier-invoices/${supplied}`, `/invoices/${invoice}`]
  const sent = await child.api.submit(here, `${here}/dispute`, { reason: 'Billed twice', lines: '1, 2' })
  assert.equal(sent.status, 303)
  assert.match(sectionText((await child.api.get(here)).html, 'disputes'), /Billed twice Lines 1, 2\..*open/)
  assert.match(sectionText((await child.api.get('/payables')).html, 'list'), /disputed/)
  await carry(child, parent)
  assert.match(sectionText((await parent.api.get('/invoices')).html, 'list'), /disputed by the customer/)
  assert.match((await parent.api.get('/')).html, new RegExp(`href="${there}#disputes"`))
  const form = `${there}/answer-dispute`
  const silent = await parent.api.submit(there, form, { outcome: 'rejected', text: '' })
  assert.equal(silent.status, 422)
  assert.match(sectionText(silent.html, 'disputes'), /text is missing/)
  assert.equal((await parent.api.submit(there, form, { outcome: 'accepted', text: '' })).status, 303)
  await carry(parent, child)
  for (const [side, page] of [
    [child, here],
    [parent, there],
  ] as const)
    assert.match(sectionText((await side.api.get(page)).html, 'disputes'), /accepted A credit note follows/)
  const again = await child.api.submit(here, `${here}/dispute`, { reason: 'Still twice', lines: '' })
  assert.equal(again.status, 303)
  assert.equal((await child.api.submit(here, `${here}/withdraw`)).status, 303)
  await carry(child, parent)
})

const said = (different: Json = {}): Json => ({
  dispute: encodeId('dispute', newId()),
  document: encodeId('invoice', newId()),
  number: 'INV-1',
  reason: 'Wrong',
  lines: [],
  raised_at: '2026-04-01T00:00:00.000Z',
  withdrawn_at: null,
  outcome: null,
  answer: null,
  answered_at: null,
  ...different,
})

test('of a document that the customer was never sent the dispute is kept, a task of the peer, and on no invoice', async () => {
  const other = await parent.api.post('/v1/customers', { code: 'other', name: 'Other', currency: 'USD' })
  const otherId = decodeId('customer', String(other.body['id']))
  const { id } = await insertOneOffInvoice(parent.api.db, otherId, [['1', '10.00']])
  const content = said({ document: encodeId('invoice', id) })
  const message: SentMessage = { sequence: child.sent + 1, kind: 'dispute', content }
  const taken = await parent.take(child.sent, [message])
  assert.equal(taken.status, 200, JSON.stringify(taken.body))
  assert.equal((await read(parent, `/v1/disputes/${String(content['dispute'])}`))['invoice'], null)
  assert.equal((await read(parent, `/v1/invoices/${encodeId('invoice', id)}`))['is_disputed'], false)
  const peer = encodeId('peer', parent.peerId)
  assert.match(
    String((await tasksOf(parent, 'invoice_disputed', peer))[0]?.detail),
    /No such document of theirs/,
  )
  await answer(String(content['dispute']), { outcome: 'rejected', text: 'None of yours' })
  assert.equal((await tasksOf(parent, 'invoice_disputed', peer))[0]?.isOpen, false)
  // The next of the child's own comes behind it.
  child.sent += 1
  await child.api.db
    .updateTable('peers')
    .set({ last_sequence: child.sent })
    .where('id', '=', child.peerId)
    .execute()
})

test('an answer to what a restored customer has forgotten brings it back; a second answer halts, once', async () => {
  const { supplied } = await bill()
  const { document } = await read(child, `/v1/supplier-invoices/${supplied}`)
  const forgotten = said({
    document,
    outcome: 'rejected',
    answer: 'No',
    answered_at: '2026-04-02T00:00:00.000Z',
  })
  const send = async (content: Json) => {
    const answered = await child.take(parent.sent, [
      { sequence: parent.sent + 1, kind: 'dispute_answer', content },
    ])
    parent.sent += 1
    return (answered.body['results'] as Json[])[0]?.['outcome']
  }
  assert.equal(await send(forgotten), 'stored')
  const back = await read(child, `/v1/disputes/${String(forgotten['dispute'])}`)
  assert.deepEqual([back['state'], back['answer'], back['supplier_invoice']], ['rejected', 'No', supplied])
  assert.equal(await send({ ...forgotten, answer: 'Yes', outcome: 'accepted' }), 'conflict')
  const peer = `/v1/peers/${encodeId('peer', child.peerId)}`
  const { state, halted_reason: reason } = await read(child, peer)
  assert.equal(state, 'halted')
  assert.match(
    String(reason),
    /^a dispute of INV-1 is known here as another one; who resumes the peer leaves/,
  )
  // It comes again once a person over there has resumed, too, and holds up nothing for ever.
  assert.equal((await child.api.post(`${peer}/resume`, {})).status, 200)
  parent.sent -= 1
  assert.equal(await send({ ...forgotten, answer: 'Yes', outcome: 'accepted' }), 'exists')
  assert.equal((await read(child, peer))['state'], 'active')
  const kept = await read(child, `/v1/disputes/${String(forgotten['dispute'])}`)
  assert.deepEqual([kept['state'], kept['answer']], ['rejected', 'No'])
})

test('what a peer of version 1 does not understand waits, and an operator is told', async () => {
  const { api } = child
  const old = await insertPeer(api.db, { name: 'Old' })
  const document = encodeId('invoice', newId())
  await receiveDocument(api.db, old, supplierDocument({ document, number: 'OLD-1' }))
  const row = await api.db
    .selectFrom('supplier_invoices')
    .select('id')
    .where('peer_id', '=', old)
    .executeTakeFirstOrThrow()
  await raise(encodeId('supplierInvoice', row.id), { reason: 'Wrong' })
  assert.deepEqual(await readWaitingMessages(api.db, old, 100), [])
  assert.equal(await fallAsleep(api.db, old), true)
  const [task] = await tasksOf(child, 'peer_outdated', encodeId('peer', old))
  assert.match(String(task?.detail), /1 of kind dispute/)
})
