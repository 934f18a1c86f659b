import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { connectEngine } from '#docker/engine.ts'
import { ensurePackageBase, type PackageArchive } from '#docker/package-base.ts'
import { context } from './support.ts'

/** An engine that has no image, and whose registry's name cannot be looked up; what is imported is noted. */
async function engineWithoutRegistry(t: TestContext) {
  const imported: string[] = []
  const server = createServer((req, res) => {
    req.resume().once('end', () => {
      const url = new URL(req.url ?? '', 'http://engine')
      const isImport = url.searchParams.get('fromSrc') === '-'
      if (isImport) imported.push(`${url.searchParams.get('repo')}:${url.searchParams.get('tag')}`)
      const message = 'Get "https://registry.example/v2/": lookup registry.example: no such host'
      const status = isImport ? 200 : req.method === 'GET' ? 404 : 500
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { docker: connectEngine(`tcp://127.0.0.1:${port}`), imported }
}

test('where no base can be made and no registry answers, the build is refused, and told what helps', async (t) => {
  const { docker } = await engineWithoutRegistry(t)
  await assert.rejects(ensurePackageBase(docker, undefined, context()), {
    code: 'image_unreachable',
    message:
      /debootstrap is not here.*apt-get install debootstrap, start the worker again as root, then retry/,
  })
})

test('a base that cannot be made, because the mirror does not answer, says so', async (t) => {
  const { docker } = await engineWithoutRegistry(t)
  const make = () => Promise.reject(new Error('E: Failed getting release file'))
  await assert.rejects(ensurePackageBase(docker, { contentHash: 'abc', make }, context()), {
    code: 'image_unreachable',
    message: /E: Failed getting release file.*package mirror, then retry/,
  })
})

test('two builds that begin together make one base', async (t) => {
  const { docker, imported } = await engineWithoutRegistry(t)
  let made = 0
  const archive: PackageArchive = {
    contentHash: 'abc',
    make: async (_abortSignal, use) => {
      made += 1
      await use(Readable.from(['a tar file']))
    },
  }
  const build = async () => await ensurePackageBase(docker, archive, context())
  assert.deepEqual(await Promise.all([build(), build()]), [
    'clouder/package-base:abc',
    'clouder/package-base:abc',
  ])
  assert.deepEqual([made, imported], [1, ['clouder/package-base:abc']])
})
