import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { build, sell } from '#test/pages/story.ts'
import { createClouder, type Clouder } from '#test/support/clouder.ts'
import { seedDrift, settleDrift, type DriftedInstance } from '#test/support/drift.ts'

let clouder: Clouder
let drifted: DriftedInstance
before(async () => {
  clouder = await createClouder()
  const sold = await sell(clouder.db, { product: 'static-site' })
  await build(clouder.db, sold, 'done')
  drifted = await seedDrift(clouder.db, sold.id, '2026-03-01T10:00:00Z')
})
after(async () => clouder.close())

async function done(args: string[]): Promise<string> {
  const ran = await clouder.run(args)
  assert.equal(ran.code, 0, ran.stderr)
  return ran.stdout
}

test('what is not as it should be is listed with the command that settles it, for people and for programs', async () => {
  const listed = await done(['instances', 'ls', '--drift'])
  for (const expected of ['critical', 'stopped', 'container harbour-bakery_site_web', drifted.instance])
    assert.ok(listed.includes(expected), `${expected} is not in ${listed}`)
  assert.ok(listed.includes(`npx clouder instances repair ${drifted.instance}`))
  const [found, ...others] = JSON.parse(await done(['instances', 'ls', '--drift', '--json'])) as unknown[]
  assert.partialDeepStrictEqual(found, { kind: 'stopped', is_safe: true, instance: drifted.instance })
  assert.deepEqual(others, [])
})

test('what was seen of an instance stands beside its state, with when', async () => {
  const listed = await done(['instances', 'ls'])
  assert.match(listed, /running\s+stopped\s+2026-03-01.10:00/)
})

test('a repair that is refused says why, and one that is left half says what is left', async () => {
  const { behaviour } = clouder.temporal
  const detail = 'Volume harbour-bakery_site_data is gone: it is not made again empty.'
  behaviour.onExecute = () => Promise.resolve({ refusal: { code: 'volume_missing', detail }, left: [] })
  const refused = await clouder.run(['instances', 'repair', drifted.instance])
  assert.equal(refused.code, 5)
  assert.ok(refused.stderr.includes(detail), refused.stderr)
  behaviour.onExecute = () => Promise.resolve({ refusal: null, left: ['unhealthy harbour-bakery_site_web'] })
  assert.match(
    await done(['instances', 'repair', drifted.instance]),
    /left\s+unhealthy harbour-bakery_site_web/,
  )
})

test('a repair is asked for in the name of the key, and leaves nothing in the list', async () => {
  const asked: unknown[] = []
  clouder.temporal.behaviour.onExecute = async ({ type, args }) => {
    asked.push([type, args])
    await settleDrift(clouder.db, drifted, '2026-03-01T10:01:00Z')
    return { refusal: null, left: [] }
  }
  const repaired = await done(['instances', 'repair', drifted.instance])
  assert.match(repaired, /observed\s+running/)
  assert.match(repaired, /left\s+nothing/)
  assert.partialDeepStrictEqual(asked, [['repair', [{ instanceId: drifted.instance }]]])
  const empty = await clouder.run(['instances', 'ls', '--drift'])
  assert.match(empty.stdout + empty.stderr, /None\. Everything that was looked at is as it should be\./)
})
