import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { Client } from 'pg'
import { freePort } from '#bin/platform/ports.ts'
import { ensurePostgres } from '#bin/platform/postgres.ts'
import { PlatformProblem } from '#bin/platform/problem.ts'
import { isAlive, stopProcess } from '#bin/platform/process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

async function startPostgres(t: TestContext, folder: string, env: NodeJS.ProcessEnv = {}) {
  let pid = 0
  const server = await ensurePostgres({
    folder: join(folder, 'postgres'),
    port: await freePort(),
    password: 'test',
    database: 'clouder',
    logFile: join(folder, 'postgres.log'),
    note: () => undefined,
    onProcess: (started) => {
      pid = started
      t.after(() => stopProcess(started, 'SIGINT', 20_000))
    },
    env,
  })
  return { ...server, pid }
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('a start over a server that a killed start left finds what was committed', async (t) => {
  const folder = temporaryFolder(t)
  const first = await startPostgres(t, folder)
  await query(first.url, 'create table kept (n int); insert into kept values (42)')
  const second = await startPostgres(t, folder)
  assert.equal(isAlive(first.pid), false, 'two servers never share a folder')
  assert.deepEqual(await query(second.url, 'select n from kept'), [{ n: 42 }])
  await stopProcess(second.pid, 'SIGKILL', 5_000)
  const third = await startPostgres(t, folder)
  assert.deepEqual(await query(third.url, 'select n from kept'), [{ n: 42 }])
})

test('a folder that holds something else is refused and left as it is', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'postgres'))
  writeFileSync(join(folder, 'postgres', 'letters.txt'), 'dear reader')
  await assert.rejects(startPostgres(t, folder), (error) => {
    assert.ok(error instanceof PlatformProblem)
    assert.match(error.facts.found, /holds files/)
    return true
  })
})

test('a DATABASE_URL where nobody answers is told, without its password', async (t) => {
  const env = { DATABASE_URL: `postgres://clouder:hunter2@127.0.0.1:${await freePort()}/clouder` }
  await assert.rejects(startPostgres(t, temporaryFolder(t), env), (error) => {
    assert.ok(error instanceof PlatformProblem)
    assert.doesNotMatch(JSON.stringify(error.facts), /hunter2/)
    return true
  })
})
