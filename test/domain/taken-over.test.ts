import assert from 'node:assert/strict'
import test from 'node:test'
import { planBuild } from '#domain/build-plan.ts'
import { ownership } from '#domain/ownership.ts'
import { isOfTakeOver, labelsHere } from '#domain/taken-over.ts'
import { shop, shopInstance } from './application-fixture.ts'

const id = 'a'.repeat(64)
const takenOver = {
  generation: 1,
  containers: { web: { name: 'legacy-web-1', id }, database: { name: 'legacy-db-1', id: 'b'.repeat(64) } },
  volumes: { data: 'legacy_data' },
}
const steps = planBuild(shop, { ...shopInstance, generation: 1, takenOver })
const web = steps.find((step) => step.kind === 'container' && step.service === 'web') ?? assert.fail()

test('what was taken over is planned under the names that it has, and others than its volumes are mounted by nothing', () => {
  const names = steps.filter(({ kind }) => kind === 'container' || kind === 'volume').map(({ name }) => name)
  assert.deepEqual(names, ['legacy_data', 'legacy-db-1', 'legacy-web-1'])
  assert.partialDeepStrictEqual(web, {
    takenOverId: id,
    takenOverVolumes: ['legacy_data'],
    dependsOn: [{ service: 'legacy-db-1', condition: 'started' }],
  })
  const mounts = steps.flatMap((step) => (step.kind === 'container' ? step.mounts : []))
  assert.deepEqual(
    mounts.map(({ volume }) => volume),
    ['legacy_data'],
  )
})

test('only the object with the very id is ours without labels; one that took its name is foreign', () => {
  const owner = (externalId: string) => ownership(labelsHere(web, { externalId, labels: null }), web.labels)
  assert.deepEqual([owner(id), owner('c'.repeat(64))], ['same', 'foreign'])
})

test('what another installation made on the same server is foreign, also where it is named by its very id', () => {
  const owner = (installation: string) =>
    ownership(
      labelsHere(web, { externalId: id, labels: { 'io.clouder.installation': installation } }),
      web.labels,
    )
  assert.deepEqual(
    [owner('ins_another'), owner(web.labels['io.clouder.installation'] ?? '')],
    ['foreign', 'same'],
  )
})

test('one whose service is to be made anew is of an older generation, whatever its row says', () => {
  const again = planBuild(shop, { ...shopInstance, generation: 1, takenOver, serviceGenerations: { web: 2 } })
  const step = again.find((one) => one.kind === 'container' && one.service === 'web') ?? assert.fail()
  assert.equal(ownership(labelsHere(step, { externalId: id, labels: {} }), step.labels), 'older')
})

test('a volume is known by its name, a container by its id alone', () => {
  const isOf = (kind: string, externalId: string, name: string) =>
    isOfTakeOver({ takenOver }, { kind, externalId, name })
  assert.equal(isOf('container', id, 'renamed'), true)
  assert.equal(isOf('container', 'c'.repeat(64), 'legacy-web-1'), false)
  assert.equal(isOf('volume', 'legacy_data', 'legacy_data'), true)
  assert.equal(isOf('volume', 'legacy_data2', 'legacy_data2'), false)
  assert.equal(isOf('network', id, 'legacy-web-1'), false)
})
