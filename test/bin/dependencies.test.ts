import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { projectFolder } from '#bin/platform/tools.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

/** A tiny project with our first stage, and an npm that only writes down that it was called. */
function makeProject(t: TestContext, npmExitCode = 0) {
  const root = temporaryFolder(t)
  for (const folder of ['bin/platform', 'tools']) mkdirSync(join(root, folder), { recursive: true })
  for (const file of ['bin/clouder.mjs', 'bin/platform/dependencies.mjs', 'bin/platform/loader.mjs']) {
    copyFileSync(join(projectFolder, file), join(root, file))
  }
  writeFileSync(join(root, 'bin/clouder.ts'), 'console.log(process.argv.slice(2).join()); process.exit(7)')
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  writeLock(root, '1.0.0')
  const installed = `
    mkdir -p node_modules/.bin
    ln -sf ${process.execPath} node_modules/.bin/node
    cp package-lock.json node_modules/.package-lock.json`
  const npm = `#!/bin/sh\n[ "$1" = ci ] || exit 0\necho called >> npm-calls\necho 'the mirror is away' >&2\n`
  const body = npmExitCode === 0 ? installed : `exit ${npmExitCode}`
  writeFileSync(join(root, 'tools/npm'), `${npm}${body}\n`, { mode: 0o755 })
  return {
    root,
    run: () =>
      spawnSync(process.execPath, ['bin/clouder.mjs', 'a', 'b'], {
        cwd: root,
        encoding: 'utf8',
        env: { PATH: `${join(root, 'tools')}:/usr/bin:/bin` },
      }),
    installs: () =>
      existsSync(join(root, 'npm-calls')) ? readFileSync(join(root, 'npm-calls'), 'utf8') : '',
  }
}

function writeLock(root: string, version: string): void {
  const packages = { '': {}, 'node_modules/thing': { version } }
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
}

test('the first run installs, the next one does not, and arguments and exit code pass through', (t) => {
  const project = makeProject(t)
  const first = project.run()
  assert.equal(first.stdout, 'a,b\n')
  assert.equal(first.status, 7)
  assert.equal(project.run().status, 7)
  assert.equal(project.installs(), 'called\n')
})

test('a changed lock file installs again', (t) => {
  const project = makeProject(t)
  project.run()
  writeLock(project.root, '2.0.0')
  project.run()
  assert.equal(project.installs(), 'called\ncalled\n')
})

test('what somebody installed by hand, as locked, is not installed again', (t) => {
  const project = makeProject(t)
  spawnSync('sh', ['tools/npm', 'ci'], { cwd: project.root })
  project.run()
  assert.equal(project.installs(), 'called\n', 'only by hand')
})

test('an installation that fails shows why and what helps', (t) => {
  const { status, stderr } = makeProject(t, 1).run()
  assert.equal(status, 1)
  assert.match(stderr, /the mirror is away/)
  assert.match(stderr, /what helps/)
})
