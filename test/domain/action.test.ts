import assert from 'node:assert/strict'
import test from 'node:test'
import { actionCommand, findAction, readActionAnswers, type ActionDefinition } from '#domain/action.ts'
import type { OrderField } from '#domain/order-field.ts'

const field = (code: string, of: Partial<OrderField> = {}): OrderField => ({
  code,
  title: code,
  kind: 'text',
  isRequired: false,
  variable: null,
  least: null,
  greatest: null,
  pattern: null,
  choices: [],
  ...of,
})

const purge: ActionDefinition = {
  code: 'purge',
  title: 'Purge',
  right: 'customer',
  service: 'web',
  command: ['purge', '{path}', '--depth={depth}', '{depth}'],
  fields: [field('path'), field('depth', { kind: 'number' }), field('token', { kind: 'secret' })],
  confirmation: null,
  timeoutS: 30,
}

test('an answer replaces whole arguments only, and one that was not given leaves its argument out', () => {
  assert.deepEqual(actionCommand(purge, { path: '/a b; rm -rf /' }), [
    'purge',
    '/a b; rm -rf /',
    '--depth={depth}',
  ])
  assert.deepEqual(actionCommand(purge, { depth: '2' }), ['purge', '--depth={depth}', '2'])
})

test('what is secret is no argument', () => {
  assert.deepEqual(readActionAnswers(purge, { path: '/', token: 'hush' }), {
    plain: { path: '/' },
    secret: 'hush',
  })
})

test('an answer that a command could take for an option is refused, a negative number is not', () => {
  assert.throws(() => readActionAnswers(purge, { path: '--all' }), { code: 'field_invalid' })
  assert.deepEqual(readActionAnswers(purge, { depth: '-1' }).plain, { depth: '-1' })
})

test('what is not asked is refused, and what is needed is missed', () => {
  assert.throws(() => readActionAnswers(purge, { other: 'x' }), { code: 'field_invalid' })
  const needing = { ...purge, fields: [field('path', { isRequired: true })] }
  assert.throws(() => readActionAnswers(needing, {}), { code: 'field_required' })
})

test('an action that the application does not have is not found', () => {
  assert.equal(findAction([purge], 'purge'), purge)
  assert.throws(() => findAction([purge], 'clear'), { code: 'not_found' })
  assert.throws(() => findAction(undefined, 'clear'), { code: 'not_found' })
})
