import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { hashOf } from '#db/content-hash.ts'
import { newId } from '#db/identifier.ts'
import { readSupplierDocuments } from '#db/supplier-document.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { prepareWorkers, superviseWorkers } from '#test/crash/supervised-worker.ts'
import { startApiProcess } from './api-process.ts'
import { startInstallation, until, type Json, type TestInstallation } from './installation.ts'
import { insertOneOffInvoice } from './one-off-invoice.ts'
import { installationKeyText } from './workers.ts'

const relayEveryMs = 150

/** One installation bills another. */
export interface ChainLink {
  readonly supplier: TestInstallation
  readonly customer: TestInstallation
  /** The customer, as the supplier keeps it. */
  readonly customerId: string
  /** `peer_…`: the customer, as the supplier names it; and the other way round. */
  readonly peer: string
  readonly supplierPeer: string
}

type ApiProcess = Awaited<ReturnType<typeof startApiProcess>>

/**
 * A parent that bills a child, which bills a grandchild: three installations with databases, queues, APIs and workers of their own. API
 * and worker of the child are processes, to be killed. What an API's relay does each second is done more often here.
 * @param areApart all three have processes and namespaces of their own: dearer, and what is out there
 */
export async function startPeerChain(areApart: boolean) {
  const prepared = await prepareWorkers()
  const start = async (name: string, isApart: boolean) =>
    await startInstallation({
      isServed: true,
      hasWorkers: !isApart,
      ...(areApart ? { temporalNamespace: `${name}-${newId()}` } : {}),
    })
  const [parent, child, grandchild] = await Promise.all([
    start('parent', areApart),
    start('child', true),
    start('grandchild', areApart),
  ])
  const keyFile = path.join(prepared.folder, 'installation.key')
  await writeFile(keyFile, installationKeyText)
  const runApart = async (one: TestInstallation) => {
    const [worker, api] = await Promise.all([
      superviseWorkers(prepared, [{ installation: one, points: [], consoleUrl: one.publicUrl }]),
      startApiProcess(one, keyFile),
    ])
    leadTo(one, api)
    return { worker, api, stop: async () => void (await Promise.all([worker.stop(), api.kill()])) }
  }
  const [ofChild, ...others] = await Promise.all(
    (areApart ? [child, parent, grandchild] : [child]).map(runApart),
  )
  assert.ok(ofChild)
  const stopRelay = relayAlways([parent, child, grandchild])
  const links = await Promise.all([
    pairInstallations(parent, child, 'child'),
    pairInstallations(child, grandchild, 'grandchild'),
  ])
  return {
    parent,
    child,
    grandchild,
    links,
    api: ofChild.api,
    worker: ofChild.worker,
    /** To whatever answers for the grandchild, without what stands before it. */
    forwardToGrandchild: async (path: string, init: RequestInit) =>
      (await others.at(-1)?.api.forward(path, init)) ?? (await grandchild.app.request(path, init)),
    async stop(): Promise<void> {
      await stopRelay()
      for (const one of [ofChild, ...others]) await one.stop()
      for (const one of [grandchild, child, parent]) await one.stop()
      await prepared.remove()
    },
  }
}

/** What comes to its door is answered by its process, and by nothing here. */
function leadTo({ door }: TestInstallation, api: ApiProcess): void {
  door?.lead(async (request) => {
    const { pathname } = new URL(request.url)
    const { method, headers } = request
    return await api.forward(pathname, { method, headers, body: await request.text() })
  })
}

/** As API processes do each moment. */
export function relayAlways(installations: readonly TestInstallation[]): () => Promise<void> {
  let isOver = false
  const running = (async () => {
    while (!isOver) {
      // Where a connection was just cut, the next round does it.
      await Promise.all(installations.map(async (one) => one.relay().catch(() => undefined)))
      await sleep(relayEveryMs)
    }
  })()
  return async () => {
    isOver = true
    await running
  }
}

/** Makes the customer, and has the invitation for it accepted. */
export async function pairInstallations(
  supplier: TestInstallation,
  customer: TestInstallation,
  code: string,
): Promise<ChainLink> {
  const made = await supplier.call('POST', '/v1/customers', { code, name: code, currency: 'USD' })
  const invited = await supplier.call('POST', '/v1/peers/invitations', { role: 'customer', customer: code })
  const accepted = await customer.call('POST', '/v1/peers', { invitation: invited.body['invitation'] })
  const link = {
    supplier,
    customer,
    customerId: decodeId('customer', String(made.body['id'])),
    peer: String(invited.body['peer']),
    supplierPeer: String(accepted.body['id']),
  }
  await until(
    `${code} is paired`,
    async () => {
      const both = await readPeers(link)
      return both.every(({ state }) => state === 'active')
    },
    300_000,
  )
  return link
}

