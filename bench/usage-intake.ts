import { Agent, request } from 'node:http'
import { Readable } from 'node:stream'
import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { newIds } from '#db/identifier.ts'
import { encodeId } from '#domain/identifier.ts'
import type { BenchContext } from './support/benchmark.ts'
import { seedFleet } from './support/fleet.ts'
import { startInstallation, type BenchInstallation } from './support/installation.ts'
import { limitOf, percentile, type Measurement } from './support/measurement.ts'

const subscriptions = 1_000
const eventsPerRound = 150_000
const singlesPerRound = 10_000
const singlesAtOnce = 64
const rounds = 3
const looks = 100
const limits = { stream: 25_000, single: 3_000, visibleMs: 1_000 } as const

/** Usage events through the front door, each deduplicated and answered for, against the same rows by bulk SQL. */
export async function measureUsageIntake(ctx: BenchContext): Promise<Measurement[]> {
  const installation = await startInstallation(ctx.platform, {
    ...ctx,
    name: 'usage_intake',
    hasWorker: false,
  })
  const { db } = installation
  await seedFleet(db, { documents: subscriptions, billedMonths: 0 })
  // The fleet begins far ahead; what is pushed is used now.
  await sql`update subscriptions set activated_at = now() - interval '10 days'`.execute(db)
  await sql`update subscription_lines set starts_on = current_date - 10`.execute(db)
  const rows = await db.selectFrom('subscriptions').select('id').orderBy('id').execute()
  const ids = rows.map(({ id }) => id)
  const addresses = ids.map((id) => encodeId('subscription', id))
  const seen: Record<'stream' | 'bulk' | 'single', number[]> = { stream: [], bulk: [], single: [] }
  // Both ways are tried first: what is measured is an API that has run for a minute.
  await stream(installation, eventLines(addresses, 'warm-up', 20_000), 20_000)
  await singles(installation, addresses, { round: 'single-warm-up', count: 2 * singlesPerRound })
  for (let round = 1; round <= rounds; round += 1) {
    ctx.note(`round ${round} of ${rounds}`)
    const lines = eventLines(addresses, `stream-${round}`, eventsPerRound)
    seen.stream.push(perSecond(eventsPerRound, await stream(installation, lines, eventsPerRound)))
    seen.bulk.push(perSecond(eventsPerRound, await bulk(db, ids, `bulk-${round}`)))
    const took = await singles(installation, addresses, { round: `single-${round}`, count: singlesPerRound })
    seen.single.push(perSecond(singlesPerRound, took))
    await sql`vacuum analyze usage_events`.execute(db)
  }
  const visibleMs = await timeToVisible(installation, addresses)
  return [
    {
      measure: 'Usage events by stream',
      unit: '/s',
      values: seen.stream,
      against: { kind: 'peer', title: 'bulk SQL', values: seen.bulk },
      aim: { ratioAtLeast: 0.5 },
    },
    {
      measure: 'Usage events by stream',
      unit: '/s',
      values: seen.stream,
      against: limitOf(limits.stream),
      aim: { ratioAtLeast: 1 },
    },
    {
      measure: 'Usage events, one a request',
      unit: '/s',
      values: seen.single,
      against: limitOf(limits.single),
      aim: { ratioAtLeast: 1 },
    },
    {
      measure: 'From sending an event to seeing it in the usage, p99',
      unit: 'ms',
      values: [percentile(visibleMs, 0.99)],
      against: limitOf(limits.visibleMs),
      aim: { ratioAtMost: 1 },
    },
  ]
}

const perSecond = (count: number, durationMs: number) => (count * 1000) / durationMs

function toEvent(subject: string, round: string, index: number) {
  const time = new Date(Date.now() - (index % 86_400) * 1000).toISOString()
  return {
    specversion: '1.0',
    id: `${round}-${index}`,
    source: 'bench',
    type: 'requests',
    subject,
    time,
    data: { quantity: String(1 + (index % 9)) },
  }
}

/** Written beforehand: what is measured is not how fast JSON is made. */
function eventLines(subjects: readonly string[], round: string, count: number): Buffer[] {
  const pieces: Buffer[] = []
  for (let from = 0; from < count; from += 500) {
    const events = Array.from({ length: Math.min(500, count - from) }, (_, index) =>
      toEvent(subjects[(from + index) % subjects.length] ?? '', round, from + index),
    )
    pieces.push(Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join('')))
  }
  return pieces
}

