import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { keepForeignSubnets } from '#db/subnet-move.ts'
import { sell } from '#test/pages/story.ts'
import { createClouder, type Clouder } from '#test/support/clouder.ts'

let clouder: Clouder
before(async () => {
  clouder = await createClouder()
})
after(async () => clouder.close())

test('a person gives a server other addresses, sees how many are left, and who has them', async () => {
  const set = await clouder.run(['subnets', 'set', 'local', '10.99.0.0/24', '--prefix-length', '28'])
  assert.match(set.stderr + set.stdout, /16 of 16 subnets of \/28 in 10\.99\.0\.0\/24 are free on local/)
  await sell(clouder.db, { product: 'static-site' })
  const refused = await clouder.run(['subnets', 'set', 'local', '10.0.0.0/8', '--prefix-length', '24'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /A pool of \/8 has subnets of \/8 to \/20/)
  const { id } = await clouder.db.selectFrom('servers').select('id').executeTakeFirstOrThrow()
  await clouder.db.transaction().execute(async (tx) => {
    await keepForeignSubnets(tx, id, [{ range: '10.0.0.0/8', holder: 'route of tun0' }])
  })
  const full = await clouder.run(['subnets', 'show', 'local'])
  assert.equal(full.code, 7)
  assert.match(full.stdout, /10\.99\.0\.0\/28\s+env_\S+\s+harbour-bakery/)
  assert.match(full.stdout, /10\.0\.0\.0\/8\s+route of tun0\s+not ours/)
})
