import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { newId, newIds } from '#db/identifier.ts'
import { queuePeerMessages } from '#db/peer-queue.ts'
import { insertExpenseCategory, mapExpense } from '#db/expense.ts'
import { noteSilence, noteUnanswered } from '#db/peer-silence.ts'
import { haltPeer } from '#db/peer.ts'
import { getPeer } from '#db/read/peer.ts'
import { encodeId } from '#domain/identifier.ts'
import { receiveSupplierStanding } from '#db/supplier-standing.ts'
import { ensurePeerSupplier } from '#db/supplier.ts'
import { receiveMappings } from '#db/told-mapping.ts'
import { readInvitation, writeInvitation } from '#domain/peer.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { insertPeer, insertReseller, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { sectionText, textOf } from './text.ts'

const path = '/settings/peers'
let console: TestConsole
before(async () => {
  console = await createTestConsole()
})
after(async () => console.close())

test('what a supplier sent is listed, with why our own sums come to something else', async () => {
  const peerId = await insertPeer(console.db)
  await receiveDocument(console.db, peerId, supplierDocument({ total_minor: 1_201 }))
  const { html } = await console.get(path)
  assert.match(sectionText(html, 'peers'), /Upstream bills us, in USD ✓ active 1 document received/)
  assert.match(
    sectionText(html, 'received'),
    /UP-1 .*disputed net and tax come to 1200.* Upstream .* 12\.01 /,
  )
})

test('a peer says who bills whom, as which customer and in which currency, on both sides (G-01)', async () => {
  await insertPeer(console.db, { name: 'Billing', billed_as: 'downstream' })
  const customerId = await insertReseller(console.db)
  await insertPeer(console.db, { name: 'Billed', role: 'customer', customer_id: customerId })
  const text = sectionText((await console.get(path)).html, 'peers')
  assert.match(text, /Billing bills us as downstream, in USD/)
  assert.match(text, /Billed is billed as c-[0-9a-f]{8}, in USD/)
})

test('as what a customer counts our products is on its page, and what we count of a supplier on that one’s (G-01)', async () => {
  const { db } = console
  const now = new Date().toISOString()
  const customerPeer = await insertPeer(db, { name: 'Counting', role: 'customer' })
  const supplierPeer = await insertPeer(db, { name: 'Counted', billed_as: 'us' })
  const agreedWith = async (peerId: string) => {
    const page = `${path}/${encodeId('peer', peerId)}/agreed`
    assert.ok((await console.get(path)).html.includes(`href="${page}"`))
    return sectionText((await console.get(page)).html, 'agreed')
  }
  assert.match(await agreedWith(customerPeer), /has not told as what it counts our products/)
  assert.match(
    await agreedWith(supplierPeer),
    /Counted bills us as us, in USD\. None of its products is mapped/,
  )
  const category = { code: 'hosting', name: 'Hosting' }
  await db.transaction().execute(async (tx) => {
    const mappings = [{ product_code: 'server-l', category }]
    await receiveMappings(tx, { peerId: customerPeer, told: { total: 3, mappings }, now })
    const categoryId = await insertExpenseCategory(tx, { ...category, account: '6110' })
    const supplierId = await ensurePeerSupplier(tx, supplierPeer)
    const said = { supplierId, categoryId, actor: 'tester', now }
    await mapExpense(tx, { ...said, matches: 'product_code', value: 'mains' })
    await mapExpense(tx, { ...said, matches: 'description', value: 'By hand' })
  })
  assert.match(
    await agreedWith(customerPeer),
    /As what it counts our products, told .*\. Product server-l → expense category hosting Hosting And 2 products more\./,
  )
  const ours = await agreedWith(supplierPeer)
  assert.match(ours, /As what we count its products.* Product mains → expense category hosting Hosting $/)
  assert.doesNotMatch(ours, /By hand/)
})

test('what waits for a peer is told by kind, with what is not understood over there yet', async () => {
  const peerId = await insertPeer(console.db, { name: 'Late', role: 'customer', other_version: 1 })
  const standing = { kind: 'standing', subjectId: null, content: { state: 'paid' } } as const
  const document = { kind: 'document', subjectId: newId(), content: null } as const
  await console.db
    .transaction()
    .execute(async (tx) => await queuePeerMessages(tx, peerId, [document, standing, standing]))
  assert.match(
    sectionText((await console.get(path)).html, 'peers'),
    /Late .*3 messages wait since .* 1 document 2 standings, not understood there yet/,
  )
})

