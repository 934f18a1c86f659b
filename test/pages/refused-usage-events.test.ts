import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { batchType, toCloudEvent } from '#test/support/usage-events.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { seedStory, tellTwoMonths, type Sold } from './story.ts'
import { sectionText, textOf } from './text.ts'

const path = '/refused-usage-events'

let console: TestConsole
let story: Sold
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  story = await tellTwoMonths(console.db)
})
after(async () => console.close())

async function push(...ids: string[]): Promise<void> {
  // The story's clock stands at 13 March.
  const of = { subscription: story.publicId, metric: 'network', quantity: '2', at: '2026-03-12T18:00:00Z' }
  const { status } = await console.post(
    '/v1/usage-events',
    ids.map((id) => toCloudEvent({ ...of, id })),
    batchType,
  )
  assert.equal(status, 207)
}

async function meterBy(metric: string): Promise<void> {
  await sql`update subscription_lines set metric = ${metric} where metric in ('network', 'other')`.execute(
    console.db,
  )
}

async function used(): Promise<number> {
  const headers = { authorization: `Bearer ${console.key}` }
  const response = await console.request(`/v1/subscriptions/${story.publicId}/usage`, { headers })
  const { lines } = (await response.json()) as { lines: { metric: string; current: { quantity: string } }[] }
  return Number(lines.find(({ metric }) => metric === 'network')?.current.quantity)
}

const shown = async () => sectionText((await console.get(path)).html, 'refused')

/** Where the form of an event sends it. */
async function actionOf(id: string, action: string): Promise<string> {
  const { html } = await console.get(path)
  const row = html.slice(html.indexOf(`scope="row">${id}<`))
  const [, found] = new RegExp(`action="(${path}/[^"]+/${action})"`).exec(row) ?? []
  assert.ok(found, `${id} has a form to ${action}`)
  return found
}

test('without refused events the page says so, and the home has no need of it', async () => {
  assert.match(await shown(), /every usage event that came counts/)
  assert.doesNotMatch(sectionText((await console.get('/')).html, 'needs'), /refused/)
  const usage = (await console.get(`/subscriptions/${story.publicId}`)).html
  assert.match(usage, new RegExp(`href="${path}"`))
})

test('D-22 two refused events are listed with why and since when; once the metric is there, sent again each counts once', async () => {
  const before = await used()
  await meterBy('other')
  await push('a', 'b')
  assert.match(
    sectionText((await console.get('/')).html, 'needs'),
    /2 usage events were refused and are on no bill/,
  )
  assert.match(await shown(), /a from test, sent by key.* metric_unknown/)
  const early = await console.submit(path, await actionOf('a', 'send-again'))
  assert.equal(early.status, 422)
  assert.match(textOf(early.html), /Nothing was changed.* metric_unknown/)
  await meterBy('network')
  const one = await console.submit(path, await actionOf('a', 'send-again'))
  assert.equal(one.status, 303)
  const rest = await console.submit(path, `${path}/send-again`)
  assert.equal(rest.headers.get('location'), `${path}?counted=1&refused=0`)
  assert.match(textOf((await console.get(rest.headers.get('location') ?? '')).html), /1 event counts now\./)
  assert.equal(await used(), before + 4)
  assert.match(await shown(), /every usage event that came counts/)
})

test('one that is deleted is gone and never counts; what is refused again stays', async () => {
  await meterBy('other')
  await push('c', '<d>')
  assert.doesNotMatch((await console.get(path)).html, /<d>/)
  assert.equal((await console.submit(path, await actionOf('c', 'delete'))).status, 303)
  const sent = await console.submit(path, `${path}/send-again`)
  const { html } = await console.get(sent.headers.get('location') ?? '')
  assert.match(textOf(html), /0 events count now, and 1 event stay/)
  await meterBy('network')
  assert.doesNotMatch(await shown(), /c from test/)
})
