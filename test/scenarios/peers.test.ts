import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { openSigner } from '#db/peer-key.ts'
import { signMessage } from '#db/peer-signature.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { peerPaths } from '#domain/peer-message.ts'
import type { SupplierDocument } from '#domain/supplier-invoice.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { receiveDocument } from '#test/support/peer.ts'
import { installationKey } from '#test/support/workers.ts'

let parent: TestInstallation
let child: TestInstallation
let customerId = ''
/** The child, as the parent knows it, and the other way round. */
let peer = ''
let supplier = ''

before(async () => {
  parent = await startInstallation({ isServed: true })
  child = await startInstallation({ isServed: true })
  const made = await parent.call('POST', '/v1/customers', {
    code: 'reseller',
    name: 'Reseller',
    currency: 'USD',
  })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  customerId = decodeId('customer', String(made.body['id']))
})
after(async () => {
  await child.stop()
  await parent.stop()
})

const bill = async (...prices: (readonly [string, string])[]) =>
  await insertOneOffInvoice(parent.db, customerId, prices)

const received = async () =>
  await child.db.selectFrom('supplier_invoices').selectAll().orderBy('id').execute()

const relay = async () => {
  await parent.relay()
  await child.relay()
}

/** As the relay of an API process does each moment. */
const untilReceived = async (count: number) =>
  await until(`${count} supplier invoices`, async () => {
    await relay()
    const rows = await received()
    return rows.length >= count && rows
  })

const stateOf = async (side: TestInstallation) =>
  (await side.call('GET', `/v1/peers/${side === parent ? peer : supplier}`)).body

/** How many documents the parent says that wait; their files follow them. */
const waitingDocuments = async () => {
  const kinds = (await stateOf(parent))['waiting_kinds'] as Json[]
  return kinds.find(({ kind }) => kind === 'document')?.['waiting'] ?? 0
}

