import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import test, { after, before } from 'node:test'
import { promisify } from 'node:util'
import { runOnHost } from '#bin/host-command.ts'
import { connectEngine } from '#docker/engine.ts'
import { isOnThisMachine } from '#docker/held-ranges.ts'
import { keepChains, keepHostRules, type RunOnHost } from '#docker/host-rules.ts'
import { planChains } from '#domain/host-rules.ts'
import { until } from '#test/support/installation.ts'
import { context, docker } from './support.ts'

// A host, a container and a cloud that tells the host about itself: three network namespaces of this test, which nothing leaves.

const id = process.pid
const [host, guest, cloud] = [`host-${id}`, `guest-${id}`, `cloud-${id}`] as const
const busybox = process.env['CLOUDER_BUSYBOX'] ?? '/bin/busybox'
const guests = { installation: 'ins_01m8av3abffg0be5a7tvvgh4xp', pool: '10.77.0.0/24', networks: [] }
const [{ name: chain }] = planChains(guests)
const listeners: ChildProcess[] = []

const run = promisify(execFile)
const ip = (line: string) => execFileSync('ip', line.split(' '))
const inHost = (line: string) =>
  execFileSync('ip', ['netns', 'exec', host, ...line.split(' ')], { encoding: 'utf8' })
/** What the worker runs on its host is run in ours. */
const runInHost: RunOnHost = async (argv, input) =>
  await runOnHost(['ip', 'netns', 'exec', host, ...argv], input)
const keep = async () => await keepChains(guests, runInHost)

function join(namespace: string, name: string, ends: { inHost: string; there: string }): void {
  ip(`link add ${name} netns ${host} type veth peer name eth0 netns ${namespace}`)
  ip(`-n ${host} address add ${ends.inHost}/24 dev ${name}`)
  ip(`-n ${host} link set ${name} up`)
  ip(`-n ${namespace} address add ${ends.there}/24 dev eth0`)
  ip(`-n ${namespace} link set eth0 up`)
  ip(`-n ${namespace} route add default via ${ends.inHost}`)
}

function listen(namespace: string, port: number): void {
  const argv = ['netns', 'exec', namespace, busybox, 'httpd', '-f', '-p', String(port), '-h', '/proc']
  listeners.push(spawn('ip', argv, { stdio: 'ignore' }))
}

async function connects(from: string, to: string, port: number): Promise<boolean> {
  const argv = ['netns', 'exec', from, busybox, 'nc', '-w', '1', to, String(port), '-e', '/bin/true']
  return await run('ip', argv).then(
    () => true,
    () => false,
  )
}

const listed = () => inHost('iptables -S')

before(async () => {
  for (const namespace of [host, guest, cloud]) ip(`netns add ${namespace}`)
  join(guest, 'guest', { inHost: '10.77.0.1', there: '10.77.0.2' })
  join(cloud, 'cloud', { inHost: '169.254.169.1', there: '169.254.169.254' })
  inHost('sysctl -qw net.ipv4.ip_forward=1')
  listen(host, 8080)
  listen(guest, 8080)
  for (const port of [53, 80]) listen(cloud, port)
  await until('everything answers', async () => {
    const answers = await Promise.all([
      connects(guest, '10.77.0.1', 8080),
      connects(guest, '169.254.169.254', 53),
      connects(guest, '169.254.169.254', 80),
      connects(host, '10.77.0.2', 8080),
    ])
    return answers.every(Boolean)
  })
})
after(() => {
  for (const listener of listeners) listener.kill('SIGKILL')
  for (const namespace of [guest, cloud, host]) ip(`netns delete ${namespace}`)
})

test('where the engine keeps no rules nothing is set, and it is said', async () => {
  const before = listed()
  const { state, detail } = await keep()
  assert.deepEqual([state, detail], ['not_possible', 'the engine keeps no chain DOCKER-USER on this host'])
  assert.equal(listed(), before)
})

test('a container reaches neither the host nor the metadata address; names are looked up, and the host reaches it', async () => {
  inHost('iptables -N DOCKER-USER')
  inHost('iptables -I FORWARD -j DOCKER-USER')
  assert.deepEqual(await keep(), { state: 'kept', detail: `chain ${chain}, from DOCKER-USER and INPUT` })
  const reached = await Promise.all([
    connects(guest, '10.77.0.1', 8080),
    connects(guest, '169.254.169.1', 8080),
    connects(guest, '169.254.169.254', 80),
    connects(guest, '169.254.169.254', 53),
    connects(host, '10.77.0.2', 8080),
    connects(host, '169.254.169.254', 80),
  ])
  assert.deepEqual(reached, [false, false, false, true, true, true])
})

test('set again they are as they were; what was taken away comes back, and what others have there stays', async () => {
  inHost('iptables -A DOCKER-USER -d 192.0.2.1/32 -j DROP')
  const all = listed()
  assert.equal((await keep()).state, 'kept')
  assert.equal(listed(), all)
  inHost(`iptables -D INPUT -j ${chain}`)
  inHost(`iptables -F ${chain}-WALL`)
  assert.equal(await connects(guest, '169.254.169.254', 80), true)
  assert.equal((await keep()).state, 'kept')
  assert.deepEqual(listed().split('\n').toSorted(), all.split('\n').toSorted())
  assert.equal(await connects(guest, '169.254.169.254', 80), false)
})

test('where there is no iptables, or no rules are wanted, it is said', async () => {
  const missing = await keepChains(
    guests,
    async (_argv, input) => await runOnHost(['/nowhere/iptables'], input),
  )
  assert.deepEqual(missing, { state: 'not_possible', detail: 'there is no iptables on this host' })
  const unwanted = await keepHostRules({ docker, runOnHost: undefined }, guests, context())
  assert.equal(unwanted.state, 'off')
})

test('whoever may not change the rules is told so, as is who asks for those of another host', async () => {
  const powerless = ['setpriv', '--reuid', '65534', '--bounding-set', '-all', '--inh-caps', '-all']
  const refused = await keepChains(
    guests,
    async (argv, input) => await runInHost([...powerless, ...argv], input),
  )
  assert.equal(refused.state, 'not_permitted', refused.detail)
  const certificates = { ca: '', certificate: '', key: '' }
  const engine = connectEngine('tcp://192.0.2.1:2376', certificates)
  assert.deepEqual(await keepHostRules({ docker: engine, runOnHost }, guests, context()), {
    state: 'not_possible',
    detail: 'the engine is on another host',
  })
})

test('an engine at the usual socket is on this host, whether or not it is named', () => {
  const named = process.env['DOCKER_HOST']
  delete process.env['DOCKER_HOST']
  try {
    assert.equal(isOnThisMachine(connectEngine()), true)
    assert.equal(isOnThisMachine(connectEngine('unix:///var/run/docker.sock')), true)
    assert.equal(isOnThisMachine(connectEngine('tcp://192.0.2.1:2375')), false)
  } finally {
    if (named !== undefined) process.env['DOCKER_HOST'] = named
  }
})
