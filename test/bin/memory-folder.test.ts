import assert from 'node:assert/strict'
import { existsSync, lstatSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { linkToMemory } from '#bin/platform/memory-folder.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

test('where memory has room, a folder is there and linked from its place', (t) => {
  const [memory, place] = [temporaryFolder(t), join(temporaryFolder(t), 'postgres')]
  assert.equal(linkToMemory(place, memory, 0), true)
  assert.equal(lstatSync(place).isSymbolicLink(), true)
  assert.equal(dirname(realpathSync(place)), realpathSync(memory))
})

test('where memory has too little room, or there is none, the place stays free', (t) => {
  const [memory, place] = [temporaryFolder(t), join(temporaryFolder(t), 'postgres')]
  assert.equal(linkToMemory(place, memory, 1e9), false)
  assert.equal(linkToMemory(place, join(memory, 'none'), 0.001), false)
  assert.equal(existsSync(place), false)
})
