import assert from 'node:assert/strict'
import test from 'node:test'
import type { InstanceRef, MetricReading } from '#domain/runner.ts'
import { build, context, dockerRunner, standIn, testInstance } from './support.ts'

const runner = dockerRunner()
const KIB = 1024

async function send(ref: InstanceRef, path: string, form?: Record<string, string>) {
  const url = `http://127.0.0.1:${ref.instance.hostPort}${path}`
  const res = await fetch(url, form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) })
  return { status: res.status, text: await res.text() }
}

function valueOf(readings: readonly MetricReading[], metric: string): number {
  return readings.filter((one) => one.metric === metric).reduce((sum, one) => sum + Number(one.value), 0)
}

test('the stand-in', async (t) => {
  const instance = await testInstance(t)
  const ref = { definition: standIn, instance }
  const ctx = context()
  await build(runner, ref, ctx)

  await t.test('says that it is one', async () => {
    assert.match((await send(ref, '/')).text, /This is not Odoo/)
    assert.match(standIn.notice ?? '', /not Odoo/)
  })

  await t.test('has nothing for sale until a limit is set', async () => {
    assert.equal((await send(ref, '/cgi-bin/users', { name: 'ada' })).status, 403)
  })

  await t.test('refuses the sixth of five users, and takes it after the upgrade', async () => {
    await runner.applyLimit(ref, { code: 'users', value: 5 }, ctx)
    for (const name of ['u1', 'u2', 'u3', 'u4', 'u5']) {
      assert.equal((await send(ref, '/cgi-bin/users', { name })).status, 201)
    }
    const refused = await send(ref, '/cgi-bin/users', { name: 'u6' })
    assert.deepEqual([refused.status, /your subscription has 5 users/.test(refused.text)], [403, true])
    assert.equal((await runner.applyLimit(ref, { code: 'users', value: 6 }, ctx)).inUse, 5)
    assert.equal((await send(ref, '/cgi-bin/users', { name: 'u6' })).status, 201)
    assert.equal((await send(ref, '/cgi-bin/users')).text, 'u1\nu2\nu3\nu4\nu5\nu6\n')
  })

  await t.test('gives the last place to one of many who ask at once', async () => {
    await runner.applyLimit(ref, { code: 'emails', value: 1 }, ctx)
    const names = ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example']
    const answers = await Promise.all(names.map((name) => send(ref, '/cgi-bin/emails', { name })))
    const count = (status: number) => answers.filter((one) => one.status === status).length
    assert.deepEqual([count(201), count(403)], [1, 3])
    assert.equal((await runner.readLimit(ref, 'emails', ctx)).inUse, 1)
  })

  for (const name of ['', 'a b', '$(id)', '../x', 'x'.repeat(65), "a'b"]) {
    await t.test(`refuses the name ${JSON.stringify(name)}`, async () => {
      assert.equal((await send(ref, '/cgi-bin/users', { name })).status, 400)
    })
  }

  for (const query of ['', '?kib=', '?kib=-1', '?kib=1;id', '?kib=99999999']) {
    await t.test(`writes nothing when asked with ${JSON.stringify(query)}`, async () => {
      assert.equal((await send(ref, `/cgi-bin/files${query}`)).status, 400)
      assert.equal((await send(ref, `/cgi-bin/download${query}`)).status, 400)
    })
  }

  await t.test('refuses a limit that is not a number, or of a list that it does not have', async () => {
    const [limit] = standIn.limits
    assert.ok(limit)
    const container = `${instance.environmentPrefix}_odoo_web`
    for (const argv of [
      ['/bin/set-limit', 'users', '-1'],
      ['/bin/set-limit', '../users', '1'],
      ['/bin/count'],
    ]) {
      assert.equal((await runner.execute({ container, argv }, ctx)).exitCode, 2, argv.join(' '))
    }
  })

  await t.test('makes traffic and files that the engine counts', async () => {
    const before = (await runner.readMetrics(ref, ctx)).readings
    await send(ref, '/cgi-bin/download?kib=3000')
    assert.equal((await send(ref, '/cgi-bin/files?kib=2000')).status, 201)
    const after = (await runner.readMetrics(ref, ctx)).readings
    assert.ok(valueOf(after, 'network') - valueOf(before, 'network') >= 3000 * KIB)
    const written = valueOf(after, 'disk') - valueOf(before, 'disk')
    assert.ok(written >= 2000 * KIB && written < 2100 * KIB, String(written))
  })

  await t.test(
    'counts traffic in a new series after a restart, and is still measured on disk when stopped',
    async () => {
      const before = (await runner.readMetrics(ref, ctx)).readings
      await runner.stop(ref, ctx)
      const stopped = (await runner.readMetrics(ref, ctx)).readings
      assert.deepEqual(
        stopped.map((one) => one.metric),
        ['disk'],
      )
      assert.equal(valueOf(stopped, 'disk'), valueOf(before, 'disk'))
      await runner.start(ref, ctx)
      const started = (await runner.readMetrics(ref, ctx)).readings
      const series = (readings: readonly MetricReading[]) =>
        readings.find((one) => one.metric === 'network')?.series
      assert.notEqual(series(started), series(before))
    },
  )
})
