import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { sql } from 'kysely'
import { createPeerRecall } from '#activities/peer-recall.ts'
import type { Db, Tx } from '#db/database.ts'
import { hashOf } from '#db/content-hash.ts'
import { checkAnswer } from '#db/peer-answer.ts'
import { listFilelessDocuments } from '#db/peer-file.ts'
import { openSigner } from '#db/peer-key.ts'
import { queuePeerMessages } from '#db/peer-queue.ts'
import { noteReceived } from '#db/peer-received.ts'
import { signMessage } from '#db/peer-signature.ts'
import { readLastSequence } from '#db/peer.ts'
import { insertReadings } from '#db/usage.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { peerQuestionPath, type SignedExchange } from '#domain/peer-question.ts'
import { activate, billNextPeriod, build, sell } from '#test/pages/story.ts'
import { chapter } from '#test/support/chapter.ts'
import { backUpDatabase } from '#test/support/database.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import { findInstanceId } from '#test/support/instances.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { pushUsage } from '#test/support/seller.ts'
import { installationKey } from '#test/support/workers.ts'

// A parent bills Harbour Bakery, which is an installation itself, from February to April 2026.
let parent: TestInstallation
let child: TestInstallation
/** The child, as the parent knows it, and the other way round. */
let peer = ''
let supplier = ''

before(async () => {
  parent = await startInstallation({ isServed: true })
  child = await startInstallation({ isServed: true })
  const invited = await parent.call('POST', '/v1/peers/invitations', {
    role: 'customer',
    customer: 'harbour-bakery',
  })
  peer = String(invited.body['peer'])
  const accepted = await child.call('POST', '/v1/peers', { invitation: invited.body['invitation'] })
  supplier = String(accepted.body['id'])
  await until('both are active', async () => {
    await relay()
    const both = [await show(parent), await show(child)]
    return both.every(({ state }) => state === 'active')
  })
})
after(async () => {
  await child.stop()
  await parent.stop()
})

const relay = async () => {
  await parent.relay()
  await child.relay()
}
const peerOf = (side: TestInstallation) => (side === parent ? peer : supplier)
const show = async (side: TestInstallation) => (await side.call('GET', `/v1/peers/${peerOf(side)}`)).body

const received = async () =>
  await child.db.selectFrom('supplier_invoices').selectAll().orderBy('id').execute()

async function bill(issuedOn: string, price = '10.00') {
  const { id } = await parent.db
    .selectFrom('customers')
    .select('id')
    .where('code', '=', 'harbour-bakery')
    .executeTakeFirstOrThrow()
  return await insertOneOffInvoice(parent.db, id, [['1', price]], { now: `${issuedOn}T08:00:00Z` })
}

const untilReceived = async (count: number) =>
  await until(`${count} supplier invoices`, async () => {
    await relay()
    const rows = await received()
    return rows.length >= count && rows
  })

async function prove(side: TestInstallation, range: Json = { from: '2026-01-01', to: '2027-01-01' }) {
  const { status, body } = await side.call('POST', `/v1/peers/${peerOf(side)}/proofs`, range)
  assert.equal(status, 201, JSON.stringify(body))
  return body
}

const months = (digests: unknown) =>
  (digests as Json[]).map(({ month, documents }) => `${String(month)} ${String(documents)}`)

/** Takes questions only; what else comes finds it away. */
function answerQuestions(side: TestInstallation): string[] {
  const kinds: string[] = []
  side.door?.lead(async (request) => {
    if (!request.url.endsWith(peerQuestionPath)) return new Response('', { status: 503 })
    const { question } = (await request.clone().json()) as { question: Json }
    // What waits to be sent asks first what is there.
    if (question['kind'] !== 'received') kinds.push(String(question['kind']))
    return await side.app.fetch(request)
  })
  return kinds
}

const answerAll = (side: TestInstallation) =>
  side.door?.lead(async (request) => await side.app.fetch(request))