test('documents that were delivered are counted, not their files and standings', async () => {
  const { db } = console
  const peerId = await insertPeer(db, { name: 'Counted', role: 'customer' })
  const standing = { kind: 'standing', subjectId: null, content: { state: 'paid' } } as const
  const document = () => ({ kind: 'document', subjectId: newId(), content: null }) as const
  const queue = async (...messages: Parameters<typeof queuePeerMessages>[2][number][]) =>
    await db.transaction().execute(async (tx) => await queuePeerMessages(tx, peerId, messages))
  await queue(document(), standing, document(), standing, standing)
  await db
    .updateTable('peer_messages')
    .set({ delivered_at: '2026-04-01T10:00:00Z', sha256: Buffer.alloc(32) })
    .where('peer_id', '=', peerId)
    .execute()
  await queue(document())
  const row = await getPeer(db, peerId)
  assert.deepEqual([row.delivered, row.waiting], [2, 1])
  assert.match(
    sectionText((await console.get(path)).html, 'peers'),
    /Counted .*2 documents delivered 1 message waits since .* 1 document /,
  )
})

test('what a supplier says of a document stands beside our own state of it', async () => {
  const peerId = await insertPeer(console.db)
  const document = 'inv_01kb0000000000000000000007'
  await receiveDocument(console.db, peerId, supplierDocument({ document, number: 'UP-7' }))
  const standing = {
    document,
    state: 'partly_paid',
    paid_minor: 500,
    credited_minor: 0,
    open_minor: 700,
    since: '2026-04-02T10:00:00Z',
  } as const
  const now = '2026-04-02T11:00:00Z'
  await console.db
    .transaction()
    .execute(async (tx) => await receiveSupplierStanding(tx, { peerId, standing, now }))
  assert.match(
    sectionText((await console.get(path)).html, 'received'),
    /UP-7 .* overdue partly paid, says supplier: 5\.00.* paid, 7\.00.* open .*2 Apr.* Upstream /,
  )
})

test('a halted peer says why and is resumed by a button, and closed by another', async () => {
  const id = encodeId(
    'peer',
    await insertPeer(console.db, { name: 'Halting', state: 'halted', halted_reason: 'UP-9 came again' }),
  )
  assert.match(sectionText((await console.get(path)).html, 'peers'), /Halting .*halted UP-9 came again/)
  assert.equal((await console.submit(path, `${path}/${id}/resume`)).status, 303)
  assert.doesNotMatch(sectionText((await console.get(path)).html, 'peers'), /UP-9/)
  assert.match(
    sectionText((await console.get(path)).html, 'peers'),
    /Close… Nothing is sent or taken any more/,
  )
  assert.equal((await console.submit(path, `${path}/${id}/close`)).status, 303)
  assert.match(sectionText((await console.get(path)).html, 'peers'), /Halting bills us, in USD – closed/)
  const outbox = await console.db.selectFrom('outbox').select('key').execute()
  for (const signal of ['peerResumed', 'peerClosed'])
    assert.ok(outbox.some(({ key }) => key.startsWith(`peer/${id}/${signal}/`)))
})

test('what waits for a peer says how much, since when and why', async () => {
  const { db } = console
  const peerId = await insertPeer(db, { name: 'Away' })
  const messages = Array.from(
    { length: 12 },
    () => ({ kind: 'document', subjectId: newId(), content: null }) as const,
  )
  await db.transaction().execute(async (tx) => await queuePeerMessages(tx, peerId, messages))
  await noteSilence(db, { peerId, cause: 'connect ECONNREFUSED', now: new Date().toISOString() })
  const { html } = await console.get(path)
  assert.match(sectionText(html, 'peers'), /Away .*12 messages wait since .*: connect ECONNREFUSED/)
})

test('what people have to do about a peer leads to it from home', async () => {
  const { db } = console
  const peerId = await insertPeer(db, { name: 'Stuck', state: 'active' })
  await db
    .transaction()
    .execute(
      async (tx) =>
        await haltPeer(tx, peerId, { subject: 'Messages are not sent to Stuck', reason: 'UP-9 came again' }),
    )
  const { html } = await console.get('/')
  assert.match(sectionText(html, 'needs'), /Messages are not sent to Stuck.*See what waits, and go on/)
  assert.ok(html.includes(`href="${path}"`))
})

