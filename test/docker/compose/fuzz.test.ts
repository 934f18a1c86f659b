import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { checkApplication } from '#docker/compose/application.ts'

/** Every key of a service that the specification has, and a few that it has not. */
const keys = [
  'image', 'build', 'environment', 'command', 'entrypoint', 'volumes', 'volumes_from', 'depends_on', 'healthcheck', 'expose', 'ports', 'labels',
  'networks', 'links', 'restart', 'deploy', 'scale', 'tmpfs', 'env_file', 'configs', 'secrets', 'user', 'hostname', 'stop_signal', 'platform', 'init',
  'tty', 'working_dir', 'stop_grace_period', 'mem_limit', 'shm_size', 'cpus', 'pids_limit', 'privileged', 'cap_add', 'security_opt', 'devices',
  'gpus', 'runtime', 'network_mode', 'pid', 'ipc', 'sysctls', 'extra_hosts', 'dns', 'ulimits', 'cgroup', 'extends', 'profiles', 'provider', 'x-own', 'no_key',
] as const // prettier-ignore

const scalar = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(
    'a:b',
    'a:/b:ro',
    '/etc:/etc',
    './x:/x',
    '../x:/x',
    '${A}',
    '${A:-b}',
    '$',
    '80:80',
    '1g',
    '5s',
    'host',
    'A=b',
    'web',
  ),
)
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    scalar,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.constantFrom('source', 'target', 'type', 'test', 'web', 'file'),
      ),
      tie('any'),
      { maxKeys: 4 },
    ),
  ),
})).any
const service = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 6 })

test('whatever is in a file, it is accepted or refused with reasons, and never a crash', () => {
  fc.assert(
    fc.property(service, value, value, (web, volumes, block) => {
      const text = stringify({
        services: { web: { image: 'shop', ...web }, db: { image: 'db' } },
        volumes,
        'x-clouder': block,
      })
      const { status, findings, definition } = checkApplication({ code: 'shop', text }, [])
      assert.equal(definition !== null, status === 'accepted')
      assert.ok(
        status === 'accepted' ||
          findings.some((finding) => finding.kind !== 'replaced' && finding.reason !== ''),
      )
    }),
    { numRuns: 2_000 },
  )
})

test('nothing that gives rights on the server is ever accepted without a permission', () => {
  const dangerous = fc.constantFrom<[string, unknown]>(
    ['privileged', true],
    ['network_mode', 'host'],
    ['pid', 'host'],
    ['ipc', 'host'],
    ['cap_add', ['SYS_ADMIN']],
    ['devices', ['/dev/mem:/dev/mem']],
    ['security_opt', ['seccomp:unconfined']],
    ['volumes', ['/var/run/docker.sock:/var/run/docker.sock']],
    ['volumes', [{ type: 'bind', source: '/etc', target: '/etc' }]],
    ['userns_mode', 'host'],
    ['uts', 'host'],
    ['group_add', ['0']],
  )
  fc.assert(
    fc.property(service, dangerous, (web, [key, what]) => {
      const text = stringify({ services: { web: { image: 'shop', ...web, [key]: what } } })
      assert.notEqual(checkApplication({ code: 'shop', text }, []).status, 'accepted')
    }),
    { numRuns: 1_000 },
  )
})