chapter('G-18 two sides that have the same documents say so by one question, whoever asks', async () => {
  await billUsage()
  for (const day of ['2026-03-01', '2026-03-15', '2026-04-01']) await bill(day)
  await untilReceived((await sentNumbers()).length)
  const kinds = answerQuestions(child)
  const proof = await prove(parent)
  assert.deepEqual(kinds, ['digest'])
  assert.deepEqual([proof['equal'], proof['differences']], [true, []])
  assert.deepEqual(months(proof['ours']), months(proof['theirs']))
  assert.deepEqual(months(proof['ours']).slice(-2), ['2026-03 2', '2026-04 1'])
  const ofChild = await prove(child, { from: '2026-03-15', to: '2026-04-01' })
  assert.deepEqual([ofChild['equal'], months(ofChild['ours'])], [true, ['2026-03 1']])
  // Both keep the other's word: what the child has asked, the parent shows as well.
  const kept = (await parent.call('GET', `/v1/peer-proofs?peer=${peer}`)).body['data'] as Json[]
  assert.deepEqual(
    kept.map(({ asked_here, equal, from }) => [asked_here, equal, from]),
    [
      [false, true, '2026-03-15'],
      [true, true, '2026-01-01'],
    ],
  )
  const detail = await parent.call('GET', `/v1/peer-proofs/${String(kept[1]?.['id'])}`)
  const { answer } = detail.body['evidence'] as SignedExchange
  assert.match(answer?.headers['signature-input'] ?? '', /^sig=\("@status" "content-digest"/)
})

async function sentNumbers() {
  const rows = await parent.db
    .selectFrom('invoices')
    .innerJoin('customers', 'customers.id', 'invoices.customer_id')
    .select('number')
    .where('customers.code', '=', 'harbour-bakery')
    .where('finalized_at', 'is not', null)
    .orderBy('sequence')
    .execute()
  return rows.map(({ number }) => number)
}

/** Network grows by 2.88 GiB on 5 February, read each hour, and 0.12 are pushed: 3.00 on the invoice. */
async function billUsage() {
  const { db } = parent
  const sold = await sell(db, { kit: 'odoo-config-1' }, { now: '2026-01-31T09:00:00Z' })
  // What is told here are rows: no workflow builds it.
  await db.deleteFrom('outbox').where('key', 'like', 'subscription/%').execute()
  await build(db, sold, 'done')
  await activate(db, sold, '2026-01-31T09:00:00Z')
  const instanceId = await findInstanceId(db, sold.id)
  const read = async (readAt: string, hundredths: number) =>
    await insertReadings(db, { instanceId, isOpening: false, sampledAt: readAt, readAt }, [
      { metric: 'network', series: 'web', value: (hundredths / 100).toFixed(2), unit: 'GiB' },
      { metric: 'disk', series: 'data', value: '0', unit: 'GiB' },
    ])
  for (let hour = 1; hour <= 24; hour += 1)
    await read(new Date(Date.parse('2026-02-05') + hour * 3_600_000).toISOString(), hour * 12)
  await pushUsage(db, {
    subscriptionId: sold.id,
    metric: 'network',
    quantity: '0.12',
    occurredAt: '2026-02-05T10:00:00Z',
  })
  await read('2026-02-28T00:00:00Z', 288)
  await billNextPeriod(db, sold, '2026-02-28T09:00:00Z')
}

chapter('G-18 documents that are missing or differ are named, and only their month is listed', async () => {
  const kinds = answerQuestions(child)
  const waiting = await bill('2026-04-02')
  const rows = await received()
  const [odd, lacking] = [rows.at(-1) ?? assert.fail(), rows.at(-2) ?? assert.fail()]
  await byForce(async (tx) => {
    await tx.deleteFrom('supplier_invoices').where('id', '=', lacking.id).execute()
    await tx
      .updateTable('supplier_invoices')
      .set({ sha256: Buffer.alloc(32) })
      .where('id', '=', odd.id)
      .execute()
  })
  const proof = await prove(parent)
  assert.deepEqual(kinds, ['digest', 'listing', 'listing'])
  assert.equal(proof['equal'], false)
  assert.deepEqual(differences(proof), [
    [lacking.number, 'missing_there', false],
    [odd.number, 'other_content', false],
    [waiting.number, 'missing_there', true],
  ])
  assert.deepEqual(differences(await prove(child)), [
    [lacking.number, 'missing_here', false],
    [odd.number, 'other_content', false],
    [waiting.number, 'missing_here', true],
  ])
  const { owed_minor: _computed, ...known } = lacking
  await byForce(async (tx) => {
    await tx
      .insertInto('supplier_invoices')
      .values({ ...known, content: JSON.stringify(lacking.content) })
      .execute()
    await tx.updateTable('supplier_invoices').set({ sha256: odd.sha256 }).where('id', '=', odd.id).execute()
  })
  answerAll(child)
  await untilReceived(rows.length + 1)
  assert.equal((await prove(parent))['equal'], true)
})

const differences = (proof: Json) =>
  (proof['differences'] as Json[]).map(({ number, difference, waiting }) => [number, difference, waiting])

/** What somebody can do to a database who may do everything. */
async function byForce(act: (tx: Tx) => Promise<unknown>) {
  await child.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await act(tx)
  })
}

