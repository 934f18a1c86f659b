import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { loaderFlags, projectFolder } from '#bin/platform/tools.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const page = new URL('../../api/pages/parts.tsx', import.meta.url).href

function load(cacheFolder: string, url = page) {
  const script = `const page = await import(${JSON.stringify(url)}); console.log(Object.keys(page).length > 0)`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...loaderFlags, '--input-type=module', '-e', script],
    {
      cwd: projectFolder,
      encoding: 'utf8',
      env: { ...process.env, XDG_CACHE_HOME: cacheFolder },
    },
  )
  return { stdout, stderr }
}

test('a page is transformed once, and taken as it is kept from then on', (t) => {
  const folder = temporaryFolder(t)
  assert.deepEqual(load(folder), { stdout: 'true\n', stderr: '' })
  const pages = join(folder, 'clouder/pages')
  const kept = readdirSync(pages)
  assert.deepEqual(load(folder), { stdout: 'true\n', stderr: '' })
  assert.deepEqual(readdirSync(pages), kept)
})

test('what is kept of another content, or was cut short, is not taken', (t) => {
  const folder = temporaryFolder(t)
  load(folder)
  const pages = join(folder, 'clouder/pages')
  for (const name of readdirSync(pages)) appendFileSync(join(pages, name), 'throw new Error("not this one")')
  assert.deepEqual(load(folder), { stdout: 'true\n', stderr: '' })
})

test('where nothing can be kept, a page is transformed each time', (t) => {
  const file = join(temporaryFolder(t), 'a-file')
  writeFileSync(file, '')
  assert.deepEqual(load(file), { stdout: 'true\n', stderr: '' })
})
