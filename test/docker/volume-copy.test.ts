import assert from 'node:assert/strict'
import { readFile, readdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pack } from 'tar-stream'
import { Readable } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { planBuild, volumeName, type PlannedInstance, type SavedCopy } from '#domain/build-plan.ts'
import { readArchive, watched } from '#docker/backup/archive.ts'
import { backupsFolder, build, context, docker, dockerRunner, standIn, testInstance } from './support.ts'

const runner = dockerRunner()
const container = (instance: PlannedInstance): string => `${instance.environmentPrefix}_${instance.name}_web`

async function run(instance: PlannedInstance, line: string): Promise<string> {
  const argv = ['/bin/sh', '-c', line]
  const { exitCode, stdout, stderr } = await runner.execute(
    { container: container(instance), argv },
    context(),
  )
  assert.equal(exitCode, 0, stderr)
  return stdout
}

/** An instance whose volume holds files of every kind that people have. */
async function filledInstance(t: TestContext): Promise<PlannedInstance> {
  const instance = await testInstance(t)
  await build(runner, { definition: standIn, instance }, context())
  await run(
    instance,
    'cd /data && mkdir -p posts/empty && echo first > "posts/a post" && chmod 600 "posts/a post" && ln -s "a post" posts/link && ln posts/"a post" posts/hard && head -c 3000000 /dev/zero | tr "\\0" x > large',
  )
  return instance
}

async function save(instance: PlannedInstance): Promise<SavedCopy> {
  const volume = { volume: 'data', name: volumeName(instance, 'data') }
  return await runner.saveVolume({ instance, volume, key: `${instance.instance}/data.tar` }, context())
}

function pathOf(copy: SavedCopy): string {
  return join(backupsFolder, copy.location.replace('folder:', ''))
}

const listing = 'cd /data && find . -exec ls -ldn {} \\; | sed "s/  */ /g" | cut -d" " -f1,3,4,9- | sort'

test('a volume is saved, read back whole, and restored into a new instance with owners, rights and links', async (t) => {
  const instance = await filledInstance(t)
  const copy = await save(instance)
  assert.ok(copy.bytes > 3_000_000)
  assert.match(copy.sha256, /^[0-9a-f]{64}$/)
  const { entries } = await runner.verifyCopy(copy, context())
  assert.ok(entries >= 7)
  const restored = await testInstance(t, { restoreFrom: [copy] })
  const steps = planBuild(standIn, restored)
  assert.deepEqual(
    steps.map((step) => step.kind),
    ['network', 'volume', 'restore', 'image', 'container', 'ready'],
  )
  await build(runner, { definition: standIn, instance: restored }, context())
  assert.equal(await run(restored, listing), await run(instance, listing))
  assert.equal(await run(restored, 'cat /data/posts/hard; wc -c < /data/large'), 'first\n3000000\n')
  const left = await runner.list(restored, context())
  assert.deepEqual(left.map((one) => one.kind).sort(), ['container', 'network', 'volume'])
})

test('a step that restores may be repeated', async (t) => {
  const copy = await save(await filledInstance(t))
  const restored = await testInstance(t, { restoreFrom: [copy] })
  for (const step of planBuild(standIn, restored)) {
    await runner.ensure(step, context())
    if (step.kind === 'restore') await runner.ensure(step, context())
  }
  assert.equal(await run(restored, 'cat "/data/posts/a post"'), 'first\n')
})

test('a copy that is cut, changed or gone is refused, and nothing is restored of it', async (t) => {
  const instance = await filledInstance(t)
  const copy = await save(instance)
  const whole = await readFile(pathOf(copy))
  await truncate(pathOf(copy), 512 * 10)
  await assert.rejects(runner.verifyCopy(copy, context()), { code: 'backup_failed', message: /not whole/ })
  const changed = Buffer.from(whole)
  changed[whole.indexOf('xxxx') + 1000] = 0x41
  await writeFile(pathOf(copy), changed)
  await assert.rejects(runner.verifyCopy(copy, context()), { code: 'backup_failed', message: /checksum/ })
  const restored = await testInstance(t, { restoreFrom: [copy] })
  await assert.rejects(build(runner, { definition: standIn, instance: restored }, context()), {
    code: 'backup_failed',
  })
  assert.deepEqual(
    (await runner.list(restored, context())).filter((one) => one.kind === 'container'),
    [],
  )
  await runner.deleteCopy(copy.location, context())
  await runner.deleteCopy(copy.location, context())
  await assert.rejects(runner.verifyCopy(copy, context()), { code: 'backup_failed', message: /is not in/ })
})

