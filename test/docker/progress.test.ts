import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDockerRunner } from '#docker/runner.ts'
import type { ImageStep } from '#domain/build-plan.ts'
import type { Runner } from '#domain/runner.ts'
import { until } from '#test/support/installation.ts'

/** An engine that pulls: it tells of so many layers, and after that of nothing, or of the end. */
let engine: Server
let layersThenSilence = 0
let layersThenEnd = 0
let ended = 0
let hasImage = false
let runner: Runner

before(async () => {
  engine = createServer((req, res) => {
    if (req.url?.includes('/images/create') !== true) {
      res.writeHead(hasImage ? 200 : 404, { 'content-type': 'application/json' })
      res.end(JSON.stringify(hasImage ? { Id: 'sha256:aa' } : { message: 'No such image' }))
      return
    }
    req.on('close', () => (ended += 1))
    res.writeHead(200, { 'content-type': 'application/json' })
    void pull(res)
  })
  await new Promise<void>((resolve) => void engine.listen(0, '127.0.0.1', resolve))
  const { port } = engine.address() as AddressInfo
  runner = createDockerRunner({
    dockerHost: `tcp://127.0.0.1:${port}`,
    applicationsFolder: '/nowhere',
    busyboxPath: '',
    silenceMs: 1_000,
  })
})
after(() => {
  engine.closeAllConnections()
  engine.close()
})

async function pull(res: { write: (text: string) => unknown; end: () => unknown }): Promise<void> {
  for (let layer = 0; layer < layersThenSilence + layersThenEnd; layer += 1) {
    res.write(`${JSON.stringify({ status: 'Downloading', progress: `layer ${layer}` })}\n`)
    await sleep(100)
  }
  if (layersThenEnd === 0) return
  hasImage = true
  res.end()
}

const step: ImageStep = {
  kind: 'image',
  name: 'shop:1',
  title: 'Image shop:1',
  labels: {},
  application: 'shop',
  image: { from: 'registry', reference: 'shop:1' },
}

function context() {
  const told: string[] = []
  const onProgress = (text: string): void => void told.push(text)
  return { told, ctx: { abortSignal: new AbortController().signal, secrets: {}, onProgress } }
}

test('a pull that tells of nothing for too long is ended as no progress, worth a retry', async () => {
  layersThenSilence = 2
  layersThenEnd = 0
  const { told, ctx } = context()
  await assert.rejects(async () => await runner.ensure(step, ctx), {
    name: 'NoProgress',
    code: 'no_progress',
    message: /no progress for 1 s/,
  })
  assert.ok(told.includes('Downloading layer 1'))
  // The engine is not left pulling for somebody who has gone.
  await until('the pull is ended', async () => ended > 0)
})

test('a pull that goes on telling takes as long as it takes', async () => {
  layersThenSilence = 0
  layersThenEnd = 15
  const { told, ctx } = context()
  const outcome = await runner.ensure(step, ctx)
  assert.equal(outcome.externalId, 'sha256:aa')
  assert.ok(told.includes('Downloading layer 14'))
})
