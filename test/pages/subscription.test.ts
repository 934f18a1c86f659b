import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { openBuildOrder } from '#db/build.ts'
import { listSpendCaps, setSpendCap } from '#db/spend-cap.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { insertDeployer, insertDeployment } from '#test/support/deployer.ts'
import { build, failure, seedStory, sell, tellTwoMonths, type Sold } from './story.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
let story: Sold
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  story = await tellTwoMonths(console.db)
})
after(async () => console.close())

const pageOf = async (sold: Sold) => (await console.get(`/subscriptions/${sold.publicId}`)).html

test('the head says phase, price in words, the next invoice with its amount so far, and its clock', async () => {
  const text = textOf(await pageOf(story))
  assert.match(text, /✓ active for Harbour Bakery/)
  assert.match(text, /Odoo User: 6 users at 1\.00 USD each, a month/)
  assert.match(text, /Network Usage: 1\.00 USD per GiB used/)
  // April: 6 + 5. March from the 10th: 6 users 4.06 less 5 users 3.39, each for 21 of 31 days. Metered: 1.25 + 2.50.
  assert.match(text, /Next invoice 31 March 2026 15\.42 USD with what was used so far/)
  assert.match(text, /On test clock spring\. For this subscription it is 13 Mar 2026, 08:00:00 UTC/)
})

test('an active subscription offers its application’s address; one that is not, or runs dry, does not', async () => {
  assert.match(await pageOf(story), /<a class="button primary" href="http:\/\/localhost:\d+\/"/)
  await console.db.updateTable('servers').set({ runner: 'dry-run' }).execute()
  assert.doesNotMatch(await pageOf(story), /href="http:\/\/localhost:/)
  await console.db.updateTable('servers').set({ runner: 'docker' }).execute()
  const building = await sell(console.db, { kit: 'odoo-config-2' })
  assert.doesNotMatch(await pageOf(building), /href="http:\/\/localhost:/)
})

test('lines show what was agreed and when; a closed line stays readable', async () => {
  const lines = sectionText(await pageOf(story), 'lines')
  assert.match(
    lines,
    /Odoo User odoo-user threshold a month, in advance 5 user 1\.00 USD 31 January 2026 10 March 2026/,
  )
  assert.match(lines, /Odoo User odoo-user threshold a month, in advance 6 user 1\.00 USD 10 March 2026 open/)
  assert.match(lines, /Disk Usage disk-usage usage a month, in arrears metered GiB/)
})

test('usage so far is what the next invoice would bill', async () => {
  const usage = sectionText(await pageOf(story), 'usage')
  assert.match(usage, /Network Usage 1\.25 GiB 28 February to 30 March 2026 1 reading/)
  assert.match(usage, /Disk Usage 2\.5 GiB .* 2\.50 USD/)
})

test('D-41 usage is drawn over its period, with where it will end in words and each day in a table', async () => {
  const html = await pageOf(story)
  assert.match(
    html,
    /<svg viewBox="0 0 480 120" role="img" aria-label="Disk Usage: 2\.5 GiB\. At this pace 2\.5 GiB on 30 March: 2\.50 USD\./,
  )
  assert.match(sectionText(html, 'usage'), /Day by day : Disk Usage/)
})

test('D-38 what usage may cost is set and taken away by forms, and a wrong amount is told beside its field', async () => {
  const path = `/subscriptions/${story.publicId}`
  const refused = await console.submit(path, `${path}/spend-cap`, { amount: '1.005', effect: 'stop' })
  assert.equal(refused.status, 422)
  const set = await console.submit(path, `${path}/spend-cap`, { amount: '20.00', effect: 'stop' })
  assert.equal(set.status, 303)
  const shown = async () => sectionText(await pageOf(story), 'spend')
  assert.match(
    await shown(),
    /Usage costs \d\.\d\d USD in this period so far\. .*operator 20\.00 USD stops 50 %, 75 %/,
  )
  await console.submit(path, `${path}/spend-cap`, { amount: '' })
  assert.match(await shown(), /No cap: usage is billed, however much it is\./)
  const early = await console.submit(path, `${path}/early-invoice`, { amount: '200' })
  assert.equal(early.status, 303)
})

test('D-38 the form of a cap shows at what is told, and keeps what was set by the API or a command; one that is none is refused', async () => {
  const path = `/subscriptions/${story.publicId}`
  const alerts = [{ percent: 80 }, { amountMinor: 1_250 }]
  const cap = { setBy: 'operator', amountMinor: 2_000, effect: 'stop', alerts } as const
  await console.db.transaction().execute(async (tx) => {
    await setSpendCap(tx, story.id, { cap, actor: 'test', now: new Date().toISOString() })
  })
  const submit = async (fields: object) => {
    const { status, html } = await console.submit(path, `${path}/spend-cap`, { effect: 'stop', ...fields })
    return { status, html }
  }
  const kept = async () => (await listSpendCaps(console.db, story.id))[0]?.alerts
  // Saved as it is shown, but for the amount.
  const shown = /name="alerts"[^>]* value="([^"]*)"/.exec(await pageOf(story))?.[1]
  assert.equal(shown, '80%, 12.50')
  assert.equal((await submit({ amount: '30.00', alerts: shown })).status, 303)
  assert.deepEqual(await kept(), alerts)
  for (const wrong of ['1001%', '0%', '20,50', '12.505', 'soon']) {
    const refused = await submit({ amount: '30.00', alerts: `50% ${wrong}` })
    assert.equal(refused.status, 422, wrong)
    assert.match(sectionText(refused.html, 'spend'), new RegExp(`${wrong} is neither a share of the cap`))
  }
  assert.deepEqual(await kept(), alerts)
  await submit({ amount: '30.00', alerts: '50 %,75%, 100% 9.5' })
  assert.deepEqual(await kept(), [{ percent: 50 }, { percent: 75 }, { percent: 100 }, { amountMinor: 950 }])
  await submit({ amount: '30.00', alerts: '' })
  assert.deepEqual(await kept(), [])
  await submit({ amount: '' })
})

