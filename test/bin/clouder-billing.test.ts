import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { serveTestConsole, type ServedConsole } from '#test/pages/console.ts'
import { seedStory, tellTwoMonths, type Sold } from '#test/pages/story.ts'
import { runClouder } from '#test/support/clouder.ts'

let served: ServedConsole
let folder: string
let story: Sold
before(async () => {
  served = await serveTestConsole()
  folder = mkdtempSync(path.join(tmpdir(), 'clouder-billing-'))
  await seedStory(served.db)
  story = await tellTwoMonths(served.db)
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await served.close()
})

async function run(...args: string[]) {
  const env = { CLOUDER_API_URL: served.url, CLOUDER_API_KEY: served.key, CLOUDER_DATA: folder }
  return await runClouder(args, env)
}

test('J-07 simulate tells the invoices of the next months, and what is crossed on the way', async () => {
  const usage = ['network=10', 'users=9']
  const { code, stdout, stderr } = await run('simulate', story.publicId, '--months', '2', '--usage', ...usage)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /2026-03-31\s.*24\.17 USD/)
  assert.match(stdout, /2026-04-30\s.*21\.00 USD/)
  assert.match(stdout, /2026-03-13\slimit crossed\susers\s9\s6/)
  const refused = await run('simulate', story.publicId, '--usage', 'network')
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /--usage network=40/)
})

test('C-28 billing next tells the next invoice with how each line comes about', async () => {
  const { code, stdout, stderr } = await run('billing', 'next', story.publicId)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /2026-03-31/)
  assert.match(stdout, /6 × 1 × 21 \/ 31 days/)
})

test('C-15 a run is asked for, listed and shown; J-08 a try keeps nothing', async () => {
  const tried = await run('billing', 'try')
  assert.equal(tried.code, 0, tried.stderr)
  assert.match(tried.stderr, /0 of 0 would be billed/)
  assert.deepEqual(JSON.parse((await run('billing', '--json')).stdout), [])
  const { stdout } = await run('billing', 'run', '--failed-only', '--json')
  const { id } = JSON.parse(stdout) as { id: string }
  assert.match((await run('billing', 'ls')).stdout, new RegExp(id))
  assert.match((await run('billing', 'show', id)).stdout, /considered\s+0/)
})
