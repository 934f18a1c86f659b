import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { ensurePeerSupplier } from '#db/supplier.ts'
import { decodeId } from '#domain/identifier.ts'
import type { BenchContext } from './support/benchmark.ts'
import { startInstallation, type BenchInstallation } from './support/installation.ts'
import { limitOf, type Measurement } from './support/measurement.ts'
import { finalizeDocuments } from './support/one-off-documents.ts'
import { temporalNamespace, type Platform } from './support/platform.ts'

/** Seconds of sending: each round has a worker that was just started, which takes one until it is compiled. */
const documentsPerRound = 8_000
const documentsOfCatchUp = 10_000
const documentsPerMessage = 100
const rounds = 3
const limits = { documentsPerSecond: 200, actionsPerDocument: 0.1 } as const

/**
 * Documents over one link: finalized in one installation while nothing sends them, then sent, signed, received and answered, as
 * supplier invoices of the other. Against it the same bodies in messages of the same size, posted to a bare server that
 * has one statement write them into the same table of the same database, and neither checks nor answers anything.
 */
export async function measurePeerDocuments(ctx: BenchContext): Promise<Measurement[]> {
  const parent = await startInstallation(ctx.platform, { ...ctx, name: 'peer_parent', hasWorker: true })
  const child = await startInstallation(ctx.platform, { ...ctx, name: 'peer_child', hasWorker: false })
  const link = await pair(parent, child)
  await parent.stopWorker()
  const run = { ...link, parent, child, note: ctx.note }
  const seen = { link: [] as number[], bare: [] as number[] }
  await catchUp(run, documentsPerMessage)
  for (let round = 1; round <= rounds; round += 1) {
    seen.link.push(await catchUp(run, documentsPerRound))
    seen.bare.push(await postBarely(child.db))
    ctx.note(
      `round ${round} of ${rounds}: ${seen.link.at(-1)?.toFixed(0)} and ${seen.bare.at(-1)?.toFixed(0)} /s`,
    )
  }
  const before = await countActions(ctx.platform, link.peer)
  const waiting = ctx.size ?? documentsOfCatchUp
  const ofCatchUp = await catchUp(run, waiting)
  const actions = (await countActions(ctx.platform, link.peer)) - before
  return describe(seen, { waiting, ofCatchUp, actions })
}

function describe(
  seen: { link: number[]; bare: number[] },
  { waiting, ofCatchUp, actions }: { waiting: number; ofCatchUp: number; actions: number },
): Measurement[] {
  const limit = limitOf(limits.documentsPerSecond)
  return [
    {
      measure: 'Documents over one link',
      unit: '/s',
      values: seen.link,
      against: { kind: 'peer', title: 'bare posts and bulk SQL', values: seen.bare },
      aim: { ratioAtLeast: 0.3 },
    },
    {
      measure: 'Documents over one link',
      unit: '/s',
      values: seen.link,
      against: limit,
      aim: { ratioAtLeast: 1 },
    },
    {
      measure: `Catching up with ${waiting} waiting documents`,
      unit: '/s',
      values: [ofCatchUp],
      against: limit,
      aim: { ratioAtLeast: 1 },
    },
    {
      measure: `Temporal actions of these ${waiting} documents`,
      unit: 'actions',
      values: [actions],
      against: limitOf(waiting * limits.actionsPerDocument),
      aim: { ratioAtMost: 1 },
    },
  ]
}

interface Link {
  /** As the parent names the child: `peer_…`. */
  readonly peer: string
  readonly customerId: string
}

/** The child invites, so that it is the parent's worker that redeems. */
async function pair(parent: BenchInstallation, child: BenchInstallation): Promise<Link> {
  const customer = { code: 'reseller', name: 'Reseller', currency: 'USD' }
  const { id } = (await parent.post('/v1/customers', customer)) as { id: string }
  const { invitation } = (await child.post('/v1/peers/invitations', { role: 'supplier' })) as {
    invitation: string
  }
  const { id: peer } = (await parent.post('/v1/peers', { invitation, customer: 'reseller' })) as {
    id: string
  }
  for (;;) {
    const { state } = (await parent.get(`/v1/peers/${peer}`)) as { state: string }
    if (state === 'active') return { peer, customerId: decodeId('customer', id) }
    await sleep(100)
  }
}

type Run = Link &
  Pick<BenchContext, 'note'> & { readonly parent: BenchInstallation; readonly child: BenchInstallation }