test('limits show what is sold and in force, and the log of what was sent and answered', async () => {
  const limits = sectionText(await pageOf(story), 'limits')
  assert.match(limits, /users 6 6 not measured ✓ enforced/)
  assert.match(limits, /\/bin\/set-limit users 6 limit of users is 6 now read back 6 0/)
})

test('D-34 a limit that is reached is said with the limit and in the list, and no more once it is lifted', async () => {
  const reach = async (reachedAt: string | null) =>
    console.db.updateTable('limits').set({ reached_at: reachedAt }).where('code', '=', 'users').execute()
  const list = async () => textOf((await console.get('/subscriptions?phase=limited')).html)
  await reach(new Date().toISOString())
  assert.match(
    sectionText(await pageOf(story), 'limits'),
    /users 6 6 not measured .*limit reached nothing more is given/,
  )
  assert.match(await list(), /limit reached: users/)
  await reach(null)
  assert.match(sectionText(await pageOf(story), 'limits'), /✓ enforced/)
  assert.doesNotMatch(await list(), /limit reached/)
})

test('invoices and timeline tell what happened, by whom, and when by its clock', async () => {
  const html = await pageOf(story)
  assert.match(
    sectionText(html, 'invoices'),
    /TEST\d+-INV-00002 test clock spring 28 February 2026 14 March 2026 open 15\.00 USD/,
  )
  const timeline = sectionText(html, 'timeline')
  assert.match(timeline, /odoo-user from 5 to 6, effective 10 March 2026 by an API key/)
  assert.match(timeline, /Active from 31 January 2026 by Clouder, .*31 Jan 2026, 09:02:00 UTC/)
})

test('the workflow is one press away', async () => {
  const address = `/namespaces/default/workflows/${encodeURIComponent(`subscription/${story.publicId}`)}`
  assert.ok((await pageOf(story)).includes(address))
})