/** The supplier invoice with a line of 3.00, and the place of that line. */
async function meteredLine() {
  for (const row of await received()) {
    const line = row.content.lines.findIndex((one) => one.quantity === '3' && one.unit === 'GiB') + 1
    if (line > 0) return { id: encodeId('supplierInvoice', row.id), line, document: row.content.document }
  }
  assert.fail('no line of a supplier invoice was metered')
}

chapter(
  'G-15 a line of 3.00 opens over there to the same window, days and readings as in the parent',
  async () => {
    const { id, line, document } = await meteredLine()
    const address = `/v1/supplier-invoices/${id}/usage?line=${line}`
    const opened = await child.call('GET', address)
    assert.equal(opened.status, 200, JSON.stringify(opened.body))
    const invoice = await parent.call('GET', `/v1/invoices/${document}`)
    const windowId = String((invoice.body['lines'] as Json[])[line - 1]?.['usage_window'])
    const window = (await parent.call('GET', `/v1/usage-windows/${windowId}`)).body
    assert.equal(window['quantity'], '3')
    assert.deepEqual(opened.body['window'], window)
    const day = await child.call('GET', `${address}&on=2026-02-05`)
    for (const rows of ['readings', 'events'] as const) {
      const own = await parent.call('GET', `/v1/usage-windows/${windowId}/${rows}?on=2026-02-05`)
      assert.deepEqual(day.body[rows], own.body['data'])
    }
    assert.deepEqual(
      [(day.body['readings'] as Json[]).length, (day.body['events'] as Json[]).length],
      [24, 1],
    )
    // What was said once is passed on without asking again.
    const kinds = answerQuestions(child)
    parent.door?.lead(async () => new Response('', { status: 503 }))
    assert.deepEqual((await child.call('GET', address)).body, opened.body)
    assert.deepEqual(kinds, [])
    answerAll(parent)
    answerAll(child)
  },
)

chapter('G-15 what others were billed, and what was not metered, is refused', async () => {
  const { line } = await meteredLine()
  const foreign = await parent.call('POST', '/v1/customers', {
    code: 'other',
    name: 'Other',
    currency: 'USD',
  })
  const { id } = await insertOneOffInvoice(parent.db, decodeId('customer', String(foreign.body['id'])), [
    ['1', '5.00'],
  ])
  const [first] = await received()
  assert.ok(first)
  const ask = async (document: string, of: number) => {
    const signer = await openSigner(child.db, installationKey, decodeId('peer', supplier))
    const url = `${parent.publicUrl}${peerQuestionPath}`
    const question = { kind: 'usage', document, line: of, on: null, skip: 0 }
    const body = JSON.stringify({ version: 1, peer, audience: parent.installationId, question })
    const headers = await signMessage(signer, { url, body, key: 'test/1' })
    const response = await parent.app.request(peerQuestionPath, { method: 'POST', headers, body })
    return [response.status, ((await response.json()) as Json)['code']]
  }
  assert.deepEqual(await ask(encodeId('invoice', id), line), [404, 'not_found'])
  assert.deepEqual(await ask(first.content.document, 1_000), [404, 'not_found'])
  const address = `/v1/supplier-invoices/${encodeId('supplierInvoice', first.id)}/usage?line=1000`
  const refused = await child.call('GET', address)
  assert.deepEqual([refused.status, refused.body['code']], [409, 'peer_refuses'])
})

chapter('a question is asked by who may, and its answer is the peer’s own', async () => {
  const { answer, ...question } = (await lastEvidence()) ?? assert.fail()
  assert.ok(answer)
  const now = new Date().toISOString()
  const of = { peerId: decodeId('peer', peer), question, answer, now }
  await checkAnswer(parent.db, of)
  for (const changed of [
    { answer: { ...answer, body: answer.body.replace('"documents":', '"documents" :') } },
    { answer: { ...answer, status: 201 } },
    { question: { ...question, headers: { ...question.headers, 'idempotency-key': 'other' } } },
    { question: { ...question, url: `${question.url}x` } },
    { peerId: decodeId('peer', supplier) },
  ])
    await assert.rejects(checkAnswer(parent.db, { ...of, ...changed }), { code: 'peer_signature_refused' })
})

