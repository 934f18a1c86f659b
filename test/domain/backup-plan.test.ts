import assert from 'node:assert/strict'
import test from 'node:test'
import { expiryOf, planBackup, planSafeUnbuild } from '#domain/backup-plan.ts'
import { instanceLabels, planBuild } from '#domain/build-plan.ts'
import { shop, shopInstance } from './application-fixture.ts'

const rule = { volumes: ['data'], before: [], after: [], isStopped: false }

test('the way back begins with the backup, before the first thing is removed', () => {
  const backup = planBackup(shop, shopInstance, ['data'])
  assert.ok(backup)
  assert.deepEqual(
    planSafeUnbuild(planBuild(shop, shopInstance), [backup]).map((step) => `${step.kind} ${step.name}`),
    [
      'backup acme_shop-1',
      'container acme_shop-1_web',
      'container acme_shop-1_database',
      'volume acme_shop-1_data',
      'network acme_network',
    ],
  )
})

test('every volume that was made is saved, while the containers are stopped, unless the application says otherwise', () => {
  const volumes = [{ volume: 'data', name: 'acme_shop-1_data' }]
  const usual = planBackup(shop, shopInstance, ['data'])
  assert.deepEqual([usual?.volumes, usual?.before, usual?.isStopped], [volumes, [], true])
  const before = [{ service: 'database', command: ['dump'] }]
  const said = planBackup({ ...shop, backup: { ...rule, before } }, shopInstance, ['data'])
  assert.deepEqual([said?.volumes, said?.before, said?.isStopped], [volumes, before, false])
})

test('what was not made, or is not wanted, is not saved', () => {
  assert.equal(planBackup(shop, shopInstance, []), null)
  assert.equal(planBackup({ ...shop, backup: { ...rule, volumes: [] } }, shopInstance, ['data']), null)
})

test('a new instance is filled after its volumes are made and before anything can write into them', () => {
  const copy = { volume: 'data', location: 'folder:a/data.tar', bytes: 1024, sha256: 'a'.repeat(64) }
  const gone = { ...copy, volume: 'of-an-older-version' }
  const steps = planBuild(shop, { ...shopInstance, restoreFrom: [copy, gone] })
  assert.deepEqual(
    steps.map((step) => step.kind),
    ['network', 'volume', 'restore', 'image', 'image', 'container', 'container', 'ready'],
  )
  assert.deepEqual(steps[2], {
    kind: 'restore',
    name: 'acme_shop-1',
    title: 'Restore of data',
    labels: instanceLabels(shopInstance),
    instance: shopInstance,
    copies: [{ ...copy, volume: 'acme_shop-1_data' }],
  })
})

test('thirty days are thirty times 24 hours, over a change of clocks too', () => {
  assert.equal(expiryOf('2026-03-01T12:00:00.000Z', 30), '2026-03-31T12:00:00Z')
})