test('a running build shows each step with its state, attempt and progress', async () => {
  const running = await sell(console.db, { kit: 'odoo-config-2' })
  const { stepIds } = await build(console.db, running, { runningStep: 2 })
  await console.db
    .updateTable('build_steps')
    .set({ progress: 'layer 3 of 9' })
    .where('id', '=', stepIds[2] ?? '')
    .execute()
  const html = await pageOf(running)
  const section = sectionText(html, 'build')
  assert.match(section, /2 of 5 steps done/)
  assert.match(section, /3 Image .* ◌ running \d.* s 1 layer 3 of 9/)
  assert.match(section, /4 Container web .* … planned/)
  assert.match(html, /<progress value="2" max="5"/)
})

test('a build that failed for good says cause and remedy once, and offers the retry', async () => {
  const failed = await sell(console.db, { kit: 'odoo-config-1' })
  await build(console.db, failed, { failedStep: 1 })
  const html = await pageOf(failed)
  const section = sectionText(html, 'build')
  assert.equal(section.split(failure.detail).length - 1, 1)
  assert.match(section, /Remedy: Make the registry reachable from the server/)
  assert.match(section, /Retry the build/)
  assert.match(textOf(html), /Waits for you: The registry does not answer/)
})

test('a build that waits says for what, and how many are before it', async () => {
  const before = await sell(console.db, { kit: 'odoo-config-2' })
  await openBuildOrder(console.db, before.id, 'build')
  const waiting = await sell(console.db, { kit: 'odoo-config-2' })
  assert.match(
    sectionText(await pageOf(waiting), 'build'),
    /Not planned yet. Queued on server local, [1-9] ahead/,
  )
  await openBuildOrder(console.db, waiting.id, 'build')
  assert.match(sectionText(await pageOf(waiting), 'build'), /Queued on server local, 1 ahead/)
})

test('an id that stands for nothing is not found; one of another kind is told so', async () => {
  const missing = await console.get('/subscriptions/sub_00000000000000000000000000')
  assert.equal(missing.status, 404)
  const other = await console.get(`/subscriptions/${story.publicId.replace('sub_', 'inv_')}`)
  assert.equal(other.status, 400)
  assert.match(textOf(other.html), /those begin with sub_/)
})

test('what a customer typed is shown as text, never as HTML', async () => {
  await console.db
    .updateTable('subscriptions')
    .set({
      cancel_reason: '<img src=x onerror=alert(1)>',
      ends_on: '2026-03-31',
      cancel_requested_at: '2026-03-13T08:00:00Z',
    })
    .where('id', '=', story.id)
    .execute()
  const html = await pageOf(story)
  assert.ok(html.includes('&lt;img src=x onerror=alert(1)&gt;'))
  assert.ok(!html.includes('<img'))
})

test('D-15 of which use a line bills is said with the line, and with what was used', async () => {
  const filter = JSON.stringify({ usageFilter: [{ property: 'series', isNot: ['backup'] }] })
  await sql`update subscription_lines set terms = terms || ${filter}::jsonb
    where subscription_id = ${story.id} and metric = 'network'`.execute(console.db)
  const html = await pageOf(story)
  assert.match(sectionText(html, 'lines'), /in arrears only where series is not backup/)
  assert.match(sectionText(html, 'usage'), /Network Usage only where series is not backup 1\.25 GiB/)
})

test('G-21 what is deployed elsewhere is shown with where, how it stands there, and the subscription over there', async () => {
  const sold = await sell(console.db, { product: 'set-up' })
  const { id: firstLineId } = await console.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', sold.id)
    .executeTakeFirstOrThrow()
  assert.doesNotMatch(await pageOf(sold), /Deployed elsewhere/)
  const deployerId = await insertDeployer(console.db, 'yard')
  const seen = {
    address_there: 'http://10.0.0.7:42001',
    parked_there: 'image_unknown',
    seen_at: new Date().toISOString(),
  }
  await insertDeployment(console.db, { deployerId, subscriptionId: sold.id, firstLineId }, seen)
  const html = await pageOf(sold)
  assert.match(
    sectionText(html, 'deployments'),
    /ordered as site-there .* ✓ running over there active waits for a person there: image_unknown seen .* yard sub_01kb0000000000000000000001 http:\/\/10\.0\.0\.7:42001/,
  )
  assert.match(html, /href="https:\/\/yard\.example\.com\/subscriptions\/sub_01kb0000000000000000000001"/)
})
