import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { ensureDocker } from '#bin/platform/docker.ts'
import { PlatformProblem } from '#bin/platform/problem.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const note = () => undefined

/** A socket that answers one question, as an engine of that API version would. */
async function startFakeEngine(t: TestContext, apiVersion: string): Promise<string> {
  const socket = join(temporaryFolder(t), 'engine.sock')
  const server = createServer((_req, res) =>
    res.end(JSON.stringify({ Version: '99.0', ApiVersion: apiVersion })),
  )
  server.listen(socket)
  await once(server, 'listening')
  t.after(() => server.close())
  return `unix://${socket}`
}

test('the engine at DOCKER_HOST is used and never stopped by us', async (t) => {
  const host = await startFakeEngine(t, '1.41')
  const engine = await ensureDocker({ logFolder: '/nonexistent', note, env: { DOCKER_HOST: host } })
  assert.equal(engine?.host, host)
  assert.equal(engine?.origin, 'found')
  await engine?.stop()
  assert.ok(await ensureDocker({ logFolder: '/nonexistent', note, env: { DOCKER_HOST: host } }))
})

test('an engine that is too old is refused with both versions', async (t) => {
  const host = await startFakeEngine(t, '1.9')
  await assert.rejects(
    ensureDocker({ logFolder: '/nonexistent', note, env: { DOCKER_HOST: host } }),
    (error) => {
      assert.ok(error instanceof PlatformProblem)
      assert.match(error.facts.found, /API 1\.9/)
      assert.match(error.facts.wanted, /1\.41/)
      return true
    },
  )
})

test('a DOCKER_HOST where nobody answers is told, not silently replaced by another engine', async (t) => {
  const host = `unix://${join(temporaryFolder(t), 'nobody.sock')}`
  await assert.rejects(
    ensureDocker({ logFolder: '/nonexistent', note, env: { DOCKER_HOST: host } }),
    PlatformProblem,
  )
})
