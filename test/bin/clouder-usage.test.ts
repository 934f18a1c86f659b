import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { tellTwoMonths, type Sold } from '#test/pages/story.ts'
import { createClouder, type Clouder } from '#test/support/clouder.ts'
import { toCloudEvent } from '#test/support/usage-events.ts'

let clouder: Clouder
let story: Sold
before(async () => {
  clouder = await createClouder()
  story = await tellTwoMonths(clouder.db)
})
after(async () => await clouder.close())

const run = async (...args: string[]) => await clouder.run(['usage', ...args])

async function stored(): Promise<number> {
  const row = clouder.db.selectFrom('usage_events').select((eb) => eb.fn.countAll<number>().as('count'))
  return (await row.where('source', '=', 'file').executeTakeFirstOrThrow()).count
}

test('D-26 a file is pushed, goes on where it was interrupted, and counts once when it is sent from the start', async () => {
  // The story's clock stands at 13 March.
  const at = '2026-03-12T08:00:00Z'
  const used = { source: 'file', subscription: story.publicId, metric: 'network', quantity: 1, at }
  const lines = Array.from({ length: 1500 }, (_, index) =>
    JSON.stringify(toCloudEvent({ ...used, id: String(index) })),
  )
  const file = path.join(clouder.folder, 'events.ndjson')
  writeFileSync(file, `${lines.slice(0, 600).join('\n')}\n`)
  const first = await run('push-file', file, '--json')
  assert.deepEqual(
    [first.code, JSON.parse(first.stdout)],
    [0, { through: 600, stored: 600, duplicates: 0, refused: 0 }],
    first.stderr,
  )
  writeFileSync(file, `${lines.join('\n')}\n`)
  const rest = await run('push-file', file, '--from', '601', '--json')
  assert.deepEqual(JSON.parse(rest.stdout), { through: 1500, stored: 900, duplicates: 0, refused: 0 })
  assert.equal(await stored(), 1500)
  const again = await run('push-file', file, '--json')
  assert.deepEqual(JSON.parse(again.stdout), { through: 1500, stored: 0, duplicates: 1500, refused: 0 })
  assert.equal(await stored(), 1500)
})

test('what is refused of a file is told by its line, and the exit code says so', async () => {
  const file = path.join(clouder.folder, 'bad.ndjson')
  const bad = toCloudEvent({ id: 'bad', subscription: story.publicId, metric: 'unheard-of', quantity: 1 })
  writeFileSync(file, `${JSON.stringify(bad)}\n\n{"broken"\n`)
  const { code, stderr } = await run('push-file', file)
  assert.equal(code, 7)
  assert.match(stderr, /line 1: metric_unknown/)
  assert.match(stderr, /line 2: field_required/)
  assert.match(stderr, /line 3: json_malformed/)
  const listed = await run('refused')
  assert.match(listed.stdout, /test bad.*metric_unknown/)
  const again = await run('send-again', '--code', 'metric_unknown', '--json')
  assert.equal(again.code, 7)
  assert.partialDeepStrictEqual(JSON.parse(again.stdout), {
    stored: 0,
    duplicates: 0,
    refused: 1,
    has_more: false,
  })
})

test('when the API does not answer, it is said from which line to go on', async () => {
  const file = path.join(clouder.folder, 'events.ndjson')
  const elsewhere = { CLOUDER_API_URL: 'http://127.0.0.1:9' }
  const { code, stderr } = await clouder.run(['usage', 'push-file', file, '--from', '40'], elsewhere)
  assert.equal(code, 6)
  assert.match(stderr, /push-file .*events\.ndjson --from 40/)
})

test('D-42 a billed quantity is opened into its days, and a day into its readings', async () => {
  const { id } = await clouder.db
    .selectFrom('usage_windows')
    .select('id')
    .where('metric', '=', 'network')
    .orderBy('window_period')
    .executeTakeFirstOrThrow()
  const window = encodeId('usageWindow', id)
  const days = await run('open', window)
  assert.equal(days.code, 0, days.stderr)
  assert.match(days.stdout, /^network\t3 GiB, on invoice inv_/)
  assert.match(days.stdout, /\n2026-01-31\t1\t0\t0\n2026-02-27\t2\t0\t3\n$/)
  const day = await run('open', window, '--on', '2026-02-27')
  assert.match(day.stdout, /^2026-02-27T12:00:00\.000Z\tweb\t3 GiB\t3\n/)
})

