import assert from 'node:assert/strict'
import test from 'node:test'
import type { MetricDefinition, MetricSource } from '#domain/application.ts'
import { containerName, volumeName } from '#domain/build-plan.ts'
import type { InstanceRef } from '#domain/runner.ts'
import { sumOfSamples } from '#docker/metrics/http.ts'
import { linesOf } from '#docker/metrics/log-lines.ts'
import { build, context, docker, dockerRunner, standIn, testInstance } from './support.ts'

const runner = dockerRunner()

function metric(code: string, unit: string, source: MetricSource): MetricDefinition {
  return { code, title: code, unit, kind: 'gauge', aggregation: 'max', source }
}

/** Two files served beside the application, by the same image. */
async function serve(ref: InstanceRef): Promise<void> {
  const container = containerName(ref.instance, 'web')
  const json = '{"users": {"active/now": 7, "share": 2.5e-3}, "text": "many"}'
  const samples = 'jobs_total{queue="mail"} 4\njobs_total{queue="print"} 1.5e1\n'
  const script = `mkdir -p /tmp/www && printf '%s' '${json}' > /tmp/www/status && printf '${samples.replaceAll('\n', String.raw`\n`)}' > /tmp/www/metrics && httpd -p 9000 -h /tmp/www`
  const { exitCode, stderr } = await runner.execute({ container, argv: ['/bin/sh', '-c', script] }, context())
  assert.equal(exitCode, 0, stderr)
}

test('one look reads every source, and one that fails or hangs is told and stops no other', async (t) => {
  const instance = await testInstance(t)
  const at = { service: 'web', port: 9000 }
  const metrics = [
    metric('cpu', 'second', { type: 'engine-cpu' }),
    metric('memory', 'MiB', { type: 'engine-memory' }),
    metric('io', 'MiB', { type: 'engine-block-io' }),
    metric('users', 'user', { type: 'http-json', ...at, path: '/status', pointer: '/users/active~1now' }),
    metric('share', 'piece', { type: 'http-json', ...at, path: '/status', pointer: '/users/share' }),
    metric('jobs', 'piece', { type: 'prometheus', ...at, series: 'jobs_total' }),
    metric('mail', 'piece', { type: 'prometheus', ...at, series: 'jobs_total', labels: { queue: 'mail' } }),
    metric('text', 'piece', { type: 'http-json', ...at, path: '/status', pointer: '/text' }),
    metric('missing', 'piece', { type: 'http-json', ...at, path: '/nothing', pointer: '' }),
    metric('refused', 'piece', { type: 'prometheus', service: 'web', port: 9999, series: 'jobs_total' }),
    metric('broken', 'piece', { type: 'command', service: 'web', command: ['/bin/false'] }),
    metric('silent', 'piece', { type: 'command', service: 'web', command: ['/bin/true'] }),
    metric('absent', 'piece', { type: 'http-json', ...at, path: '/status', pointer: '/users/nobody' }),
    metric('hanging', 'piece', { type: 'http-json', service: 'web', port: 9001, path: '/', pointer: '' }),
  ]
  const ref = { definition: { ...standIn, metrics }, instance }
  const ctx = context()
  await build(runner, ref, ctx)
  await serve(ref)
  const container = containerName(instance, 'web')
  // Takes connections and answers none.
  const listen = runner.execute(
    { container, argv: ['/bin/sh', '-c', 'sleep 12 | nc -l -p 9001 >/dev/null'] },
    ctx,
  )
  await new Promise((resolve) => setTimeout(resolve, 500))
  const fetched = t.mock.method(globalThis, 'fetch')
  const { readings, failures } = await runner.readMetrics(ref, ctx)
  // The read has given up: nobody needs the listener any more.
  await runner.execute({ container, argv: ['busybox', 'killall', 'sleep'] }, ctx)
  await listen
  const asked = fetched.mock.calls.map(({ arguments: [address] }) =>
    typeof address === 'string' ? address : '',
  )
  for (const path of ['/status', '/metrics'])
    assert.equal(asked.filter((address) => address.endsWith(`:9000${path}`)).length, 1, path)
  const valueOf = (code: string) => readings.find((one) => one.metric === code)?.value
  assert.deepEqual(
    ['users', 'share', 'jobs', 'mail'].map((code) => valueOf(code)),
    ['7', '0.0025', '19', '4'],
  )
  assert.match(valueOf('cpu') ?? '', /^\d+\.\d{9}$/)
  assert.ok(Number(valueOf('cpu')) > 0 && Number(valueOf('memory')) > 0 && Number(valueOf('io')) >= 0)
  const told = new Map(failures.map((failure) => [failure.metric, failure.detail]))
  assert.deepEqual([...told.keys()], ['text', 'missing', 'refused', 'broken', 'silent', 'absent', 'hanging'])
  const withoutValue = failures.filter(({ code }) => code === 'reading_without_value')
  assert.deepEqual(
    withoutValue.map((failure) => failure.metric),
    ['silent', 'absent'],
  )
  assert.match(told.get('text') ?? '', /no number from 0 at \/text/)
  assert.match(told.get('missing') ?? '', /answered 404/)
  assert.match(told.get('broken') ?? '', /ended with 1/)
  assert.match(told.get('refused') ?? '', /ECONNREFUSED/)
  assert.match(told.get('hanging') ?? '', /no value within 5 s/)
})

const text = `# HELP requests_total Answered.
# TYPE requests_total counter
requests_total{code="200",path="/a\\"b"} 1027 1395066363000
requests_total{code="500"} 3
requests_total_created 5
temperature -3
ratio NaN`