/** As both sides show each other: the supplier first. */
export async function readPeers({
  supplier,
  customer,
  peer,
  supplierPeer,
}: ChainLink): Promise<[Json, Json]> {
  const here = await supplier.call('GET', `/v1/peers/${peer}`)
  const there = await customer.call('GET', `/v1/peers/${supplierPeer}`)
  return [here.body, there.body]
}

/** So that what one installation has billed can be billed by another in the same order. */
export type Bill =
  | { readonly customer: string; readonly prices: readonly (readonly [string, string])[] }
  /** A part of the customer's first invoice of which so much is left. */
  | { readonly customer: string; readonly creditMinor: number }

export async function bill({ db, call }: Pick<TestInstallation, 'db' | 'call'>, what: Bill): Promise<void> {
  const customer = await db
    .selectFrom('customers')
    .select('id')
    .where('code', '=', what.customer)
    .executeTakeFirstOrThrow()
  if ('prices' in what) {
    await insertOneOffInvoice(db, customer.id, what.prices)
    return
  }
  const invoice = await db
    .selectFrom('invoices')
    .select('id')
    .where('customer_id', '=', customer.id)
    .where('kind', '=', 'invoice')
    .where((eb) => eb('net_minor', '>=', eb.lit(100)))
    .orderBy(sql`(select count(*) from invoices note where note.corrects_id = invoices.id)`)
    .orderBy('id')
    .executeTakeFirst()
  if (invoice === undefined) return
  const path = `/v1/invoices/${encodeId('invoice', invoice.id)}/credit-notes`
  const { status, body } = await call('POST', path, { amount_minor: what.creditMinor, reason: 'a discount' })
  assert.equal(status, 201, JSON.stringify(body))
}

/** What a link's supplier has finalized for its customer, and what that holds: by the supplier's id, with hashes computed anew. */
export async function compareLink({ supplier, customer, customerId, peer, supplierPeer }: ChainLink) {
  const finalized = await supplier.db
    .selectFrom('invoices')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('number', 'is not', null)
    .execute()
  const documents = await readSupplierDocuments(
    supplier.db,
    finalized.map(({ id }) => id),
  )
  const received = await customer.db
    .selectFrom('supplier_invoices')
    .select(['document_id', 'number', 'content', 'sha256', 'disagreement'])
    .where('peer_id', '=', decodeId('peer', supplierPeer))
    .execute()
  return {
    finalized: [...documents].map(([id, one]) => `${id} ${hashOf(one).toString('hex')}`).toSorted(),
    received: received.map((row) => `${row.document_id} ${hashOf(row.content).toString('hex')}`).toSorted(),
    kept: received.map((row) => `${row.document_id} ${row.sha256.toString('hex')}`).toSorted(),
    disagreements: received.flatMap(({ number, disagreement }) =>
      disagreement ? [`${number} ${disagreement}`] : [],
    ),
    open: await readOpen(supplier.db, customerId),
    saidOpen: await readSaidOpen(customer.db, supplierPeer),
    sent: await readOrder(supplier.db, 'peer_messages', peer),
    taken: await readOrder(customer.db, 'received_peer_messages', supplierPeer),
  }
}

/** What is still to be paid of each invoice of which something is paid or credited. */
async function readOpen(db: Db, customerId: string): Promise<string[]> {
  const { rows } = await sql<{ open: string }>`
    select invoice.id || ' ' || total_minor - sum(amount_minor) as open
    from invoices invoice join allocations on invoice_id = invoice.id
    where customer_id = ${customerId} and invoice.kind = 'invoice' group by invoice.id order by invoice.id`.execute(
    db,
  )
  return rows.map(({ open }) => open)
}

/** The same, as the supplier has told the other side. */
async function readSaidOpen(db: Db, peer: string): Promise<string[]> {
  const { rows } = await sql<{ open: string }>`
    select document_id || ' ' || open_minor as open
    from supplier_standings join supplier_invoices invoice using (peer_id, document_id)
    where peer_id = ${decodeId('peer', peer)} and kind = 'invoice' order by document_id`.execute(db)
  return rows.map(({ open }) => open)
}

/** Messages by their numbers, which are those of the other side; each was taken after the one before it. */
async function readOrder(
  db: Db,
  table: 'peer_messages' | 'received_peer_messages',
  peer: string,
): Promise<string[]> {
  const isBehind = sql.raw(
    table === 'peer_messages'
      ? 'true'
      : 'coalesce(lag(received_at) over (order by sequence) <= received_at, true)',
  )
  const { rows } = await sql<{ message: string; isBehind: boolean }>`
    select sequence || ' ' || kind || ' ' || encode(sha256, 'hex') as message, ${isBehind} as "isBehind"
    from ${sql.table(table)} where peer_id = ${decodeId('peer', peer)} order by sequence`.execute(db)
  return rows.map(({ message, isBehind: isRight }) => (isRight ? message : `${message} out of order`))
}