test('D-47 billed usage is written as CSV, to stdout or to a file', async () => {
  const windows = await run('export', story.publicId)
  assert.equal(windows.code, 0, windows.stderr)
  assert.match(
    windows.stdout,
    /^window,subscription_line,.*\r\n(?:.*\r\n)*win_.*,network,.*,3,GiB,3,3,USD,false,/,
  )
  const to = path.join(clouder.folder, 'readings.csv')
  const readings = await run('export', story.publicId, '--readings', '--to', to, '--json')
  assert.deepEqual([readings.code, JSON.parse(readings.stdout)], [0, { file: to }], readings.stderr)
  assert.match(
    readFileSync(to, 'utf8'),
    /network,reading,2026-02-27T12:00:00\.000Z,web,,3,GiB,3,GiB,3,sum\r\n/,
  )
  assert.equal((await run('export', 'sub_01kb0000000000000000000000')).code, 3)
})

test('usage is said in words with where its period will end, and a cap is set, shown and taken away', async () => {
  const shown = await run('show', story.publicId, '--json')
  assert.match(shown.stdout, /GiB\. At this pace/)
  const spend = async (...args: string[]) => await clouder.run(['spend', ...args])
  const set = await spend('cap', story.publicId, '20.00', '--effect', 'alert')
  assert.match(set.stdout, /operator\s+20\.00 USD\s+alert\s+50 %, 75 %, 100 %, 150 %\s+not held/)
  const early = await spend('invoice-early', story.publicId, '200.00')
  assert.match(early.stdout, /at 200\.00 that are not billed/)
  assert.equal((await spend('uncap', story.publicId)).code, 0)
  assert.doesNotMatch((await spend('show', story.publicId)).stdout, /operator/)
})

test('D-38 a cap is set for the customer, beside that of the operator, with shares and amounts of its own', async () => {
  const spend = async (...args: string[]) => await clouder.run(['spend', ...args])
  const own = ['--for', 'customer']
  const set = await spend('cap', story.publicId, '50.00', ...own, '--alert', '80%', '--alert', '45.00')
  assert.match(set.stdout, /customer\s+50\.00 USD\s+alert\s+80 %, 45\.00 USD\s+not held/, set.stderr)
  assert.equal((await spend('cap', story.publicId, '50.00', '--alert', 'half')).code, 2)
  assert.equal((await spend('uncap', story.publicId)).code, 0)
  assert.match((await spend('show', story.publicId)).stdout, /customer/)
  assert.equal((await spend('uncap', story.publicId, ...own)).code, 0)
  assert.doesNotMatch((await spend('show', story.publicId)).stdout, /customer/)
})

test('D-34, D-35 a limit that is reached is said with the subscription, and what was warned of is listed', async () => {
  const show = async () => (await clouder.run(['subscriptions', 'show', story.publicId])).stdout
  assert.match(await show(), /\nusers\t6\t6\t–\tnot reached\n/)
  const reachedAt = '2026-03-12T08:00:00.000Z'
  await clouder.db
    .updateTable('limits')
    .set({ used_quantity: '6', used_at: reachedAt, reached_at: reachedAt })
    .where('code', '=', 'users')
    .execute()
  const shown = await show()
  assert.match(shown, /phase\tactive, limited\n/)
  assert.match(shown, /\nusers\t6\t6\t6\treached since 2026-03-12 08:00 UTC\n/)
  await clouder.run(['spend', 'cap', story.publicId, '1.00'])
  const listed = await run('warnings', '--subscription', story.publicId)
  assert.match(listed.stdout, /cap of the operator\t50 %\t.* of 1 USD\t2026-\d\d-\d\d\n/, listed.stderr)
})
