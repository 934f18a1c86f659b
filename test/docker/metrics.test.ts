import assert from 'node:assert/strict'
import test from 'node:test'
import type { MetricDefinition, MetricSource } from '#domain/application.ts'
import { containerName } from '#domain/build-plan.ts'
import type { InstanceRef } from '#domain/runner.ts'
import { sumOfSamples } from '#docker/metrics/http.ts'
import { build, context, dockerRunner, standIn, testInstance } from './support.ts'

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

test('samples of a series are summed exactly, by labels too, and only what is a number from 0', () => {
  assert.equal(sumOfSamples(text, 'requests_total', {}), '1030')
  assert.equal(sumOfSamples(text, 'requests_total', { code: '500' }), '3')
  assert.equal(sumOfSamples(text, 'requests_total', { path: '/a"b' }), '1027')
  assert.equal(sumOfSamples('bytes 1.7976e+05', 'bytes', {}), '179760')
  for (const series of ['temperature', 'ratio', 'requests', 'requests_total_nothing']) {
    assert.throws(() => sumOfSamples(text, series, {}), /no (number|sample)/)
  }
})
