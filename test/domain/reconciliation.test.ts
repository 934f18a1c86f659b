import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { planBuild, type EngineStep } from '#domain/build-plan.ts'
import { isUndoable, type Comparison, type RecordedResource, type WantedInstance } from '#domain/finding.ts'
import { compareServer } from '#domain/reconciliation.ts'
import { observedState, planRepair, planReplacement } from '#domain/repair.ts'
import type { ContainerObservation, ObservedObject } from '#domain/runner.ts'
import { shop, shopInstance } from './application-fixture.ts'

const images = ['web:1', 'database:1'].map((reference) => ({
  reference,
  repositoryDigest: `sha256:of-${reference}`,
  imageId: 'sha256:1',
}))
const steps = planBuild(shop, { ...shopInstance, images })
const { installation, instance } = shopInstance
const running: WantedInstance = { instance, environmentPrefix: 'acme', wants: 'running', steps, backup: null }
const web = 'acme_shop-1_web'
const database = 'acme_shop-1_database'
const data = 'acme_shop-1_data'

function container(name: string, changes: Partial<ContainerObservation> = {}): ContainerObservation {
  return {
    service: name.split('_').at(-1) ?? '',
    name,
    externalId: `id-of-${name}`,
    state: 'running',
    health: 'none',
    exitCode: null,
    restartCount: 0,
    isJob: false,
    imageDigest: 'sha256:1',
    hostPort: null,
    startedAt: null,
    differences: [],
    ...changes,
  }
}

function observe(step: EngineStep, changes: Partial<ContainerObservation> = {}): ObservedObject {
  assert.ok(isUndoable(step))
  const { kind, name, labels } = step
  const seen = kind === 'container' ? container(name, changes) : null
  return { kind, name, labels, externalId: `id-of-${name}`, container: seen }
}

const objects = steps.filter(isUndoable).map((step) => observe(step))
const recorded: RecordedResource[] = [
  ...objects.map(({ kind, name, externalId }) => ({ instance, kind, name, externalId })),
  { instance, kind: 'image', name: 'web:1', externalId: 'sha256:1' },
]

const sound: Comparison = { installation, wanted: [running], recorded, observed: objects }

function withContainer(name: string, changes: Partial<ContainerObservation>): Comparison {
  const observed = objects.map((object) =>
    object.name === name ? { ...object, container: container(name, changes) } : object,
  )
  return { ...sound, observed }
}

function without(...names: string[]): Comparison {
  return { ...sound, observed: objects.filter(({ name }) => !names.includes(name)) }
}

function tell(comparison: Comparison): string[] {
  return compareServer(comparison).map(
    ({ kind, objectName, isSafe }) => `${kind} ${objectName}${isSafe ? ', safe' : ''}`,
  )
}

test('what is as planned and as recorded gives nothing', () => {
  assert.deepEqual(compareServer(sound), [])
})

test('a stopped container is started again, unless it is made otherwise than planned', () => {
  assert.deepEqual(tell(withContainer(web, { state: 'exited', exitCode: 137 })), [`stopped ${web}, safe`])
  assert.deepEqual(
    tell(
      withContainer(web, {
        state: 'exited',
        differences: [{ key: 'memory_mib', wanted: '2', running: '1' }],
      }),
    ),
    [`wrong_configuration ${web}`, `stopped ${web}`],
  )
})

test('one that restarts is the engine’s, one that is paused is somebody’s, one that is unhealthy says so itself', () => {
  assert.deepEqual(tell(withContainer(web, { state: 'restarting', exitCode: 1 })), [`stopped ${web}`])
  assert.deepEqual(tell(withContainer(web, { state: 'paused' })), [`stopped ${web}`])
  assert.deepEqual(tell(withContainer(web, { health: 'unhealthy' })), [`unhealthy ${web}`])
  assert.deepEqual(tell(withContainer(web, { health: 'starting' })), [])
})

test('a job that ended with 0 is fine, and one that failed is not done again by itself', () => {
  const job = { isJob: true, state: 'exited' } as const
  assert.deepEqual(tell(withContainer(web, { ...job, exitCode: 0 })), [])
  assert.deepEqual(tell(withContainer(web, { ...job, exitCode: 3 })), [`stopped ${web}`])
})

test('a missing container is made again on its volume, a missing network too', () => {
  assert.deepEqual(tell(without(web, 'acme_network')), [
    'missing_network acme_network, safe',
    `missing_container ${web}, safe`,
  ])
})

test('a missing volume is never made again empty, and what needs it is not started', () => {
  const findings = compareServer(without(data, database))
  assert.deepEqual(
    findings.map(({ kind, severity, isSafe }) => [kind, severity, isSafe]),
    [
      ['missing_volume', 'critical', false],
      ['missing_container', 'critical', false],
    ],
  )
  assert.ok(planRepair(steps, findings).every(({ kind }) => kind !== 'volume'))
})

test('a missing volume is restored from a kept backup where there is one, else only the end is left', () => {
  const backup = {
    backup: 'bak_01kb0000000000000000000000',
    takenAt: '2026-11-20T10:00:00Z',
    customer: 'acme-ltd',
    product: 'shop',
  }
  const told = (kept: WantedInstance['backup']) => {
    const [found] = compareServer({ ...without(data), wanted: [{ ...running, backup: kept }] })
    assert.equal(found?.kind, 'missing_volume')
    return found
  }
  const cancel = `npx clouder cancel ${shopInstance.subscription}`
  assert.equal(told(null).command, cancel)
  const { command, detail } = told(backup)
  assert.equal(command, `npx clouder backups restore ${backup.backup} --customer acme-ltd --product shop`)
  assert.ok(detail.includes(`the backup of ${backup.takenAt}`) && detail.endsWith(cancel), detail)
})