/** A file as an operator saves it. */
async function download(side: TestInstallation, path: string) {
  const answer = await side.app.request(path, { headers: { authorization: `Bearer ${side.key}` } })
  assert.equal(answer.status, 200, path)
  return { headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}

/** By somebody who has seen the invitation. */
const redeem = async ({ invitation }: Json, who: Json) =>
  await parent.call('POST', peerPaths.redemption, {
    ...who,
    code: String(invitation).split('.')[3],
    name: 'Another',
    url: 'http://127.0.0.1:1',
    public_key: 'A'.repeat(43),
  })

test('an invitation is accepted once, by who is billed; both sides see the same keys, crosswise', async () => {
  const invited = await parent.call('POST', '/v1/peers/invitations', {
    role: 'customer',
    customer: 'reseller',
  })
  assert.equal(invited.status, 201, JSON.stringify(invited.body))
  peer = String(invited.body['peer'])
  await bill(['1', '7.00'])
  const accepted = await child.call('POST', '/v1/peers', { invitation: invited.body['invitation'] })
  assert.equal(accepted.status, 201, JSON.stringify(accepted.body))
  supplier = String(accepted.body['id'])
  assert.deepEqual([accepted.body['state'], accepted.body['role']], ['accepting', 'supplier'])
  const [ours, theirs] = await until('both are active', async () => {
    await relay()
    const both = await Promise.all([stateOf(parent), stateOf(child)])
    return both.every(({ state }) => state === 'active') && both
  })
  assert.equal(ours['own_key'], theirs['other_key'])
  assert.equal(ours['other_key'], theirs['own_key'])
  assert.equal(theirs['url'], parent.publicUrl)
  for (const { customer, currency } of [ours, theirs])
    assert.deepEqual([customer, currency], ['reseller', 'USD'])
  assert.deepEqual([ours['other_id'], theirs['other_id']], [supplier, peer])
  const another = { peer, own_peer: supplier, installation: child.installationId, currency: null }
  const again = await redeem(invited.body, another)
  assert.deepEqual([again.status, again.body['code']], [409, 'invitation_used'])
  // What was finalized before there was anybody to send it to is not sent.
  assert.deepEqual(await received(), [])
})

test('an invitation that was withdrawn is known to nobody, and leaves nothing that waits', async () => {
  const invited = await parent.call('POST', '/v1/peers/invitations', { role: 'supplier' })
  const withdrawn = String(invited.body['peer'])
  const closed = await parent.call('POST', `/v1/peers/${withdrawn}/close`, {})
  assert.deepEqual([closed.status, closed.body['state']], [200, 'closed'])
  const redeemed = await redeem(invited.body, {
    peer: withdrawn,
    own_peer: 'peer_01kb0000000000000000000001',
    installation: 'ins_01kb0000000000000000000001',
    currency: 'USD',
  })
  assert.deepEqual([redeemed.status, redeemed.body['code']], [404, 'invitation_unknown'])
  const left = await parent.db
    .selectFrom('outbox')
    .select('key')
    .where('key', 'like', `%${withdrawn}%`)
    .execute()
  assert.deepEqual(left, [])
})

test('a finalized invoice is the supplier invoice of the other side, by itself, with all that it says (G-02)', async () => {
  const made = await bill(['2', '20.00'], ['1', '9.99'])
  const [row] = await untilReceived(1)
  assert.ok(row)
  assert.deepEqual(
    [row.number, row.net_minor, row.tax_minor, row.total_minor, row.currency, row.disagreement],
    [made.number, 4999, 1000, 5999, 'USD', null],
  )
  const { body } = await child.call('GET', '/v1/supplier-invoices')
  const [listed] = body['data'] as Json[]
  assert.deepEqual([listed?.['state'], listed?.['number']], ['overdue', made.number])
  const read = await child.call('GET', `/v1/supplier-invoices/${String(listed?.['id'])}`)
  const content = read.body['content'] as SupplierDocument
  assert.deepEqual(
    content.lines.map(({ quantity, unit_price: price, amount_minor: amount }) => [quantity, price, amount]),
    [
      ['2', '20.00', 4000],
      ['1', '9.99', 999],
    ],
  )
  await assert.rejects(
    child.db.updateTable('supplier_invoices').set({ number: 'X' }).execute(),
    /refuse|change|never/,
  )
})

test('dates and terms are those of the invoice; its PDF and its e-invoice follow it, the same bytes, to be saved only (G-02)', async () => {
  const [row] = await received()
  assert.ok(row)
  const publicId = encodeId('invoice', row.document_id)
  const { body: sent } = await parent.call('GET', `/v1/invoices/${publicId}`)
  assert.deepEqual(
    [row.issued_on, row.due_on, row.content.instalments, row.content.purchase_order_reference],
    [sent['issued_on'], sent['due_on'], null, null],
  )
  const path = `/v1/supplier-invoices/${encodeId('supplierInvoice', row.id)}`
  const files = await until('both files are there', async () => {
    await relay()
    const found = (await child.call('GET', path)).body['files'] as Json[]
    return found.length === 2 && found
  })
  assert.deepEqual(
    files.map(({ kind, name, missing }) => [kind, name, missing]),
    [
      ['pdf', `${row.number}.pdf`, null],
      ['ubl', `${row.number}.xml`, null],
    ],
  )
  for (const file of files) {
    const ours = await download(child, String(file['href']))
    const theirs = await download(parent, `/v1/invoices/${publicId}/${String(file['kind'])}`)
    assert.ok(ours.bytes.equals(theirs.bytes))
    assert.equal(createHash('sha256').update(ours.bytes).digest('hex'), file['sha256'])
    assert.equal(ours.headers.get('content-type'), file['media_type'])
    assert.equal(ours.headers.get('x-content-type-options'), 'nosniff')
    assert.match(
      String(ours.headers.get('content-disposition')),
      /^attachment; filename="INV-\d+\.(pdf|xml)"$/,
    )
  }
  const { bytes } = await download(child, `${path}/files/ubl`)
  assert.match(String(bytes), new RegExp(`<cbc:ID>${row.number}</cbc:ID>`))
  assert.match(String(bytes), /<cbc:PayableAmount currencyID="USD">59\.99</)
})

test('what is paid over there is shown here as what the supplier says, with date and amount (G-07)', async () => {
  const [row] = await received()
  assert.ok(row)
  const amount = { amount_minor: 5999, currency: 'USD' }
  const invoice = encodeId('invoice', row.document_id)
  const paid = await parent.call('POST', `/v1/invoices/${invoice}/payments`, amount)
  assert.equal(paid.status, 200, JSON.stringify(paid.body))
  const said = await until('the supplier says so', async () => {
    await relay()
    const path = `/v1/supplier-invoices/${encodeId('supplierInvoice', row.id)}`
    const told = (await child.call('GET', path)).body['supplier_says'] as Json | null
    return told ?? undefined
  })
  assert.deepEqual([said['state'], said['paid']], ['paid', amount])
  assert.match(String(said['since']), /^20\d\d-/)
})

test('as what the child counts the parent’s products is shown there, and follows what the child says of it (G-01)', async () => {
  const mappings = async () => {
    const { expense_mappings: agreed } = await stateOf(parent)
    return (
      (agreed as Json | null)?.['mappings'] as { product_code: string; category: Json }[] | undefined
    )?.map(({ product_code: product, category }) => [product, category['code'], category['name']])
  }
  const untilShown = async (...wanted: string[][]) =>
    await until(`the parent shows ${JSON.stringify(wanted)}`, async () => {
      await relay()
      return JSON.stringify(await mappings()) === JSON.stringify(wanted)
    })
  assert.equal(await mappings(), undefined)
  const made = await child.call('POST', '/v1/expense-categories', { code: 'hosting', name: 'Hosting' })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const [row] = await received()
  const address = `/v1/suppliers/${encodeId('supplier', row?.supplier_id ?? '')}/expense-mappings`
  const map = async (body: Json) => {
    const { status } = await child.call('PUT', address, body)
    assert.equal(status, 200)
  }
  await map({ product_code: 'server-l', category: 'hosting' })
  await map({ description: 'Support by hand', category: 'hosting' })
  await untilShown(['server-l', 'hosting', 'Hosting'])
  await child.call('PATCH', `/v1/expense-categories/${String(made.body['id'])}`, { name: 'Servers' })
  await untilShown(['server-l', 'hosting', 'Servers'])
  assert.deepEqual(
    ((await stateOf(child))['expense_mappings'] as Json)['mappings'],
    ((await stateOf(parent))['expense_mappings'] as Json)['mappings'],
  )
  await map({ product_code: 'server-l', category: null })
  await untilShown()
})

test('a side that is away costs nothing but time: what waits is seen, and comes in order, once', async () => {
  const { door } = child
  assert.ok(door)
  const before = (await received()).length
  const open = async (request: Request) => await child.app.fetch(request)
  door.lead(async () => new Response('', { status: 503 }))
  const numbers: string[] = []
  for (let index = 0; index < 12; index += 1) numbers.push((await bill(['1', '1.00'])).number)
  const pending = await until('its workflow says what it waits for', async () => {
    await relay()
    const { raw } = await parent.client.workflow.getHandle(`peer/${peer}`).describe()
    return raw.pendingActivities?.[0]?.lastFailure?.message ?? undefined
  })
  assert.match(pending, /\d+ messages wait since 20\d\d-.* answers 503/)
  const workflow = parent.client.workflow.getHandle(`peer/${peer}`)
  const description = await workflow.describe()
  assert.match(
    (await description.staticSummary()) ?? '',
    new RegExp(`installation of customer ${encodeId('customer', customerId)}$`),
  )
  const told = await workflow.query<{ currentDetails?: string }>('__temporal_workflow_metadata')
  assert.match(
    told.currentDetails ?? '',
    /\| standing \| sends what waits; .*sendPeerDocuments.*\n\| messages sent \| \d+ \|\n\| console \| \[peers\]\(http.*\/settings\/peers\)/,
  )
  assert.equal(await waitingDocuments(), 12)
  // The first answer is lost after it was committed.
  let isLost = false
  door.lead(async (request) => {
    const answer = await open(request)
    if (isLost) return answer
    isLost = true
    return new Response('', { status: 502 })
  })
  const rows = await untilReceived(before + 12)
  assert.deepEqual(
    rows.slice(before).map(({ number }) => number),
    numbers,
  )
  await until('nothing waits', async () => (await stateOf(parent))['waiting'] === 0)
  assert.equal((await received()).length, before + 12)
  door.lead(open)
})

const documentsUrl = () => `${child.publicUrl}${peerPaths.messages}`

/** A message about the first document, with what is to be different of that. */
async function writeMessage(document: object = {}): Promise<string> {
  const [row] = await received()
  assert.ok(row)
  const documents = [{ ...row.content, ...document }]
  return JSON.stringify({ version: 1, peer: supplier, audience: child.installationId, documents })
}

async function deliver(headers: Record<string, string>, body: string) {
  const response = await child.app.request(peerPaths.messages, { method: 'POST', headers, body })
  return [response.status, ((await response.json()) as Json)['code']]
}

/** A message as the parent would send it, with what is to be wrong about it. */
async function send(options: {
  change?: (body: string) => string
  url?: string
  headers?: Record<string, string>
  document?: object
}) {
  const body = await writeMessage(options.document)
  const signer = await openSigner(parent.db, installationKey, decodeId('peer', peer))
  const signed = await signMessage(signer, { url: options.url ?? documentsUrl(), body, key: 'test/1' })
  const headers = { ...signed, ...options.headers }
  return async () => await deliver(headers, options.change?.(body) ?? body)
}

test('what is tampered with, repeated or too large is refused and changes nothing (G-05 F51)', async () => {
  const before = await received()
  const right = await send({})
  assert.deepEqual(await right(), [200, undefined])
  assert.deepEqual(await right(), [401, 'peer_message_repeated'])
  const changed = await send({ change: (body) => body.replace('"version":1', '"version": 1') })
  assert.deepEqual(await changed(), [401, 'peer_signature_refused'])
  // Whether there is such a peer is told to nobody who is not one.
  const stranger = await send({ change: (body) => body.replace(supplier, 'peer_01kb0000000000000000000001') })
  assert.deepEqual(await stranger(), [401, 'peer_signature_refused'])
  const elsewhere = await send({ url: `https://other.example${peerPaths.messages}` })
  assert.deepEqual(await elsewhere(), [401, 'peer_signature_refused'])
  const keyless = await send({ headers: { signature: 'sig=:AAAA:' } })
  assert.deepEqual(await keyless(), [401, 'peer_signature_refused'])
  const renamed = await send({ headers: { 'idempotency-key': 'test/2' } })
  assert.deepEqual(await renamed(), [401, 'peer_signature_refused'])
  const large = await send({ change: () => ' '.repeat(16 * 1024 * 1024 + 1) })
  assert.deepEqual(await large(), [413, 'body_too_large'])
  for (const document of [
    { due_on: '1999-01-01' },
    { issued_on: '0000-01-01' },
    { number: 'a\0' },
    { more: 0.5 },
    { corrects: 'inv_nothing' },
  ]) {
    const [status, code] = await (await send({ document }))()
    assert.ok(status === 422 || status === 404, JSON.stringify([document, status, code]))
  }
  assert.deepEqual(await received(), before)
})

test('a total that our own sums do not come to is stored as it is, disputed, with a task', async () => {
  const { id, peer_id: peerId, content, ...row } = (await received())[0] ?? assert.fail()
  assert.ok(id)
  assert.ok(peerId)
  const document = {
    ...content,
    document: 'inv_01kb0000000000000000000001',
    total_minor: row.total_minor + 1,
  }
  const outcome = await receiveDocument(child.db, peerId, document, new Date().toISOString())
  assert.equal(outcome, 'stored')
  const [disputed] = (await child.call('GET', '/v1/supplier-invoices')).body['data'] as Json[]
  assert.equal(disputed?.['state'], 'disputed')
  assert.match(String(disputed['disagreement']), /net and tax come to 5999, the total says 6000/)
  // The parent has never sent it: it would take itself for restored from an older backup.
  await child.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`delete from supplier_invoices where number = ${row.number} and total_minor = 6000`.execute(tx)
  })
})

