import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { ensureTemporalCommand } from '#bin/platform/temporal-command.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

/** A command that only knows its version, as `temporal --version` prints it. */
function writeCommand(folder: string, version: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'temporal'), `#!/bin/sh\necho 'temporal version ${version}'\n`, { mode: 0o755 })
}

const ignoreNote = () => undefined

test('a temporal on the PATH is used, also one built from source', async (t) => {
  const folder = temporaryFolder(t)
  writeCommand(folder, '0.0.0-DEV (Server 1.29.1, UI 2.42.1)')
  const env = { PATH: `${folder}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') }
  assert.equal(await ensureTemporalCommand(ignoreNote, env), 'temporal')
})

test('a temporal that is too old is passed over for the cached one', async (t) => {
  const folder = temporaryFolder(t)
  writeCommand(folder, '1.0.0 (Server 1.24.2, UI 2.30.3)')
  const cached = join(folder, 'cache', 'clouder', 'temporal-1.5.1')
  writeCommand(cached, '1.5.1 (Server 1.29.1, UI 2.42.1)')
  const env = { PATH: `${folder}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') }
  assert.equal(await ensureTemporalCommand(ignoreNote, env), join(cached, 'temporal'))
})
