import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { loaderFlags } from '#bin/platform/tools.ts'
import { freePort } from '#bin/platform/ports.ts'
import { encodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { until } from '#test/support/installation.ts'
import { liveOneLife } from '#test/support/life.ts'
import { toCloudEvent } from '#test/support/usage-events.ts'

/** On the database of a test; the processes beside it are killed by their id. */
let api: TestApi
let subscription = ''
let databaseUrl = ''
const processes: ChildProcess[] = []

before(async () => {
  api = await createTestApi()
  subscription = encodeId('subscription', (await liveOneLife(api)).subscriptionId)
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(api.db)
  const url = new URL(process.env['CLOUDER_TEST_POSTGRES_URL'] ?? '')
  url.pathname = rows[0]?.name ?? ''
  databaseUrl = url.href
})
after(async () => {
  for (const one of processes) await kill(one)
  await api.close()
})

async function startProcess(): Promise<{ child: ChildProcess; port: number }> {
  const port = await freePort()
  const child = spawn(process.execPath, [...loaderFlags, 'bin/api.ts'], {
    env: {
      ...process.env,
      CLOUDER_DATABASE_URL: databaseUrl,
      // Nobody answers there: usage is taken without.
      CLOUDER_TEMPORAL_ADDRESS: '127.0.0.1:1',
      CLOUDER_PORT: String(port),
      CLOUDER_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  processes.push(child)
  await until('the API is live', async () => {
    assert.equal(child.exitCode, null, 'the API ended before it was live')
    return (await fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined))?.ok
  })
  return { child, port }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

interface AnsweredLine {
  readonly through?: number
  readonly stored?: number
  readonly duplicates?: number
  readonly is_complete?: true
}

interface Sending {
  /** Lines that are sent at once; the rest waits for the first answer. */
  readonly atOnce: number
  readonly onAnswer: (line: AnsweredLine) => void
}

/** Sends lines as one stream, and hears what is answered until it ends, or breaks off. */
async function send(port: number, lines: readonly string[], { atOnce, onAnswer }: Sending): Promise<void> {
  const call = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: '/v1/usage-events',
    headers: { authorization: `Bearer ${api.key}`, 'content-type': 'application/x-ndjson' },
  })
  call.on('error', () => undefined)
  call.write(lines.slice(0, atOnce).join(''))
  const answered = once(call, 'response') as Promise<[IncomingMessage]>
  if (atOnce === lines.length) call.end()
  const [response] = await answered
  response.on('error', () => undefined)
  let isFirst = true
  try {
    for await (const line of createInterface({ input: response })) {
      // The process may be killed in the midst of a line.
      if (line.endsWith('}')) onAnswer(JSON.parse(line) as AnsweredLine)
      if (isFirst && atOnce < lines.length) call.write(lines.slice(atOnce).join(''))
      isFirst = false
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) throw error
  }
}

test(
  'D-19, D-26 the API is killed in the midst of a stream: what was acknowledged is there, once, and sent on from there the sum is exact',
  { timeout: 120_000 },
  async () => {
    const at = new Date(Date.now() - 60_000).toISOString()
    // More than the API reads before it answers: 2 MiB.
    const count = 24_000
    const lines = Array.from({ length: count }, (_, index) => {
      const event = {
        source: 'stream',
        id: `e-${index}`,
        subscription,
        metric: 'network',
        quantity: '0.001',
        at,
      }
      return `${JSON.stringify(toCloudEvent(event))}\n`
    })
    const first = await startProcess()
    let acknowledged = 0
    await send(first.port, lines, {
      atOnce: 16_000,
      onAnswer: ({ through = 0 }) => {
        acknowledged = through
        first.child.kill('SIGKILL')
      },
    })
    await kill(first.child)
    assert.ok(acknowledged > 0 && acknowledged < count, `${acknowledged} of ${count} were acknowledged`)
    const { rows: kept } = await sql<{ there: number }>`
    select count(*)::integer as there from generate_series(0, ${acknowledged - 1}::integer) as sent (index)
    join usage_events on source = 'stream' and event_id = 'e-' || sent.index`.execute(api.db)
    assert.equal(kept[0]?.there, acknowledged)

    const second = await startProcess()
    let done: AnsweredLine = {}
    const rest = lines.slice(acknowledged)
    await send(second.port, rest, { atOnce: rest.length, onAnswer: (line) => (done = line) })
    assert.equal(done.is_complete, true)
    assert.equal((done.stored ?? 0) + (done.duplicates ?? 0), rest.length)
    const { rows } = await sql<{ events: number; quantity: string }>`
    select count(*)::integer as events, sum(quantity)::text as quantity from usage_events where source = 'stream'`.execute(
      api.db,
    )
    assert.deepEqual([rows[0]?.events, Number(rows[0]?.quantity)], [count, 24])
  },
)
