import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestConsole, type TestConsole } from './console.ts'
import { build, seedStory, sell, type Sold } from './story.ts'
import { sectionText } from './text.ts'
import { seedDrift, settleDrift, type DriftedInstance } from '#test/support/drift.ts'

let console: TestConsole
let sold: Sold
let drifted: DriftedInstance
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  sold = await sell(console.db, { product: 'static-site' })
  await build(console.db, sold, 'done')
  drifted = await seedDrift(console.db, sold.id, '2026-03-01T10:00:00Z')
})
after(async () => console.close())

const shown = async (): Promise<string> =>
  sectionText((await console.get(`/subscriptions/${sold.publicId}`)).html, 'instances')

test('a finding stands at its instance with what was seen and the command that settles it', async () => {
  const text = await shown()
  assert.match(text, /running .*seen stopped/)
  assert.match(text, /should run and is exited, exit code 137/)
  assert.ok(text.includes(`npx clouder instances repair ${drifted.instance}`), text)
})

test('one that is settled is shown no longer', async () => {
  await settleDrift(console.db, drifted, '2026-03-01T10:01:00Z')
  const text = await shown()
  assert.match(text, /seen running/)
  assert.ok(!text.includes('exit code 137') && !text.includes('instances repair'), text)
})
