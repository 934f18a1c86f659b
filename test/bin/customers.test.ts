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

test('what nothing uses is deleted, what is in use says by how many and is archived instead (A-45)', async () => {
  const used = await clouder.run(['products', 'rm', 'flat-odoo'])
  assert.equal(used.code, 5)
  const archived = await clouder.run(['kits', 'archive', 'odoo-config-2', '--json'])
  assert.ok((JSON.parse(archived.stdout) as { archived_at: string | null }).archived_at)
  assert.match((await clouder.run(['kits', 'unarchive', 'odoo-config-2'])).stdout, /archived\s+no/)
  assert.match((await clouder.run(['kits', 'rm', 'odoo-config-2'])).stdout, /deleted\s+odoo-config-2/)
  assert.equal((await clouder.run(['kits', 'rm', 'odoo-config-2'])).code, 3)
})
