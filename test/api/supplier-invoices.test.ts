import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { listSuppliedLines } from '#db/read/supplied-line.ts'
import { encodeId } from '#domain/identifier.ts'
import { createTestApi } from '#test/support/api.ts'
import { copyRow } from '#test/support/copied-row.ts'
import { insertPeer, supplierDocument } from '#test/support/peer.ts'
import { createPeerSender, type SentMessage } from '#test/support/peer-sender.ts'

type Json = Record<string, unknown>
let api: Awaited<ReturnType<typeof createTestApi>>
before(async () => {
  api = await createTestApi()
})
after(async () => api.close())

async function pair() {
  const peerId = await insertPeer(api.db)
  const sender = await createPeerSender(api, peerId)
  let last = 0
  /** As the queue of the other side sends one after the other. */
  const send = async (kind: SentMessage['kind'], content: object) => {
    const reply = await sender.send(last, [{ sequence: last + 1, kind, content }])
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
    last += 1
  }
  /** As they come together. @returns what became of each */
  const sendAll = async (kind: SentMessage['kind'], contents: readonly object[]) => {
    const messages = contents.map((content, index) => ({ sequence: last + 1 + index, kind, content }))
    const { status, body } = await sender.send(last, messages)
    assert.equal(status, 200, JSON.stringify(body))
    return (body['results'] as Json[]).map(({ outcome }) => outcome)
  }
  return { peerId, send, sendAll }
}

const listed = async () => (await api.get('/v1/supplier-invoices')).body['data'] as Json[]
const invoice = 'inv_01kb0000000000000000000001'
const note = 'inv_01kb0000000000000000000002'

const { lines, taxes } = supplierDocument()
/** Half of that invoice given back. */
const creditNote = supplierDocument({
  kind: 'credit_note',
  document: note,
  number: 'CN-1',
  corrects: invoice,
  net_minor: 500,
  tax_minor: 100,
  total_minor: 600,
  lines: lines.map((line) => ({ ...line, quantity: '0.5', amount_minor: -500, tax_minor: -100 })),
  taxes: taxes.map((tax) => ({ ...tax, base_minor: -500, tax_minor: -100 })),
})

test('a credit note that comes before its invoice is kept, waits and counts for nothing until that is there (F53)', async () => {
  const { peerId, send } = await pair()
  const owed = async () => {
    const { suppliers } = (await api.get('/v1/payables')).body as { suppliers: { open: unknown }[] }
    const spent = await listSuppliedLines(api.db, { start: '2026-03-01', end: '2026-04-01' })
    return [suppliers.map(({ open }) => open), spent.map(({ amountMinor }) => amountMinor)]
  }
  await send('document', creditNote)
  const [waiting] = await listed()
  assert.deepEqual(
    [waiting?.['number'], waiting?.['state'], waiting?.['corrects']],
    ['CN-1', 'waiting', null],
  )
  assert.deepEqual(await owed(), [[], []])
  await send('document', supplierDocument())
  const [second, first] = await listed()
  assert.deepEqual([first?.['number'], first?.['state']], ['CN-1', 'used'])
  assert.deepEqual([second?.['number'], first?.['corrects']], ['UP-1', second?.['id']])
  assert.deepEqual(await owed(), [[{ amount_minor: 600, currency: 'USD' }], [-500, 1_000]])
  const kept = await api.db
    .selectFrom('supplier_invoices')
    .select('number')
    .where('peer_id', '=', peerId)
    .execute()
  assert.equal(kept.length, 2)
})

test('what a supplier says of a document is shown as that, the newest of it, and changes nothing of the document', async () => {
  const { send } = await pair()
  await send('document', supplierDocument())
  const before = (await listed())[0]
  assert.equal(before?.['supplier_says'], null)
  const money = (amount: number) => ({ amount_minor: amount, currency: 'USD' })
  const says = [
    {
      state: 'partly_paid',
      paid_minor: 500,
      credited_minor: 0,
      open_minor: 700,
      since: '2026-04-02T10:00:00.000Z',
    },
    { state: 'paid', paid_minor: 1_200, credited_minor: 0, open_minor: 0, since: '2026-04-05T10:00:00.000Z' },
  ]
  for (const said of says) {
    await send('standing', { document: invoice, ...said })
    const { body: read } = await api.get(`/v1/supplier-invoices/${String(before?.['id'])}`)
    const { supplier_says: told, ...rest } = read
    assert.deepEqual(told, {
      state: said.state,
      paid: money(said.paid_minor),
      credited: money(0),
      open: money(said.open_minor),
      since: said.since,
    })
    const {
      content: _content,
      set_against: _against,
      mapped: _mapped,
      unmapped_lines: _lines,
      disputes,
      ...head
    } = rest
    assert.deepEqual(disputes, [])
    const { supplier_says: _none, ...same } = before ?? {}
    assert.deepEqual(head, same)
  }
})

test('how a document stands is kept when it comes before the document', async () => {
  const { send } = await pair()
  const paid = {
    state: 'paid',
    paid_minor: 1_200,
    credited_minor: 0,
    open_minor: 0,
    since: '2026-04-05T10:00:00Z',
  }
  await send('standing', { document: note, ...paid })
  await send('document', supplierDocument({ document: note, number: 'UP-2' }))
  const [row] = await listed()
  const said = row?.['supplier_says'] as Json | undefined
  assert.deepEqual([row?.['number'], said?.['state']], ['UP-2', 'paid'])
})

