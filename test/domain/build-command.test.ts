import assert from 'node:assert/strict'
import test from 'node:test'
import { refuseBuildCommand, type BuildStanding, type CommandedStep } from '#domain/build-command.ts'

const running: BuildStanding = { kind: 'build', state: 'running', canRetry: false, isUndoing: false }
const done: BuildStanding = { ...running, state: 'done' }
const parked: BuildStanding = { ...running, state: 'undone', canRetry: true, isUndoing: true }
const undoing: BuildStanding = { ...running, isUndoing: true }
const unbuild: BuildStanding = { ...running, kind: 'unbuild' }

const step = (kind: CommandedStep['kind'], state: CommandedStep['state'] = 'running') => ({ kind, state })

test('a build is cancelled while it is planned or running, an unbuild never', () => {
  assert.equal(refuseBuildCommand('cancel', running, null), undefined)
  assert.equal(refuseBuildCommand('cancel', { ...running, state: 'planned' }, null), undefined)
  assert.match(refuseBuildCommand('cancel', done, null) ?? '', /is done/)
  assert.match(refuseBuildCommand('cancel', unbuild, null) ?? '', /does not come back/)
})

test('what is under way is resumed from a step that has begun; what has ended is retried', () => {
  assert.equal(refuseBuildCommand('resume', running, step('container')), undefined)
  assert.equal(refuseBuildCommand('resume', unbuild, step('volume', 'done')), undefined)
  assert.match(refuseBuildCommand('resume', running, step('container', 'planned')) ?? '', /not begun/)
  assert.match(refuseBuildCommand('resume', parked, step('container', 'undone')) ?? '', /retry it/)
})

test('only a look, a restore and a peer are skipped', () => {
  const kinds = ['network', 'volume', 'restore', 'image', 'container', 'ready', 'peer', 'backup'] as const
  const can = kinds.filter((kind) => refuseBuildCommand('skip', running, step(kind)) === undefined)
  assert.deepEqual(can, ['restore', 'ready', 'peer'])
})

test('what a person can see to is marked as done', () => {
  const kinds = ['network', 'volume', 'restore', 'image', 'container', 'ready', 'backup'] as const
  const can = kinds.filter((kind) => refuseBuildCommand('mark_done', running, step(kind)) === undefined)
  assert.deepEqual(can, ['restore', 'image', 'ready'])
})

test('a decision about a step of a build that failed holds for its retry', () => {
  assert.equal(refuseBuildCommand('skip', parked, step('ready', 'failed')), undefined)
  assert.equal(refuseBuildCommand('mark_done', parked, step('ready', 'undone')), undefined)
})

test('a step that is done, and a build that is over or being undone, take no decision', () => {
  assert.match(refuseBuildCommand('skip', running, step('ready', 'done')) ?? '', /is done/)
  assert.match(refuseBuildCommand('skip', done, step('ready', 'done')) ?? '', /is done/)
  assert.match(refuseBuildCommand('skip', undoing, step('ready')) ?? '', /being undone/)
})