/** All of them wait before the first one is sent. @returns documents a second, from the first message received to the last */
async function catchUp({ parent, child, customerId, note }: Run, count: number): Promise<number> {
  const known = await countReceived(child.db)
  await finalizeDocuments(parent.db, customerId, count)
  await sql`vacuum analyze`.execute(parent.db)
  if (count >= documentsOfCatchUp) note(`${count} documents wait`)
  await parent.startWorker()
  while ((await countReceived(child.db)) < known + count) await sleep(250)
  await parent.stopWorker()
  const { rows } = await sql<{ first: string; last: string; ofLast: number }>`
    select min(received_at) as first, max(received_at) as last,
      (count(*) filter (where received_at = last_at))::int as "ofLast"
    from (select received_at, max(received_at) over () as last_at from supplier_invoices where id in (${newest(count)}))`.execute(
    child.db,
  )
  const [seen] = rows
  if (seen === undefined) throw new Error('nothing was received')
  // Each message is received when it begins, so the last one's own time is not in it, nor are its documents.
  return ((count - seen.ofLast) * 1_000) / (Date.parse(seen.last) - Date.parse(seen.first))
}

/** Not those of the bare server. */
const received = sql`supplier_invoices where peer_id = (select min(id::text)::uuid from peers)`
const newest = (count: number) => sql`select id from ${received} order by id desc limit ${count}`

async function countReceived(db: Db): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from ${received}`.execute(db)
  return rows[0]?.count ?? 0
}

/** The documents of the last round once more, as those of another supplier. @returns documents a second */
async function postBarely(db: Db): Promise<number> {
  const peerId = await insertBarePeer(db)
  const bodies = await readBodies(db, peerId)
  const server = createServer((req, res) => void receiveBarely(db, peerId, req, res))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on a port')
  try {
    const startMs = performance.now()
    for (const body of bodies) {
      const answer = await fetch(`http://127.0.0.1:${address.port}`, { method: 'POST', body })
      if (!answer.ok) throw new Error(`the bare server answers ${answer.status}: ${await answer.text()}`)
      await answer.text()
    }
    return (documentsPerRound * 1_000) / (performance.now() - startMs)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

/** Nothing is looked at: one statement takes the body apart, and the table's constraints are all that is checked. */
async function receiveBarely(
  db: Db,
  peerId: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  try {
    const chunks = await Array.fromAsync(req as AsyncIterable<Buffer>)
    await sql`
      insert into supplier_invoices (id, supplier_id, origin, peer_id, document_id, sha256, kind, number, currency, issued_on, due_on, net_minor, tax_minor,
        total_minor, content, received_at)
      select uuidv7(), (select id from suppliers where peer_id = ${peerId}), 'peer', ${peerId}, uuidv7(), sha256(convert_to(document::text, 'UTF8')), document ->> 'kind', document ->> 'number',
        document ->> 'currency', (document ->> 'issued_on')::date, (document ->> 'due_on')::date, (document ->> 'net_minor')::bigint,
        (document ->> 'tax_minor')::bigint, (document ->> 'total_minor')::bigint, document, now()
      from jsonb_array_elements(${Buffer.concat(chunks).toString('utf8')}::jsonb -> 'documents') document`.execute(
      db,
    )
    res.end('{}')
  } catch (error) {
    res.statusCode = 500
    res.end(String(error))
  }
}

async function insertBarePeer(db: Db): Promise<string> {
  const id = newId()
  await db
    .insertInto('peers')
    .values({
      id,
      role: 'supplier',
      customer_id: null,
      currency: 'USD',
      installation_id: newId(),
      other_peer_id: newId(),
      name: 'Bare',
      url: 'http://127.0.0.1:1',
      state: 'active',
      created_at: new Date().toISOString(),
      created_by: 'bench',
      paired_at: new Date().toISOString(),
    })
    .execute()
  await db.transaction().execute(async (tx) => ensurePeerSupplier(tx, id))
  return id
}

async function readBodies(db: Db, peerId: string): Promise<string[]> {
  const { rows } = await sql<{ content: unknown }>`
    select content from supplier_invoices where id in (${newest(documentsPerRound)}) order by id`.execute(db)
  const documents = rows.map(({ content }) => content)
  return Array.from({ length: documents.length / documentsPerMessage }, (_, index) => {
    const part = documents.slice(index * documentsPerMessage, (index + 1) * documentsPerMessage)
    return JSON.stringify({ version: 1, peer: peerId, audience: peerId, documents: part })
  })
}

const counted = new Set([
  'workflowExecutionStartedEventAttributes',
  'workflowExecutionSignaledEventAttributes',
  'workflowExecutionContinuedAsNewEventAttributes',
  'timerStartedEventAttributes',
])

/**
 * What the peer's workflow has cost by its history: its starts, signals and timers, and every attempt of an activity. Heartbeats are
 * in no history; of those the SDK sends one in 36 seconds at most.
 */
async function countActions({ temporalAddress }: Platform, peer: string): Promise<number> {
  const connection = await Connection.connect({ address: temporalAddress })
  try {
    const client = new Client({ connection, namespace: temporalNamespace })
    const history = await client.workflow.getHandle(`peer/${peer}`).fetchHistory()
    return (history.events ?? []).reduce((sum, event) => {
      const attempts = event.activityTaskStartedEventAttributes?.attempt ?? 0
      return sum + attempts + (counted.has(event.attributes ?? '') ? 1 : 0)
    }, 0)
  } finally {
    await connection.close()
  }
}