test('an invoice says whether the installation of its customer has it, and what it waits for', async () => {
  const { db } = console
  const customerId = await insertReseller(db)
  const peerId = await insertPeer(db, { name: 'Reselling', role: 'customer', customer_id: customerId })
  const { id } = await insertOneOffInvoice(db, customerId, [['1', '1.00']])
  await noteSilence(db, { peerId, cause: 'connect ECONNREFUSED', now: new Date().toISOString() })
  const customer = await console.get(`/customers/${encodeId('customer', customerId)}`)
  assert.match(textOf(customer.html), /Own installation Reselling ✓ active/)
  const page = `/invoices/${encodeId('invoice', id)}`
  const sending = async () => sectionText((await console.get(page)).html, 'sending')
  assert.match(
    await sending(),
    /It waits for Reselling since .*: connect ECONNREFUSED\. It goes over by itself\./,
  )
  await db
    .updateTable('peer_messages')
    .set({ delivered_at: '2026-04-01T10:00:00Z', sha256: Buffer.alloc(32) })
    .where('subject_id', '=', id)
    .execute()
  assert.match(await sending(), /Reselling has it as a supplier invoice since 1 Apr 2026, 10:00:00 UTC/)
})

test('an invitation is accepted by its form; what is none is refused beside it', async () => {
  const refused = await console.submit(path, path, { invitation: 'something', customer: '' })
  assert.equal(refused.status, 422)
  assert.match(sectionText(refused.html, 'accept'), /This is no invitation/)
  const invitation = writeInvitation({
    url: 'https://upstream.example.com',
    peer: 'peer_01kb0000000000000000000001',
    role: 'supplier',
    code: 'a-code',
  })
  assert.equal((await console.submit(path, path, { invitation, customer: '' })).status, 303)
  assert.match(sectionText((await console.get(path)).html, 'peers'), /Not known yet bills us .*accepting/)
})

test('an accepted invitation that leads to nothing says why, and what is to be done', async () => {
  const never = { installation_id: null, paired_at: null, name: null }
  const peerId = await insertPeer(console.db, { ...never, state: 'accepting' })
  await noteUnanswered(console.db, peerId, 'invitation_expired: too late. Close the peer.')
  assert.match(
    sectionText((await console.get(path)).html, 'peers'),
    /accepting invitation_expired: too late\. Close the peer\./,
  )
})

test('an installation is invited by its form; the invitation is on that answer only', async () => {
  const { db } = console
  const reseller = await insertReseller(db)
  const asked = { role: 'customer', customer: '' }
  const refused = await console.submit(path, `${path}/invitations`, asked)
  assert.equal(refused.status, 422)
  assert.match(sectionText(refused.html, 'invite'), /Say which customer the other installation is/)
  const made = await console.submit(path, `${path}/invitations`, {
    ...asked,
    customer: encodeId('customer', reseller),
  })
  assert.equal(made.status, 200)
  const [invitation = ''] = /peer-invitation\.supplier\.[^<]+/.exec(made.html) ?? []
  assert.equal(readInvitation(invitation).url, console.publicUrl)
  const again = await console.get(path)
  assert.match(
    sectionText(again.html, 'peers'),
    /Not known yet is billed as c-\w+, in USD .*invited holds until /,
  )
  assert.ok(!again.html.includes('peer-invitation.'))
  const asIfReloaded = await console.get(`${path}/invitations`)
  assert.deepEqual([asIfReloaded.status, asIfReloaded.headers.get('location')], [303, path])
})

test('what was compared says where it differs; a question that got no answer does not hide that', async () => {
  const { db } = console
  const peerId = await insertPeer(db, { name: 'Compared' })
  const asked = { peer_id: peerId, is_asked_here: true, kind: 'proof', asked_by: 'tester' } as const
  const question = JSON.stringify({ from: '2026-01-01', to: '2027-01-01' })
  const differences = [
    {
      document: 'inv_1',
      number: 'UP-7',
      issuedOn: '2026-03-01',
      difference: 'missing_here',
      isWaiting: false,
    },
  ]
  const answer = JSON.stringify({ isEqual: false, ours: [], theirs: [], differences })
  const ids = newIds(2).values()
  const row = (key: string, more: object) => ({ id: ids.next().value, key, question, ...asked, ...more })
  const at = { asked_at: '2026-04-01T00:00:00Z', finished_at: '2026-04-01T00:00:01Z' }
  const later = { asked_at: '2026-04-01T00:01:00Z', finished_at: '2026-04-01T00:01:01Z' }
  const evidence = JSON.stringify({ url: 'https://upstream.example.com', headers: {}, body: '{}' })
  const refusal = { refusal_code: 'peer_unreachable', refusal_detail: 'It does not answer.' }
  await db
    .insertInto('peer_questions')
    .values([row('one', { ...at, answer, evidence }), row('two', { ...later, ...refusal })] as never)
    .execute()
  const { html } = await console.get(`${path}/${encodeId('peer', peerId)}/proofs`)
  assert.match(
    sectionText(html, 'proofs'),
    /1 January to 31 December 2026 tester .*no answer It does not answer\..*1 document differs/,
  )
  assert.match(sectionText(html, 'differences'), /UP-7 .*is not here/)
})

