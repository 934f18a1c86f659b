import assert from 'node:assert/strict'
import test from 'node:test'
import { readConfiguration } from '#bin/platform/configuration.ts'

function reasonsFor(args: string[], env: NodeJS.ProcessEnv): string[] {
  const read = readConfiguration(args, env)
  assert.ok(read.kind === 'refused', 'the configuration is refused')
  return read.reasons
}

test('without options and variables everything has a default', () => {
  const read = readConfiguration([], {})
  assert.ok(read.kind === 'run')
  const { dataFolder, ...rest } = read.configuration
  assert.match(dataFolder, /\/data$/)
  assert.deepEqual(rest, {
    host: '127.0.0.1',
    port: 4400,
    postgresPort: undefined,
    temporalPort: undefined,
    temporalUiPort: undefined,
    temporalNamespace: 'default',
    runner: undefined,
    hasDemo: true,
  })
})

test('every problem is told at once, not one a start', () => {
  const reasons = reasonsFor(['--fast'], {
    CLOUDER_PORT: '70000',
    CLOUDER_RUNNER: 'podman',
    TEMPORAL_ADDRESS: 'http://localhost:7233',
    DOCKER_HOST: 'ssh://elsewhere',
  })
  assert.equal(reasons.length, 5)
  for (const name of ['--fast', 'CLOUDER_PORT', 'CLOUDER_RUNNER', 'TEMPORAL_ADDRESS', 'DOCKER_HOST']) {
    assert.ok(
      reasons.some((reason) => reason.includes(name)),
      `${name} is named`,
    )
  }
})

test('a refused database address is not repeated, for it may hold a password', () => {
  const reasons = reasonsFor([], { DATABASE_URL: 'mysql://root:hunter2@db/clouder' })
  assert.equal(reasons.length, 1)
  assert.doesNotMatch(reasons.join(), /hunter2/)
})

test('an option wins over its variable, and an empty variable counts as not set', () => {
  const read = readConfiguration(['--port', '5000', '--dry-run', '--no-demo'], {
    CLOUDER_PORT: '4500',
    DATABASE_URL: '',
    CLOUDER_TEMPORAL_PORT: '',
  })
  assert.ok(read.kind === 'run')
  assert.equal(read.configuration.port, 5000)
  assert.equal(read.configuration.runner, 'dry-run')
  assert.equal(read.configuration.hasDemo, false)
  assert.equal(read.configuration.temporalPort, undefined)
})

test('--help asks for help, whatever else is wrong', () => {
  assert.equal(readConfiguration(['--help'], { CLOUDER_PORT: 'x' }).kind, 'help')
})
