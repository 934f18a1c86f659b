import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createClouder, type Clouder } from '#test/support/clouder.ts'

let clouder: Clouder
before(async () => {
  clouder = await createClouder()
})
after(async () => clouder.close())

test('a customer is created, listed and shown', async () => {
  const made = await clouder.run([
    'customers',
    'create',
    'pier',
    '--name',
    'Pier',
    '--country',
    'DE',
    '--json',
  ])
  assert.equal(made.code, 0, made.stderr)
  assert.partialDeepStrictEqual(JSON.parse(made.stdout), { code: 'pier', name: 'Pier', country: 'DE' })
  assert.match((await clouder.run(['customers'])).stdout, /pier\s+Pier\s+DE/)
  assert.match((await clouder.run(['customer', 'show', 'pier'])).stdout, /Pier/)
})

test('3 and 5: one that is not there is not found, and a code is taken once', async () => {
  assert.equal((await clouder.run(['customers', 'show', 'nobody'])).code, 3)
  assert.equal((await clouder.run(['customers', 'create', 'harbour-bakery', '--name', 'Other'])).code, 5)
})