test('a volume that is not there, or is of others, is not saved, and none is made', async (t) => {
  const instance = await testInstance(t)
  await assert.rejects(save(instance), { code: 'backup_failed', message: /not on the server/ })
  const name = volumeName(instance, 'data')
  await assert.rejects(docker.getVolume(name).inspect(), { statusCode: 404 })
  await docker.createVolume({ Name: name })
  t.after(() => docker.getVolume(name).remove())
  await assert.rejects(save(instance), { code: 'name_taken_on_server' })
})

test('what tries that were killed left is removed by the next: carriers and parts of files', async (t) => {
  const instance = await filledInstance(t)
  const copy = await save(instance)
  const part = `${pathOf(copy)}.0000.part`
  await writeFile(part, 'half')
  const labels = { ...(await docker.getContainer(container(instance)).inspect()).Config.Labels }
  const image = (await docker.getContainer(container(instance)).inspect()).Config.Image
  await docker.createContainer({
    Image: image,
    Labels: { ...labels, 'io.clouder.carrier': volumeName(instance, 'data') },
  })
  await save(instance)
  assert.deepEqual(await readdir(join(backupsFolder, instance.instance)), ['data.tar'])
  const containers = (await runner.list(instance, context())).filter((one) => one.kind === 'container')
  assert.deepEqual(
    containers.map((one) => one.name),
    [container(instance)],
  )
})

test('a signal ends a copy, and nothing of it stays', async (t) => {
  const instance = await filledInstance(t)
  const volume = { volume: 'data', name: volumeName(instance, 'data') }
  const stopped = AbortSignal.abort(new Error('stopped'))
  const key = `${instance.instance}/data.tar`
  await assert.rejects(
    runner.saveVolume({ instance, volume, key }, { ...context(), abortSignal: stopped }),
    /stopped/,
  )
  await assert.rejects(readdir(join(backupsFolder, instance.instance)), { code: 'ENOENT' })
})

async function archiveOf(files: Record<string, string>): Promise<Buffer> {
  const archive = pack()
  for (const [name, text] of Object.entries(files)) archive.entry({ name, mtime: new Date(0) }, text)
  archive.finalize()
  return await readAll(archive)
}

async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) if (part instanceof Uint8Array) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

test('an archive without its end is seen as short, wherever it was cut', async () => {
  const whole = await archiveOf({ a: 'x'.repeat(2000), b: 'y' })
  for (const length of [512, 700, whole.length - 1024, whole.length - 512, whole.length - 1]) {
    const { content, seen } = watched(Readable.from([whole.subarray(0, length)]), () => undefined)
    await readAll(content)
    assert.equal(seen().hasEnd, false, `${length} of ${whole.length}`)
  }
  const { content, seen } = watched(Readable.from([whole]), () => undefined)
  await readAll(content)
  assert.deepEqual([seen().hasEnd, seen().bytes], [true, whole.length])
})

test('two archives are of the same content in any order, and not when one byte or right differs', async () => {
  const digest = async (files: Record<string, string>) =>
    (await readArchive(Readable.from([await archiveOf(files)]))).digest
  const one = await digest({ a: '1', b: '2' })
  assert.equal(await digest({ b: '2', a: '1' }), one)
  assert.notEqual(await digest({ a: '1', b: '3' }), one)
  assert.notEqual(await digest({ a: '2', b: '1' }), one)
  await assert.rejects(readArchive(Readable.from([Buffer.alloc(700, 0x41)])))
})
