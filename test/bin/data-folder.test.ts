import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { ensureDataFolder, requireFreeDisk } from '#bin/platform/data-folder.ts'
import { PlatformProblem } from '#bin/platform/problem.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777

test('the key and the passwords are made once, readable by their owner only', (t) => {
  const path = join(temporaryFolder(t), 'data')
  const first = ensureDataFolder(path)
  const key = readFileSync(first.keyFile, 'utf8')
  assert.equal(Buffer.from(key, 'base64').length, 32)
  assert.equal(modeOf(first.keyFile), 0o400)
  assert.equal(modeOf(join(path, 'secrets.json')), 0o600)
  const second = ensureDataFolder(path)
  assert.deepEqual(second, first)
  assert.equal(readFileSync(second.keyFile, 'utf8'), key)
})

test('a disk with less room than wanted is refused before anything is started', (t) => {
  assert.throws(
    () => requireFreeDisk(temporaryFolder(t), 1e9),
    (error) => {
      assert.ok(error instanceof PlatformProblem)
      assert.match(error.facts.found, /GiB are free/)
      return true
    },
  )
})

test('a data folder that cannot be a folder is refused with another one to choose', (t) => {
  const file = join(temporaryFolder(t), 'file')
  writeFileSync(file, '')
  assert.throws(
    () => ensureDataFolder(file),
    (error) => {
      assert.ok(error instanceof PlatformProblem)
      assert.match(error.facts.command, /CLOUDER_DATA=/)
      return true
    },
  )
})