const lastEvidence = async () => {
  const row = await parent.db
    .selectFrom('peer_questions')
    .select('evidence')
    .where('is_asked_here', '=', true)
    .orderBy('id', 'desc')
    .executeTakeFirst()
  return row?.evidence ?? null
}

chapter('what another worker sends while a peer is asked what it has is not taken for lost', async () => {
  const count = (await received()).length
  const [known] = await received()
  const content = { document: known?.content.document ?? '' }
  let sequence = 0
  /** A message that is laid down and taken over there, as if at once. */
  const sendMeanwhile = async () => {
    const ids = { there: decodeId('peer', supplier), here: decodeId('peer', peer) }
    await parent.db.transaction().execute(async (tx) => {
      const subjectId = known?.document_id ?? null
      await queuePeerMessages(tx, ids.here, [{ kind: 'standing', subjectId, content }])
    })
    sequence = await readLastSequence(parent.db, ids.here)
    const message = { sequence, kind: 'standing', sha256: hashOf(content) } as const
    // Noted before it is posted, as by every sender.
    await parent.db
      .updateTable('peer_messages')
      .set({ sha256: message.sha256 })
      .where('peer_id', '=', ids.here)
      .where('sequence', '=', sequence)
      .execute()
    await child.db
      .transaction()
      .execute(async (tx) => await noteReceived(tx, ids.there, [message], new Date().toISOString()))
  }
  child.door?.lead(async (request) => {
    const { question } = (await request.clone().json()) as { question?: Json }
    if (question?.['kind'] === 'received' && sequence === 0) await sendMeanwhile()
    return await child.app.fetch(request)
  })
  await bill('2026-04-02')
  await untilReceived(count + 1)
  answerAll(child)
  assert.ok(sequence > 0)
  assert.deepEqual(await statesOf(), ['active', 'active'])
  assert.equal((await prove(parent))['equal'], true)
})

const sentAgain = async (side: TestInstallation) => {
  const rows = await side.db
    .selectFrom('events')
    .select('data')
    .where('kind', '=', 'peer.sent_again')
    .orderBy('id')
    .execute()
  return rows.map(({ data }) => [data['after'], data['messages']])
}

/** Messages as a supplier has sent them and as they were taken: number, kind and hash. */
async function sentAndTaken() {
  const of = async (db: Db, table: 'peer_messages' | 'received_peer_messages', of: string) =>
    await db
      .selectFrom(table)
      .select(['sequence', 'kind', 'sha256'])
      .where('peer_id', '=', decodeId('peer', of))
      .orderBy('sequence')
      .execute()
  return [
    await of(parent.db, 'peer_messages', peer),
    await of(child.db, 'received_peer_messages', supplier),
  ] as const
}

/** Files as well, which come behind their documents. */
const untilAllIsTaken = async () =>
  await until('all is taken', async () => {
    await relay()
    // Looked for first: files that are laid down afterwards wait.
    const fileless = await listFilelessDocuments(parent.db, decodeId('peer', peer), 1)
    const { waiting } = await show(parent)
    const [sent, taken] = await sentAndTaken()
    return fileless.length === 0 && waiting === 0 && sent.length === taken.length && sent
  })