test('a filter by a peer that is none is refused at the filter', async () => {
  for (const [peer, status, code] of [
    ['peer_01kb0000000000000000000001', 404, 'peer_unknown'],
    [invoice, 400, 'id_kind_mismatch'],
  ] as const) {
    const { status: found, body } = await api.get(`/v1/supplier-invoices?peer=${peer}`)
    const [error] = body['errors'] as Json[]
    assert.deepEqual([found, body['code'], error?.['pointer']], [status, code, '?peer'])
  }
})

const pdf = Buffer.from('%PDF-1.7 of a supplier')
const file = (different: object = {}) => ({
  document: invoice,
  media_type: 'application/pdf',
  name: 'UP-1.pdf',
  sha256: createHash('sha256').update(pdf).digest('hex'),
  bytes: pdf.length,
  data: pdf.toString('base64'),
  missing: null,
  ...different,
})

test('a file is kept as it came and saved from its address, once; a reason stands where there is none', async () => {
  const { send } = await pair()
  await send('document', supplierDocument())
  const missing = 'The PDF has too many lines.'
  await send('file', file())
  await send('file', file())
  await send(
    'file',
    file({ media_type: 'application/xml', name: 'UP-1.xml', sha256: null, data: null, bytes: 0, missing }),
  )
  const files = (await listed())[0]?.['files'] as Json[]
  assert.deepEqual(
    files.map(({ kind, bytes, missing: reason }) => [kind, bytes, reason]),
    [
      ['pdf', pdf.length, null],
      ['ubl', 0, missing],
    ],
  )
  const headers = { authorization: `Bearer ${api.key}` }
  const answer = await api.request(String(files[0]?.['href']), { headers })
  assert.equal(await answer.text(), String(pdf))
  assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="UP-1.pdf"')
  assert.equal(answer.headers.get('content-security-policy'), "default-src 'none'; sandbox")
  const none = await api.get(String(files[0]?.['href']).replace('/pdf', '/ubl'))
  assert.deepEqual([files[1]?.['href'], none.status, none.body['detail']], [null, 404, missing])
})

test('a file that is not what its hash says, of another kind, or named by a path is refused', async () => {
  for (const different of [
    { sha256: '0'.repeat(64) },
    { media_type: 'text/html' },
    { name: '../UP-1.pdf' },
    { data: null },
    { data: '<script>' },
  ]) {
    const peerId = await insertPeer(api.db)
    const sender = await createPeerSender(api, peerId)
    const { status, body } = await sender.send(0, [{ sequence: 1, kind: 'file', content: file(different) }])
    assert.deepEqual([status, body['code']], [422, 'field_invalid'], JSON.stringify([different, body]))
  }
})

test('a file that comes again with other bytes halts the peer; once a person has resumed it, the first stays and nothing is held up', async () => {
  const { peerId, send, sendAll } = await pair()
  await send('file', file())
  const other = Buffer.from('another')
  const again = file({
    data: other.toString('base64'),
    sha256: createHash('sha256').update(other).digest('hex'),
  })
  const next = file({ document: note, name: 'CN-1.pdf' })
  assert.deepEqual(await sendAll('file', [again, next]), ['conflict'])
  const { state, halted_reason: reason } = await api.db
    .selectFrom('peers')
    .select(['state', 'halted_reason'])
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
  assert.equal(state, 'halted')
  assert.match(String(reason), /^UP-1\.pdf came again with another content; who resumes the peer leaves it/)
  assert.equal((await api.post(`/v1/peers/${encodeId('peer', peerId)}/resume`, {})).status, 200)
  assert.deepEqual(await sendAll('file', [again, next]), ['exists', 'stored'])
  const kept = await api.db
    .selectFrom('supplier_files')
    .select(['name', 'content'])
    .where('peer_id', '=', peerId)
    .orderBy('name')
    .execute()
  assert.deepEqual(
    kept.map(({ name, content }) => [name, String(content)]),
    [
      ['CN-1.pdf', String(pdf)],
      ['UP-1.pdf', String(pdf)],
    ],
  )
})

test('the usage behind what a supplier billed that is no peer is asked of nobody', async () => {
  const { send } = await pair()
  await send('document', supplierDocument({ document: encodeId('invoice', newId()) }))
  const { id: received } = await api.db
    .selectFrom('supplier_invoices')
    .select('id')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  const supplier = { id: newId(), code: 'landlord', name: 'Landlord', currency: 'USD' }
  await api.db.insertInto('suppliers').values(supplier).execute()
  const byHand = { origin: 'hand', peer_id: null, recorded_by: 'tester', supplier_id: supplier.id }
  const id = await copyRow(api.db, 'supplier_invoices', received, { ...byHand, document_id: newId() })
  const { status, body } = await api.get(
    `/v1/supplier-invoices/${encodeId('supplierInvoice', id)}/usage?line=1`,
  )
  assert.deepEqual([status, body['code']], [409, 'action_not_allowed'])
  assert.match(String(body['detail']), /This supplier is no peer/)
  assert.deepEqual(await api.db.selectFrom('peer_questions').select('id').execute(), [])
})
