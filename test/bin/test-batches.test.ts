import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import test from 'node:test'
import { planBatches, writeBatches } from '#bin/platform/test-batches.ts'
import { findTestFiles } from '#bin/platform/test-files.ts'
import { projectFolder } from '#bin/platform/tools.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

test('every test file is in exactly one batch, and those that take longest begin first', () => {
  const files = findTestFiles([])
  const batches = planBatches(files)
  assert.deepEqual(batches.flatMap((batch) => batch.files).toSorted(), files)
  assert.equal(new Set(batches.map(({ name }) => name)).size, batches.length)
  assert.match(batches[0]?.name ?? '', /^test\/crash\//)
})

test('one file alone is a batch of its own, in the order in which the runner sorts', (t) => {
  const folder = temporaryFolder(t)
  const paths = writeBatches(planBatches(['test/domain/money.test.ts', 'test/bin/ports.test.ts']), folder)
  assert.equal(paths.length, 2)
  assert.deepEqual(paths.toSorted(), paths)
})

const told = `import test, { after, before } from 'node:test'
before(() => console.log('NAME begins'))
after(() => console.log('NAME ends'))
test('NAME is told', () => { if (NAME === 'third') throw new Error('it fails') })
`

test('each file of a batch has its own hooks around its own tests, and one that fails fails the run', (t) => {
  const folder = temporaryFolder(t)
  const files = ['first', 'second', 'third'].map((name) => {
    const file = join(folder, `${name}.mjs`)
    writeFileSync(file, told.replaceAll('NAME ===', `'${name}' ===`).replaceAll('NAME', name))
    return relative(projectFolder, file)
  })
  files.push(relative(projectFolder, join(folder, 'missing.mjs')))
  const [path = ''] = writeBatches([{ name: 'told', files }], join(folder, 'batches'))
  const { stdout, status } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', path], {
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  })
  const said = [...stdout.matchAll(/# (\w+ (?:begins|ends))$/gm)].map(([, line]) => line)
  assert.deepEqual(
    said,
    ['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  )
  assert.match(stdout, / ok 1 - first is told/)
  assert.match(stdout, /not ok 1 - third is told/)
  assert.match(stdout, /not ok 4 - .*missing\.mjs/)
  assert.equal(status, 1)
})