async function stream(
  { apiUrl, apiKey }: BenchInstallation,
  lines: Buffer[],
  count: number,
): Promise<number> {
  const startMs = performance.now()
  const res = await fetch(`${apiUrl}/v1/usage-events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/x-ndjson' },
    body: Readable.from(lines),
    duplex: 'half',
  })
  const last = (await res.text()).trim().split('\n').at(-1) ?? ''
  const durationMs = performance.now() - startMs
  const { is_complete: isComplete, stored } = JSON.parse(last) as { is_complete?: boolean; stored?: number }
  if (isComplete !== true || stored !== count) throw new Error(`the stream was answered with ${last}`)
  return durationMs
}

/** The same rows under the same unique key, a thousand a statement, over two connections as the API has. */
async function bulk(db: Db, ids: readonly string[], round: string): Promise<number> {
  const chunks: number[] = Array.from({ length: eventsPerRound / 1000 }, (_, index) => index * 1000)
  const startMs = performance.now()
  const work = chunks.values()
  await Promise.all(
    [1, 2].map(async () => {
      for (const from of work) await bulkChunk(db, ids, round, from)
    }),
  )
  return performance.now() - startMs
}

async function bulkChunk(db: Db, ids: readonly string[], round: string, from: number): Promise<void> {
  const indexes = Array.from({ length: 1000 }, (_, index) => from + index)
  const of = (make: (index: number) => string) => indexes.map(make)
  const nowMs = Date.now()
  await sql`
    insert into usage_events (id, source, event_id, subscription_id, metric, quantity, unit, occurred_at)
    select * from unnest(${newIds(1000)}::uuid[], ${of(() => 'bench')}::text[], ${of((index) => `${round}-${index}`)}::text[],
      ${of((index) => ids[index % ids.length] ?? '')}::uuid[], ${of(() => 'requests')}::text[],
      ${of((index) => String(1 + (index % 9)))}::numeric[], ${of(() => 'request')}::text[],
      ${of((index) => new Date(nowMs - (index % 86_400) * 1000).toISOString())}::timestamptz[])
    on conflict (source, event_id) do nothing`.execute(db)
}

async function singles(
  { apiUrl, apiKey }: BenchInstallation,
  subjects: readonly string[],
  { round, count }: { round: string; count: number },
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: singlesAtOnce })
  const bodies = Array.from({ length: count }, (_, index) =>
    JSON.stringify(toEvent(subjects[index % subjects.length] ?? '', round, index)),
  )
  const startMs = performance.now()
  const work = bodies.values()
  await Promise.all(
    Array.from({ length: singlesAtOnce }, async () => {
      for (const body of work) await post(agent, { apiUrl, apiKey }, body)
    }),
  )
  agent.destroy()
  return performance.now() - startMs
}

async function post(
  agent: Agent,
  { apiUrl, apiKey }: { apiUrl: string; apiKey: string },
  body: string,
): Promise<void> {
  const headers = {
    authorization: `Bearer ${apiKey}`,
    'content-type': 'application/cloudevents+json',
    'content-length': Buffer.byteLength(body),
  }
  await new Promise<void>((resolve, reject) => {
    const sent = request(`${apiUrl}/v1/usage-events`, { method: 'POST', agent, headers }, (res) => {
      if (res.statusCode !== 200) reject(new Error(`a single event was answered ${res.statusCode}`))
      res.resume().on('end', resolve)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function timeToVisible({ apiUrl, apiKey, get }: BenchInstallation, subjects: readonly string[]) {
  const agent = new Agent({ keepAlive: true })
  const durationsMs: number[] = []
  for (let look = 0; look < looks; look += 1) {
    const subject = subjects[look] ?? ''
    const eventsOf = async () => {
      const usage = (await get(`/v1/subscriptions/${subject}/usage`)) as {
        lines: { current: { events: number } }[]
      }
      return usage.lines[0]?.current.events ?? 0
    }
    const before = await eventsOf()
    const startMs = performance.now()
    await post(agent, { apiUrl, apiKey }, JSON.stringify(toEvent(subject, 'look', look)))
    while ((await eventsOf()) === before);
    durationsMs.push(performance.now() - startMs)
  }
  agent.destroy()
  return durationsMs
}