chapter(
  'a child that was restored is sent again what it has lost, by itself: once it says so, or when the next document comes',
  async () => {
    // Up to here nothing was lost: nothing was sent twice on purpose.
    await untilAllIsTaken()
    assert.deepEqual([await sentAgain(parent), await sentAgain(child)], [[], []])
    const before = (await sentAndTaken())[1].length
    const backup = await backUpDatabase(child.databaseUrl)
    await untilAnswers(child)
    const made = await bill('2026-04-02')
    await bill('2026-04-02')
    const amount = { amount_minor: 1_200, currency: 'USD' }
    await parent.call('POST', `/v1/invoices/${encodeId('invoice', made.id)}/payments`, amount)
    await untilAllIsTaken()
    await backup.putBack()
    await untilAnswers(child)
    const count = (await received()).length
    // As its worker does when it starts.
    const { db, publicUrl: consoleUrl } = child
    await createPeerRecall({ db, installationKey, consoleUrl }).recallAll((error) => {
      throw error
    })
    const sent = await untilAllIsTaken()
    assert.deepEqual(await sentAgain(parent), [[before, sent.length - before]])
    assert.deepEqual((await sentAndTaken())[1], sent)
    assert.equal((await received()).length, count + 2)
    assert.equal((await prove(child))['equal'], true)
    const said = await child.db
      .selectFrom('supplier_standings')
      .select('state')
      .where('document_id', '=', made.id)
      .execute()
    assert.deepEqual(said, [{ state: 'paid' }])

    // Without a word of it, the next document finds what is not there.
    const last = sent.length - 4
    await forget(last)
    await bill('2026-04-02')
    const all = await untilAllIsTaken()
    assert.deepEqual((await sentAgain(parent)).slice(1), [[last, 4]])
    assert.deepEqual((await sentAndTaken())[1], all)
    assert.deepEqual([await statesOf(), await hasTask(parent)], [['active', 'active'], false])
    assert.equal((await prove(parent))['equal'], true)
  },
)

chapter(
  'a child that was restored and then says something under a number it has used rests with its parent until people settle it; then all is said',
  async () => {
    await untilAllIsTaken()
    const [first, second] = (await received()).slice(-2).map(({ id }) => encodeId('supplierInvoice', id))
    const dispute = async (invoice: string | undefined, reason: string) => {
      const path = `/v1/supplier-invoices/${String(invoice)}/disputes`
      const { status, body } = await child.call('POST', path, { reason })
      assert.equal(status, 201, JSON.stringify(body))
    }
    const backup = await backUpDatabase(child.databaseUrl)
    await untilAnswers(child)
    await dispute(first, 'said before the restore')
    const lost = await untilDispute(parent, { reason: 'said before the restore' })
    const answer = { outcome: 'accepted', text: 'so it is' }
    await parent.call('POST', `/v1/disputes/${String(lost['id'])}/answer`, answer)
    const made = await bill('2026-04-02')
    const amount = { amount_minor: 1_200, currency: 'USD' }
    await parent.call('POST', `/v1/invoices/${encodeId('invoice', made.id)}/payments`, amount)
    await untilDispute(child, { state: 'accepted' })
    await untilAllIsTaken()
    const count = (await received()).length
    await backup.putBack()
    await untilAnswers(child)

    await dispute(second, 'said after the restore')
    await until('both are halted', async () => {
      await relay()
      return (await statesOf()).every((state) => state === 'halted')
    })
    assert.match(String((await show(child))['halted_reason']), /restored from an older backup/)
    assert.equal((await disputesOf(parent)).length, 1, 'nothing is taken in place of what was said before')
    const settled = await child.call('POST', `/v1/peers/${supplier}/settle`, {
      decision: 'keep',
      reason: 'restored from the backup of the night',
    })
    assert.deepEqual([settled.status, settled.body['state']], [200, 'active'], JSON.stringify(settled.body))
    assert.equal((await parent.call('POST', `/v1/peers/${peer}/resume`, {})).status, 200)
    await until('both go on', async () => {
      await relay()
      // Who goes on first may be refused by who still rests, and rests again.
      for (const [side, id] of [
        [parent, peer],
        [child, supplier],
      ] as const) {
        const { state, halted_reason: reason } = await show(side)
        if (state !== 'halted') continue
        assert.match(String(reason), /The other side refuses\. peer_halted/)
        await side.call('POST', `/v1/peers/${id}/resume`, {})
      }
      return (await disputesOf(parent)).length === 2
    })

    await untilDispute(parent, { reason: 'said after the restore', state: 'open' })
    const back = await untilDispute(child, { reason: 'said before the restore' })
    assert.deepEqual([back['state'], back['answer']], ['accepted', 'so it is'])
    await untilAllIsTaken()
    assert.equal((await received()).length, count)
    const said = await child.db
      .selectFrom('supplier_standings')
      .select('state')
      .where('document_id', '=', made.id)
      .execute()
    assert.deepEqual(said, [{ state: 'paid' }])
    assert.deepEqual(await statesOf(), ['active', 'active'])
    for (const side of [parent, child]) assert.equal((await prove(side))['equal'], true)
  },
)

