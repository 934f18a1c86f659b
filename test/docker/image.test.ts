import assert from 'node:assert/strict'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { ImageStep } from '#domain/build-plan.ts'
import { readApplication } from '#docker/applications.ts'
import { createDockerRunner } from '#docker/runner.ts'
import { applicationsFolder, context, docker, dockerRunner, freePort } from './support.ts'

const runner = dockerRunner()

function pulled(reference: string): ImageStep {
  const image = { from: 'registry', reference } as const
  return { kind: 'image', name: reference, title: reference, labels: {}, application: 'test', image }
}

/** A registry on the loopback, which engines talk to without TLS. */
async function registry(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const address = server.address()
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

test('an image that the registry does not have is unknown', async (t) => {
  const host = await registry(t, (req, res) => {
    res.statusCode = req.url === '/v2/' ? 200 : 404
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }))
  })
  await assert.rejects(runner.ensure(pulled(`${host}/no/such:1`), context()), { code: 'image_unknown' })
})

test('a registry whose name cannot be looked up is unreachable, and no retry helps', async () => {
  await assert.rejects(runner.ensure(pulled('registry.invalid/some/image:1'), context()), {
    name: 'BusinessError',
    code: 'image_unreachable',
    message: /no registry is reachable/,
  })
})

test('a registry that fails, or does not answer, is worth a retry', async (t) => {
  const failing = await registry(t, (_req, res) => {
    res.statusCode = 503
    res.end('later')
  })
  for (const host of [failing, `127.0.0.1:${await freePort()}`]) {
    await assert.rejects(runner.ensure(pulled(`${host}/some/image:1`), context()), { name: 'EngineError' })
  }
})

test('a stand-in image is named by its content, and built from local parts without any registry', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'clouder-image-'))
  t.after(() => rm(folder, { recursive: true }))
  await cp(join(applicationsFolder, 'static-site'), join(folder, 'static-site'), { recursive: true })
  const original = await readApplication(folder, 'static-site')
  await writeFile(join(folder, 'static-site/image/www/index.html'), `<p>${process.pid}</p>`)
  const changed = await readApplication(folder, 'static-site')
  const image = changed.services[0]?.image
  const old = original.services[0]?.image
  assert.ok(image && old)
  assert.notEqual(image.reference, old.reference)
  assert.match(image.reference, /^clouder\/demo-static-site:[0-9a-f]{12}$/)

  const own = createDockerRunner({
    applicationsFolder: folder,
    busyboxPath: process.env['CLOUDER_BUSYBOX'] ?? '/bin/busybox',
  })
  const step: ImageStep = { ...pulled(image.reference), application: 'static-site', image }
  t.after(() => docker.getImage(image.reference).remove())
  const first = await own.ensure(step, context())
  assert.deepEqual([first.isAdopted, /built from local parts/.test(first.detail)], [false, true])
  assert.equal((await own.ensure(step, context())).isAdopted, true)

  await writeFile(join(folder, 'static-site/image/www/index.html'), '<p>other</p>')
  const reference = `clouder/demo-static-site:${process.pid}`
  const stale: ImageStep = { ...step, image: { ...image, reference } }
  await assert.rejects(own.ensure(stale, context()), { code: 'image_unknown', message: /have changed/ })
})

test('a Dockerfile that cannot be built is told with the reason of the engine', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'clouder-image-'))
  t.after(() => rm(folder, { recursive: true }))
  await cp(join(applicationsFolder, 'static-site'), join(folder, 'static-site'), { recursive: true })
  await writeFile(join(folder, 'static-site/image/Dockerfile'), 'ARG BASE=x\nFROM ${BASE}\nRUN exit 7\n')
  const image = (await readApplication(folder, 'static-site')).services[0]?.image
  assert.ok(image)
  const own = createDockerRunner({
    applicationsFolder: folder,
    busyboxPath: process.env['CLOUDER_BUSYBOX'] ?? '/bin/busybox',
  })
  const step: ImageStep = { ...pulled(image.reference), application: 'static-site', image }
  await assert.rejects(own.ensure(step, context()), { code: 'image_unknown', message: /non-zero code: 7/ })
})

test('an engine that is not there is worth a retry and says what was attempted', async () => {
  const away = createDockerRunner({
    applicationsFolder,
    busyboxPath: '',
    dockerHost: 'unix:///no/such/socket',
  })
  await assert.rejects(away.testConnection(context()), { name: 'EngineError', message: /reach the engine/ })
})

test('the engine describes itself', async () => {
  const server = await runner.describe(context())
  assert.equal(server.runner, 'docker')
  assert.match(server.apiVersion, /^1\.\d+$/)
  assert.ok(server.cpus > 0 && server.memoryMib > 0)
})