test('D-03 the disk of a volume is what it holds, whether its container runs or not; other volumes are not in it', async (t) => {
  const instance = await testInstance(t)
  const source = { type: 'volume-disk', volume: 'data' }
  const ref = { definition: { ...standIn, metrics: [metric('disk', 'B', source)] }, instance }
  const ctx = context()
  await build(runner, ref, ctx)
  const held = async () => {
    const { readings, failures } = await runner.readMetrics(ref, ctx)
    assert.deepEqual(failures, [])
    const [reading, ...others] = readings
    assert.deepEqual(
      [others, reading?.series, reading?.unit],
      [[], `volume:${volumeName(instance, 'data')}`, 'B'],
    )
    return Number(reading?.value)
  }
  const before = await held()
  const container = containerName(instance, 'web')
  const write = async (path: string, mebibytes: number) => {
    const argv = ['dd', 'if=/dev/zero', `of=${path}`, 'bs=1048576', `count=${mebibytes}`]
    const { exitCode, stderr } = await runner.execute({ container, argv }, ctx)
    assert.equal(exitCode, 0, stderr)
  }
  const [mount] = standIn.services[0]?.mounts ?? []
  await write(`${mount?.path}/fill`, 3)
  await write('/tmp/elsewhere', 2)
  // What a filesystem adds for a file is less than a block of a file that is written in full.
  const grown = (await held()) - before
  assert.ok(grown >= 3 * 2 ** 20 && grown < 4 * 2 ** 20, `${grown} bytes`)
  await runner.stop(ref, ctx)
  assert.equal((await held()) - before, grown)
})

test('samples of a series are summed exactly, by labels too, and only what is a number from 0', () => {
  assert.equal(sumOfSamples(text, 'requests_total', {}), '1030')
  assert.equal(sumOfSamples(text, 'requests_total', { code: '500' }), '3')
  assert.equal(sumOfSamples(text, 'requests_total', { path: '/a"b' }), '1027')
  assert.equal(sumOfSamples('bytes 1.7976e+05', 'bytes', {}), '179760')
  assert.equal(sumOfSamples('share 1.2345678901234567e-05', 'share', {}), '0.00001234567890123457')
  assert.equal(sumOfSamples('faded 5e-324', 'faded', {}), '0')
  assert.throws(() => sumOfSamples('huge 1e+30', 'huge', {}), /larger than a reading can be/)
  for (const series of ['temperature', 'ratio', 'requests', 'requests_total_nothing']) {
    assert.throws(() => sumOfSamples(text, series, {}), /no (number|sample)/)
  }
})

interface Look {
  readonly series: string
  readonly value: string
  readonly sampledAt: string
}

test('D-03 each line of a log is counted once: over looks, looks twice, a restart, and a new container', async (t) => {
  const instance = await testInstance(t)
  const source = { type: 'log-lines', service: 'web', pattern: 'order * paid' }
  const counter = {
    ...metric('paid', 'piece', source),
    kind: 'counter' as const,
    aggregation: 'sum' as const,
  }
  const ref = { definition: { ...standIn, metrics: [counter] }, instance }
  const ctx = context()
  const container = containerName(instance, 'web')
  await build(runner, ref, ctx)
  /** As the log of the container's first process has it, on both of its streams. */
  const write = async (line: string, stream: 1 | 2 = 1) => {
    const argv = ['/bin/sh', '-c', `echo '${line}' > /proc/1/fd/${stream}`]
    const { exitCode, stderr } = await runner.execute({ container, argv }, ctx)
    assert.equal(exitCode, 0, stderr)
  }
  const look = async (...before: readonly Look[]): Promise<Look> => {
    const sampledAt = new Date().toISOString()
    const earlier = { sampledAt, newest: before.length === 0 ? new Map() : new Map([['paid', before]]) }
    const { readings, failures } = await runner.readMetrics(ref, ctx, undefined, earlier)
    assert.deepEqual(failures, [])
    const [one] = readings
    assert.ok(one && readings.length === 1)
    return { series: one.series, value: one.value, sampledAt }
  }
  await write('order 1 paid')
  const first = await look()
  assert.equal(first.value, '0', 'counting begins with the first look')
  for (const line of ['order 2 paid', 'order 3 open', 'paid order 4', 'an order 5 is paid.'])
    await write(line)
  await write('order 6 paid', 2)
  const second = await look(first)
  assert.equal(second.value, '3')
  const again = await look(first)
  assert.deepEqual([again.value, (await look(second)).value], ['3', '3'])
  await write('order 7 paid')
  await docker.getContainer(container).restart({ t: 0 })
  const third = await look(first, second)
  assert.deepEqual([third.series, third.value], [first.series, '4'])
  await docker.getContainer(container).remove({ force: true })
  await build(runner, ref, ctx)
  await write('order 8 paid')
  const anew = await look(third)
  assert.notEqual(anew.series, third.series)
  assert.equal(anew.value, '1')
})

test('a line that the engine hands on in parts is one line, on each stream by itself', () => {
  const frame = (stream: number, text: string) => {
    const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
    header.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([header, Buffer.from(text)])
  }
  const at = '2026-11-25T10:00:00.123456789Z'
  const log = [
    frame(1, `${at} begins `),
    frame(2, `${at} other\n`),
    frame(1, `${at} goes on`),
    frame(1, `${at} ends\n`),
    frame(1, `${at} next\n`),
  ]
  assert.deepEqual(
    linesOf(Buffer.concat(log)).map(({ text }) => text.trim()),
    ['begins', 'other', 'next'],
  )
})