const disputesOf = async (side: TestInstallation) =>
  (await side.call('GET', '/v1/disputes')).body['data'] as Json[]

/** One that says this, on that side. */
const untilDispute = async (side: TestInstallation, said: Json) =>
  await until(`a dispute ${JSON.stringify(said)}`, async () => {
    await relay()
    const found = await disputesOf(side)
    return found.find((one) => Object.entries(said).every(([name, value]) => one[name] === value))
  })

/** As a backup that is older than the last messages. */
async function forget(after: number): Promise<void> {
  await byForce(async (tx) => {
    await tx.deleteFrom('received_peer_messages').where('sequence', '>', after).execute()
  })
}

/** Until the database that was put back is the one that answers. */
const untilAnswers = async ({ db }: TestInstallation = parent) =>
  await until('the database answers', async () => {
    const answered = await sql`select 1`.execute(db).catch(() => undefined)
    return answered !== undefined
  })

const statesOf = async () => [(await show(parent))['state'], (await show(child))['state']]
const hasTask = async (side: TestInstallation) => {
  const { body } = await side.call('GET', '/v1/tasks')
  return (body['data'] as Json[]).some(({ kind }) => kind === 'peer_halted')
}

chapter(
  'G-06 F58 a parent that was restored gives no number again that its child has, and both rest',
  async () => {
    const backup = await backUpDatabase(parent.databaseUrl)
    await untilAnswers()
    const before = (await received()).length
    const lost = [await bill('2026-04-03'), await bill('2026-04-04')]
    await untilReceived(before + 2)
    await backup.putBack()
    await untilAnswers()
    // Before anybody has noticed, a number is given again; it comes to nobody.
    const again = await bill('2026-04-05')
    assert.equal(again.number, lost[0]?.number)
    await until('both are halted', async () => {
      await relay()
      return (await statesOf()).every((state) => state === 'halted')
    })
    assert.deepEqual([await hasTask(parent), await hasTask(child)], [true, true])
    assert.match(
      String((await show(parent))['halted_reason']),
      new RegExp(`has ${lost.map(({ number }) => number).join(', ')}, which`),
    )
    assert.equal((await received()).length, before + 2)
    // The next number is one that the child has: no document of that series is finalized.
    await assert.rejects(bill('2026-04-05'), { code: 'series_stopped' })
    const resumed = await parent.call('POST', `/v1/peers/${peer}/resume`, {})
    assert.deepEqual([resumed.status, resumed.body['code']], [409, 'action_not_allowed'])
    const { body } = await parent.call('GET', `/v1/lost-documents?peer=${peer}`)
    assert.deepEqual(
      new Set(
        (body['data'] as Json[]).map(({ number, settlement }) => `${String(number)} ${String(settlement)}`),
      ),
      new Set(lost.map(({ number }) => `${number} null`)),
    )
  },
)

chapter(
  'G-06 F58 settled by people, the lost documents stand, their numbers are skipped, and both agree again',
  async () => {
    const count = (await received()).length
    const settled = await parent.call('POST', `/v1/peers/${peer}/settle`, {
      decision: 'keep',
      reason: 'restored from the backup of the night',
    })
    assert.deepEqual([settled.status, settled.body['state']], [200, 'active'], JSON.stringify(settled.body))
    const resume = async (side: TestInstallation) => {
      const { status } = await side.call('POST', `/v1/peers/${peerOf(side)}/resume`, {})
      assert.equal(status, 200)
    }
    await resume(child)
    // The number that was given twice is refused for that, until a person over there takes the second document as well.
    await until('both are halted', async () => {
      await relay()
      return (await statesOf()).every((state) => state === 'halted')
    })
    assert.match(String((await show(child))['halted_reason']), /came again as another document/)
    assert.equal((await received()).length, count)
    await resume(child)
    await resume(parent)
    const next = await bill('2026-04-06')
    await untilReceived(count + 2)
    const rows = await received()
    assert.equal(rows.filter(({ number }) => number === rows.at(-2)?.number).length, 2)
    assert.equal(rows.at(-1)?.number, next.number)
    for (const side of [parent, child]) assert.equal((await prove(side))['equal'], true)
    const { body } = await parent.call('GET', '/v1/self-check')
    assert.deepEqual(body['broken'], [])
  },
)