test('the usage behind a supplier’s line opens to its days and from a day to each reading, as the supplier says it; its silence is told (G-15)', async () => {
  const { db, temporal } = console
  const peerId = await insertPeer(db, { name: 'Metering' })
  await receiveDocument(db, peerId, supplierDocument({ number: 'UP-15' }))
  const { id: supplierInvoiceId } = await db
    .selectFrom('supplier_invoices')
    .select('id')
    .where('number', '=', 'UP-15')
    .executeTakeFirstOrThrow()
  const page = `/supplier-invoices/${encodeId('supplierInvoice', supplierInvoiceId)}/usage`
  const lines = sectionText((await console.get(page)).html, 'lines')
  assert.match(lines, /Hosting 1 month 10\.00 USD Ask the supplier for what is behind Hosting/)

  // What the workflow does: the answer, or why there is none, is in the row.
  const answers: object[] = []
  temporal.behaviour.onExecute = async ({ args }) => {
    const [{ questionId = '' } = {}] = args as { questionId?: string }[]
    const answer = answers.shift()
    const silence = { refusal_code: 'peer_unreachable', refusal_detail: 'It does not answer.' }
    const said = {
      answer: JSON.stringify(answer),
      evidence: JSON.stringify({ url: '', headers: {}, body: '' }),
    }
    await db
      .updateTable('peer_questions')
      .set({ finished_at: '2026-04-01T00:00:00Z', ...(answer === undefined ? silence : said) } as never)
      .where('id', '=', questionId)
      .execute()
  }
  const silent = await console.get(`${page}?line=1`)
  assert.equal(silent.status, 503)
  assert.match(silent.html, /role="alert">It does not answer\./)
  assert.match(sectionText(silent.html, 'lines'), /Hosting/)

  const usageWindow = {
    id: 'uwin_01kb0000000000000000000001',
    subscription: 'sub_01kb0000000000000000000001',
    subscription_line: 'line_01kb0000000000000000000001',
    instance: null,
    invoice: 'inv_01kb0000000000000000000001',
    metric: 'network',
    quantity: '3',
    unit: 'GiB',
    start: '2026-03-01T00:00:00.000Z',
    end: '2026-04-01T00:00:00.000Z',
    late: false,
    pending: false,
    first_read_at: null,
    last_read_at: null,
    readings: 2,
    events: 1,
    days: [{ on: '2026-03-05', readings: 2, events: 1, counted: '3' }],
  }
  const reading = { series: 'eth0', unit: 'GiB', opening: false }
  const readings = [
    { ...reading, value: '7', read_at: '2026-03-05T10:00:00.000Z', opening: true, counted: null },
    { ...reading, value: '8', read_at: '2026-03-05T11:00:00.000Z', counted: '1' },
  ]
  const at = '2026-03-05T12:00:00.000Z'
  const events = [{ source: 'shop', id: 'evt-1', quantity: '2', unit: 'GiB', time: at, received_at: at }]
  answers.push({ window: usageWindow, readings: [], events: [] }, { window: null, readings, events })
  const opened = (await console.get(`${page}?line=1`)).html
  assert.match(textOf(opened), /As Metering says it; its signature is kept with it\./)
  assert.match(sectionText(opened, 'days'), /3 GiB Metric network, after 1 Mar 2026.* 5 March 2026 2 1 3/)
  assert.ok(opened.includes(`href="${page}?line=1&amp;on=2026-03-05"`))
  const day = (await console.get(`${page}?line=1&on=2026-03-05`)).html
  assert.match(
    sectionText(day, 'readings'),
    /eth0, where counting begins 7 GiB – .*eth0 8 GiB 1 .*shop evt-1 2 GiB 2/,
  )
  // Said once, it is not asked again.
  temporal.behaviour.onExecute = () => Promise.reject(new Error('nobody is to be asked'))
  assert.equal((await console.get(`${page}?line=1`)).status, 200)
})
