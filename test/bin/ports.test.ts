import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { freePort, isPortFree, portNear, requirePort } from '#bin/platform/ports.ts'
import { PlatformProblem } from '#bin/platform/problem.ts'

async function takePort(t: TestContext): Promise<number> {
  const port = await freePort()
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return port
}

test('a taken port that a person chose is refused, with the holder and a command that works', async (t) => {
  const taken = await takePort(t)
  await assert.rejects(requirePort(taken, 'CLOUDER_PORT'), (error) => {
    assert.ok(error instanceof PlatformProblem)
    assert.match(error.facts.found, new RegExp(`Port ${taken} is taken`))
    const offered = /^CLOUDER_PORT=(\d+) npm start$/.exec(error.facts.command)?.[1]
    assert.ok(offered !== undefined && Number(offered) !== taken)
    return true
  })
})

test('a taken port that nobody chose gives way to the next free one', async (t) => {
  const taken = await takePort(t)
  const chosen = await portNear(taken)
  assert.ok(chosen > taken)
  assert.ok(await isPortFree(chosen))
})

test('a free port is taken as it is', async () => {
  const port = await freePort()
  assert.equal(await requirePort(port, 'CLOUDER_PORT'), port)
  assert.equal(await portNear(port), port)
})
