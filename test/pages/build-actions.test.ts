import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestConsole, readForm, type TestConsole } from './console.ts'
import { build, seedStory, sell, type Sold } from './story.ts'
import { textOf } from './text.ts'

let console: TestConsole
let sold: Sold
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  sold = await sell(console.db, { kit: 'odoo-config-1' })
  await build(console.db, sold, { runningStep: 4 })
})
after(async () => console.close())

const pagePath = () => `/subscriptions/${sold.publicId}`
const action = (name: string) => `${pagePath()}/builds/${name}`

async function send(name: string, values: Record<string, string>) {
  const form = readForm((await console.get(pagePath())).html, action(name))
  return await console.submit(pagePath(), action(name), { ...form, ...values })
}

test('a step is left out on the page with a reason, and the page says who decided so', async () => {
  const refused = await send('skip', { reason: '' })
  assert.equal(refused.status, 422)
  assert.match(textOf(refused.html), /Say why/)
  const done = await send('skip', { reason: 'looked at by hand' })
  assert.equal(done.status, 303)
  const { html } = await console.get(pagePath())
  assert.match(textOf(html), /To be skipped, by .*: looked at by hand/)
})

test('a build that runs is cancelled on the page, once', async () => {
  const done = await send('cancel-build', { reason: 'wrong plan' })
  assert.equal(done.status, 303)
  const kept = await console.db
    .selectFrom('build_commands')
    .select(['kind', 'reason'])
    .orderBy('id')
    .execute()
  assert.deepEqual(kept, [
    { kind: 'skip', reason: 'looked at by hand' },
    { kind: 'cancel', reason: 'wrong plan' },
  ])
  const { html } = await console.get(pagePath())
  assert.doesNotMatch(html, /builds\/cancel-build/)
})
