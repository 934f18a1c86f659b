import assert from 'node:assert/strict'
import test from 'node:test'
import { containerName } from '#domain/build-plan.ts'
import { build, context, dockerRunner, standIn, testInstance } from './support.ts'

const runner = dockerRunner()

test('a command inside a container', async (t) => {
  const instance = await testInstance(t)
  const container = containerName(instance, 'web')
  const ctx = context()
  await build(runner, { definition: standIn, instance }, ctx)

  await t.test('gets its arguments as they are: no shell reads them', async () => {
    const argument = '$(id); echo "$HOME" > /data/x'
    const result = await runner.execute({ container, argv: ['echo', argument] }, ctx)
    assert.deepEqual([result.exitCode, result.stdout], [0, `${argument}\n`])
  })

  await t.test('answers with its exit code and both outputs', async () => {
    const argv = ['sh', '-c', 'echo out; echo err >&2; exit 4']
    const { exitCode, stdout, stderr } = await runner.execute({ container, argv }, ctx)
    assert.deepEqual([exitCode, stdout, stderr], [4, 'out\n', 'err\n'])
  })

  await t.test('that is not in the image ends with 126 or 127', async () => {
    const { exitCode } = await runner.execute({ container, argv: ['/bin/no-such-program'] }, ctx)
    assert.ok(exitCode === 126 || exitCode === 127, String(exitCode))
  })

  await t.test('may print any amount, and 64 KiB of it are kept', async () => {
    const { stdout, exitCode } = await runner.execute(
      { container, argv: ['head', '-c', '3000000', '/dev/zero'] },
      ctx,
    )
    assert.equal(exitCode, 0)
    assert.ok(stdout.length > 60_000 && stdout.length <= 65_536, String(stdout.length))
  })

  await t.test('that does not end is given up at its deadline', async () => {
    const startedAt = performance.now()
    await assert.rejects(
      runner.execute({ container, argv: ['sleep', '20'], deadlineMs: 400 }, ctx),
      /within 400 ms/,
    )
    assert.ok(performance.now() - startedAt < 3_000)
  })

  await t.test('is given up when the caller goes', async () => {
    const leaving = new AbortController()
    const gone = runner.execute({ container, argv: ['sleep', '20'] }, { ...ctx, abortSignal: leaving.signal })
    setTimeout(() => leaving.abort(new Error('the worker stops')), 200)
    await assert.rejects(gone, /the worker stops/)
  })
})