test('a peer whose row is of a backup, in which its workflow was at work, is sent what waits', async () => {
  const { length: before } = await received()
  const { db } = parent
  await until('it sleeps', async () => {
    await relay()
    const awake = db
      .selectFrom('peers')
      .select('id')
      .where('state', '=', 'active')
      .where('is_awake', '=', true)
    return (await awake.execute()).length === 0
  })
  // Young ones are left to the relay.
  await db
    .updateTable('peers')
    .set({ is_awake: true, paired_at: '2026-01-01T00:00:00Z' })
    .where('state', '=', 'active')
    .execute()
  await bill(['1', '2.00'])
  await parent.reconcile()
  await untilReceived(before + 1)
})

test('a document that comes again with another content is refused, and both sides rest until it is settled', async () => {
  const { id: nextId } = await bill(['1', '3.00'])
  const { owed_minor: _computed, ...known } = (await received())[0] ?? assert.fail()
  await child.db
    .insertInto('supplier_invoices')
    .values({
      ...known,
      id: nextId,
      document_id: nextId,
      content: '{}',
      sha256: Buffer.alloc(32),
    })
    .execute()
  const states = await until('both are halted', async () => {
    await relay()
    const both = await Promise.all([stateOf(parent), stateOf(child)])
    return both.every(({ state }) => state === 'halted') && both
  })
  assert.match(String(states[0]['halted_reason']), /peer_document_conflict/)
  for (const side of [parent, child]) {
    const tasks = (await side.call('GET', '/v1/tasks')).body['data'] as Json[]
    assert.ok(tasks.some(({ kind }) => kind === 'peer_halted'))
  }
})

test('a closed peer is sent nothing, and its messages are those of a stranger', async () => {
  const late = await send({})
  for (const side of [parent, child]) {
    const closed = await side.call('POST', `/v1/peers/${side === parent ? peer : supplier}/close`, {})
    assert.deepEqual([closed.status, closed.body['state']], [200, 'closed'], JSON.stringify(closed.body))
  }
  await relay()
  await bill(['1', '5.00'])
  assert.equal(await waitingDocuments(), 1)
  assert.deepEqual(await late(), [401, 'peer_signature_refused'])
})
