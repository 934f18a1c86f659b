import assert from 'node:assert/strict'
import test from 'node:test'
import { checkApplication, parseApplication } from '#docker/compose/application.ts'

function file(backup: string): { code: string; text: string } {
  const text = `
services:
  db: { image: 'db:1', volumes: ['rows:/rows', 'dumps:/dumps'] }
volumes: { rows: {}, dumps: {} }
x-clouder:
  title: Shop
${backup}
`
  return { code: 'shop', text }
}

test('an application says which volumes are saved, and what makes them consistent', () => {
  const { backup } = parseApplication(
    file(`  backup:
    volumes: [dumps]
    before: [{ service: db, command: [dump, --to, /dumps/all] }]
    after: [{ service: db, command: [forget-dump] }]
    stop: false`),
  )
  assert.deepEqual(backup, {
    volumes: ['dumps'],
    before: [{ service: 'db', command: ['dump', '--to', '/dumps/all'] }],
    after: [{ service: 'db', command: ['forget-dump'] }],
    isStopped: false,
  })
})

test('what is not said is every volume, at rest', () => {
  assert.equal(parseApplication(file('')).backup, undefined)
  assert.deepEqual(parseApplication(file('  backup: {}')).backup, {
    volumes: ['rows', 'dumps'],
    before: [],
    after: [],
    isStopped: true,
  })
})

test('names that lead nowhere, commands for a shell and other keys are refused with their line', () => {
  const { status, findings } = checkApplication(
    file(`  backup:
    volumes: [rows, cache]
    before: [{ service: web, command: [dump] }]`),
    [],
  )
  assert.equal(status, 'refused')
  assert.deepEqual(
    findings.map(({ line, reason }) => [line, reason]),
    [
      [8, 'there is no volume cache'],
      [9, 'there is no service web'],
    ],
  )
  const wrong = checkApplication(
    file(`  backup:
    before: [{ service: db, command: dump all }]
    keep: 30`),
    [],
  )
  assert.equal(wrong.status, 'refused')
  assert.match(wrong.findings.map(({ reason }) => reason).join(), /is not a list.*keep is not a key/)
})