test('a foreign object of our name is told once, whatever labels its image brought', () => {
  const foreign = objects.map((object) =>
    object.name === web
      ? { ...object, externalId: 'other', container: null, labels: { 'io.clouder.managed': 'true' } }
      : object,
  )
  assert.deepEqual(tell({ ...sound, observed: foreign }), [`foreign ${web}`])
})

test('another image than the one it was built with is told, and not replaced by itself', () => {
  const findings = compareServer(withContainer(web, { imageDigest: 'sha256:2' }))
  assert.deepEqual(
    findings.map(({ kind, isSafe, detail }) => [kind, isSafe, detail]),
    [['wrong_image', false, `Container ${web} runs sha256:2, built was sha256:1.`]],
  )
  assert.deepEqual(
    planReplacement(steps, findings).map(({ name }) => name),
    [web],
  )
})

test('a container of an earlier generation is not as planned', () => {
  const observed = objects.map((object) =>
    object.name === web ? { ...object, labels: { ...object.labels, 'io.clouder.generation': '2' } } : object,
  )
  assert.deepEqual(tell({ ...sound, observed }), [`wrong_configuration ${web}`])
})

test('what runs of a suspended instance is stopped, and what is missing of it is not started', () => {
  const wanted: WantedInstance[] = [{ ...running, wants: 'stopped' }]
  assert.deepEqual(tell({ ...sound, wanted }), [`started ${database}, safe`, `started ${web}, safe`])
  const stopped = without(web).observed.map((object) => ({
    ...object,
    container: object.container && { ...object.container, state: 'exited' as const },
  }))
  assert.deepEqual(tell({ ...sound, wanted, observed: stopped }), [`missing_container ${web}`])
})

test('of an instance at which something is at work nothing is said, whatever there is or is not', () => {
  const wanted: WantedInstance[] = [{ ...running, wants: 'nothing', steps: [] }]
  fc.assert(
    fc.property(fc.subarray(objects), fc.subarray(recorded), (observed, rows) => {
      assert.deepEqual(compareServer({ installation, wanted, observed, recorded: rows }), [])
    }),
  )
})

test('an object without a row is an orphan: written down on request where it is wanted, a command to remove it where not', () => {
  const unrecorded = { ...sound, recorded: recorded.filter(({ name }) => name !== web) }
  const [found, ...others] = compareServer(unrecorded)
  assert.deepEqual(
    [found?.kind, found?.command, others],
    ['orphan', `npx clouder instances repair ${instance}`, []],
  )
  const ended = compareServer({ ...sound, wanted: [] })
  assert.deepEqual(
    ended.map(({ kind, isSafe, instance: of, command }) => [kind, isSafe, of, command]),
    [
      ['orphan', false, null, 'docker network rm id-of-acme_network'],
      ['orphan', false, null, `docker volume rm id-of-${data}`],
      ['orphan', false, null, `docker container rm --force id-of-${database}`],
      ['orphan', false, null, `docker container rm --force id-of-${web}`],
    ],
  )
})

test('a row without an object is a ghost, and a row of another id follows the object', () => {
  const ended = { ...sound, wanted: [], observed: [] }
  assert.equal(tell(ended).filter((text) => text.startsWith('ghost') && text.endsWith(', safe')).length, 4)
  const moved = recorded.map((row) => (row.name === web ? { ...row, externalId: 'before' } : row))
  assert.deepEqual(tell({ ...sound, recorded: moved }), [`ghost ${web}, safe`])
})

test('a repair takes the image and what is broken, in the order of the plan', () => {
  const findings = compareServer(without(web, 'acme_network'))
  assert.deepEqual(
    planRepair(steps, findings).map(({ kind, name }) => `${kind} ${name}`),
    ['network acme_network', 'image web:1', `container ${web}`],
  )
})

test('whatever is missing or stopped, nothing unsafe is in a repair of what is safe, and no volume ever', () => {
  const states = ['running', 'exited', 'paused', 'restarting', 'dead', 'created'] as const
  fc.assert(
    fc.property(
      fc.subarray(objects),
      fc.array(fc.constantFrom(...states), { minLength: 5, maxLength: 5 }),
      (there, seen) => {
        const observed = there.map((object, index) => ({
          ...object,
          container: object.container && { ...object.container, state: seen[index] ?? 'running' },
        }))
        const safe = compareServer({ ...sound, observed }).filter(({ isSafe }) => isSafe)
        const repair = planRepair(steps, safe)
        const isDataGone = !there.some(({ name }) => name === data)
        assert.ok(repair.every(({ kind }) => kind !== 'volume'))
        if (isDataGone) assert.ok(repair.every(({ name }) => name !== database))
        const known = new Set(safe.map(({ objectName }) => objectName))
        assert.ok(repair.every(({ kind, name }) => kind === 'image' || known.has(name)))
      },
    ),
  )
})

test('what is seen of an instance is summed up, a missing container and a done job included', () => {
  const sum = (comparison: Comparison) =>
    observedState(
      running,
      comparison.observed.filter(({ kind }) => kind === 'container'),
    )
  assert.equal(sum(sound), 'running')
  assert.equal(sum(withContainer(web, { health: 'starting' })), 'starting')
  assert.equal(sum(withContainer(web, { health: 'unhealthy' })), 'degraded')
  assert.equal(sum(withContainer(web, { state: 'exited' })), 'degraded')
  assert.equal(sum(without(web)), 'degraded')
  assert.equal(sum(without(web, database)), 'absent')
  assert.equal(sum(withContainer(web, { isJob: true, state: 'exited', exitCode: 0 })), 'running')
  assert.equal(
    observedState(running, [observe(steps.at(-2) ?? assert.fail(), { state: 'exited' })]),
    'stopped',
  )
})
