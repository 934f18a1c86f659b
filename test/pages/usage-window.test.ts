import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { insertReadings } from '#db/usage.ts'
import { encodeId } from '#domain/identifier.ts'
import { findInstanceId } from '#test/support/instances.ts'
import { pushUsage } from '#test/support/seller.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { activate, billNextPeriod, build, seedStory, sell, type Sold } from './story.ts'
import { sectionText, textOf } from './text.ts'

// Network grows by 2.88 GiB on 5 February, read every five minutes, and 0.12 are pushed: 3.00 on the invoice.
let console: TestConsole
let sold: Sold
let instanceId: string
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  sold = await sell(console.db, { kit: 'odoo-config-1' }, { now: '2026-01-31T09:00:00Z', isOnClock: true })
  await build(console.db, sold, 'done')
  await activate(console.db, sold, '2026-01-31T09:00:00Z')
  instanceId = await findInstanceId(console.db, sold.id)
  for (let reading = 1; reading <= 288; reading += 1)
    await readNetwork(new Date(Date.parse('2026-02-05') + reading * 300_000).toISOString(), reading)
  const event = { subscriptionId: sold.id, metric: 'network', quantity: '0.12' }
  await pushUsage(console.db, { ...event, occurredAt: '2026-02-05T10:00:00Z' })
  await readNetwork('2026-02-28T00:00:00Z', 288)
  await billNextPeriod(console.db, sold, '2026-02-28T09:00:00Z')
})
after(async () => console.close())

async function readNetwork(readAt: string, hundredths: number): Promise<void> {
  const value = (hundredths / 100).toFixed(2)
  await insertReadings(console.db, { instanceId, isOpening: false, sampledAt: readAt, readAt }, [
    { metric: 'network', series: 'web', value, unit: 'GiB' },
    { metric: 'disk', series: 'data', value: '0', unit: 'GiB' },
  ])
}

async function invoicePath(): Promise<string> {
  const invoices = await console.db.selectFrom('invoices').select('id').orderBy('id').execute()
  return `/invoices/${encodeId('invoice', invoices.at(-1)?.id ?? '')}`
}

async function callApi(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await console.request(path, { headers: { authorization: `Bearer ${console.key}` } })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** Where the first link with this text leads. */
function linkOf(html: string, text: string): string {
  const link = [...html.matchAll(/<a href="([^"]+)"[^>]*>(.*?)<\/a>/gs)].find(
    ([, , content = '']) => textOf(content).trim() === text,
  )
  assert.ok(link, `the page has a link ${text}`)
  return (link[1] ?? '').replaceAll('&amp;', '&')
}

test('D-42 from 3.00 on an invoice two clicks lead to the 288 readings of a day, and to what was reported', async () => {
  const { html: invoice } = await console.get(await invoicePath())
  const line = invoice.slice(invoice.indexOf('Network Usage'))
  assert.match(textOf(line), /3 GiB 1\.00 USD 3\.00 USD/)
  const { html: window } = await console.get(linkOf(line, 'Readings'))
  assert.match(textOf(window), /Network Usage: 3 GiB/)
  assert.match(sectionText(window, 'days'), /5 February 2026 288 1 2\.88/)
  const { html: day } = await console.get(linkOf(window, '5 February 2026'))
  assert.match(sectionText(day, 'readings'), /288 readings .* 5 Feb 2026, 00:05:00 UTC web 0\.01 GiB 0\.01/)
  assert.equal([...day.matchAll(/<tr>/g)].length, 288 + 1 + 2)
  assert.match(sectionText(day, 'events'), /1 reported event .* 10:00:00 UTC test \S+ 0\.12 GiB/)
})

test('D-42 a billed quantity opens into its readings and events by the API', async () => {
  const { body: invoice } = await callApi(`/v1${await invoicePath()}`)
  const line = (invoice['lines'] as Record<string, unknown>[]).find(
    (row) => row['usage_window'] !== null && row['quantity'] === '3',
  )
  const path = `/v1/usage-windows/${String(line?.['usage_window'])}`
  const { body: window } = await callApi(path)
  assert.deepEqual(
    [window['quantity'], window['readings'], window['events'], window['late'], window['pending']],
    ['3', 290, 1, false, false],
  )
  assert.deepEqual(window['days'], [
    { on: '2026-01-31', readings: 1, events: 0, counted: '0' },
    { on: '2026-02-05', readings: 288, events: 1, counted: '2.88' },
    { on: '2026-02-27', readings: 1, events: 0, counted: '0' },
  ])
  const { body: readings } = await callApi(`${path}/readings?on=2026-02-05`)
  const rows = readings['data'] as { counted: string; read_at: string }[]
  assert.equal(rows.length, 288)
  assert.deepEqual(rows.at(-1), {
    series: 'web',
    value: '2.88',
    unit: 'GiB',
    read_at: '2026-02-06T00:00:00.000Z',
    opening: false,
    counted: '0.01',
  })
  const { body: events } = await callApi(`${path}/events?on=2026-02-05`)
  assert.equal((events['data'] as unknown[]).length, 1)
  assert.equal((await callApi('/v1/usage-windows/win_00000000000000000000000000')).status, 404)
})

test('D-47 from the page of a billed quantity all that it is made of is taken as CSV, which adds up to it', async () => {
  const { html: invoice } = await console.get(await invoicePath())
  const { html } = await console.get(linkOf(invoice.slice(invoice.indexOf('Network Usage')), 'Readings'))
  const file = await fetchCsv(linkOf(html, 'All readings and events as CSV'))
  assert.deepEqual([file.status, file.type], [200, 'text/csv; charset=utf-8; header=present'])
  assert.match(file.name, /^attachment; filename="win_\w+-readings\.csv"$/)
  const [head = [], ...rows] = file.rows
  assert.equal(rows.length, 290 + 1)
  const hundredths = rows.map((row) => Math.round(Number(row[head.indexOf('counted')]) * 100))
  assert.equal(
    hundredths.reduce((total, one) => total + one, 0),
    300,
  )
})

test('D-47 the page of a subscription leads to its billed quantities as CSV; a window of another one is not found', async () => {
  const { html } = await console.get(`/subscriptions/${sold.publicId}`)
  const { rows } = await fetchCsv(linkOf(html, 'quantities'))
  const [head = [], ...billed] = rows
  const network = billed.filter((row) => row[head.indexOf('metric')] === 'network')
  assert.deepEqual(
    network.map((row) => ['quantity', 'unit', 'amount', 'late'].map((name) => row[head.indexOf(name)])),
    [['3', 'GiB', '3', 'false']],
  )
  const other = await sell(console.db, { kit: 'odoo-config-1' })
  const window = billed[0]?.[head.indexOf('window')] ?? ''
  const path = `/v1/subscriptions/${other.publicId}/usage/readings.csv`
  const { status, body } = await callApi(`${path}?window=${window}`)
  assert.deepEqual([status, body['code']], [404, 'not_found'])
  assert.equal((await callApi(`${path}?from=yesterday`)).status, 422)
  assert.equal((await fetchCsv(path)).rows.length, 1)
})

/** No cell of these files has a comma or a quote in it. */
async function fetchCsv(path: string) {
  const response = await console.request(path, { headers: { cookie: console.cookie } })
  const rows = (await response.text()).trimEnd().split('\r\n')
  const header = (name: string) => response.headers.get(name) ?? ''
  return {
    status: response.status,
    type: header('content-type'),
    name: header('content-disposition'),
    rows: rows.map((row) => row.split(',')),
  }
}
