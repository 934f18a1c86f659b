import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { BusinessError } from '#domain/errors.ts'
import { readApplication, readApplications } from '#docker/applications.ts'
import { describeFinding } from '#docker/compose/finding.ts'
import { pointerOf } from '#domain/json-pointer.ts'
import { checkApplication, parseApplication } from '#docker/compose/application.ts'
import { applicationsFolder } from '../support.ts'

const BLOCK = `
x-clouder:
  title: Shop
  public: { service: web, port: 80 }
  secrets: [{ name: PASSWORD, length: 20 }]
`

const texts: Readonly<Record<string, string>> = {
  'conf/site.conf': 'root $document_root;',
  'shop.env': 'COLOUR=red # of the door\nSIZE="12"\n',
}
const folder = { folders: { image: 'abc' }, textOf: (path: string) => texts[path] }

function parse(text: string, grants: readonly string[] = []) {
  return parseApplication({ code: 'shop', text, folder }, grants)
}

function check(text: string, grants: readonly string[] = []) {
  return checkApplication({ code: 'shop', text, folder }, grants)
}

/** One service with these lines, in a file that is otherwise accepted. */
function service(lines: string): string {
  const indented = lines.split('\n').map((line) => `    ${line}`)
  return `services:\n  web:\n    image: shop:1\n${indented.join('\n')}\nvolumes: { data: {} }\n${BLOCK}`
}

function refusalsOf(text: string): { pointer: string; detail: string }[] {
  try {
    parse(text)
  } catch (error) {
    assert.ok(error instanceof BusinessError, String(error))
    assert.equal(error.code, 'application_refused')
    return error.fields.map(({ pointer, detail }) => ({ pointer, detail }))
  }
  return []
}

test('a file becomes a definition of plain JSON', () => {
  const definition = parse(
    `
services:
  web:
    image: registry.example:5000/shop
    command: [serve, --password, '\${PASSWORD}']
    environment: { COUNT: 3, DEBUG: false, PRICE: '$$5' }
    depends_on: { db: { condition: service_healthy } }
    expose: [80, '443']
    mem_limit: 1g
    cpus: '0.5'
    user: 1000
    cap_add: [NET_BIND_SERVICE, CHOWN]
    tmpfs: /run
  db:
    build: ./image/
    image: clouder/demo-db
    environment: [A=1, B=x=y]
    volumes: ['data:/data:ro', { type: volume, source: data, target: /more }]
    healthcheck: { test: check me, interval: 1m30s, timeout: 500ms, retries: 2 }
    deploy: { resources: { limits: { memory: 64m, pids: 10 } } }
volumes: { data: }
${BLOCK}`,
    ['build'],
  )
  assert.deepEqual(JSON.parse(JSON.stringify(definition)), definition)
  const [web, db] = definition.services
  assert.deepEqual(web?.image, { from: 'registry', reference: 'registry.example:5000/shop:latest' })
  assert.deepEqual(web?.environment, { COUNT: '3', DEBUG: 'false', PRICE: '$$5' })
  assert.deepEqual(web?.dependsOn, [{ service: 'db', condition: 'healthy' }])
  assert.deepEqual([web?.exposedPorts, web?.memoryMib, web?.cpus, web?.user], [[80, 443], 1024, 0.5, '1000'])
  assert.deepEqual([web?.capabilities, web?.tmpfs], [['CHOWN', 'NET_BIND_SERVICE'], ['/run']])
  const image = { from: 'folder', reference: 'clouder/demo-db:abc', folder: 'image', contentHash: 'abc' }
  assert.deepEqual(db?.image, image)
  assert.deepEqual(db?.environment, { A: '1', B: 'x=y' })
  assert.deepEqual(db?.mounts, [
    { volume: 'data', path: '/data', isReadOnly: true },
    { volume: 'data', path: '/more', isReadOnly: false },
  ])
  const healthCheck = {
    test: ['CMD-SHELL', 'check me'],
    intervalMs: 90_000,
    timeoutMs: 500,
    retries: 2,
    startPeriodMs: 0,
  }
  assert.deepEqual(db?.healthCheck, healthCheck)
  assert.deepEqual([db?.memoryMib, db?.pids, db?.cpus], [64, 10, null])
})

test('a pinned image keeps its digest', () => {
  const pinned = `shop@sha256:${'0'.repeat(64)}`
  const definition = parse(service('').replace('shop:1', pinned))
  assert.equal(definition.services[0]?.image.reference, pinned)
})

const refused: [lines: string, pointer: string, detail: RegExp][] = [
  ['pid: "container:other"', '/services/web/pid', /namespace/],
  ['network_mode: "container:other"', '/services/web/network_mode', /namespace of others/],
  ['uts: host', '/services/web/uts', /namespace of others/],
  ['userns_mode: host', '/services/web/userns_mode', /namespace of others/],
  ['cgroup_parent: /x', '/services/web/cgroup_parent', /namespace of others/],
  ['use_api_socket: true', '/services/web/use_api_socket', /rights on the server/],
  ['group_add: [docker]', '/services/web/group_add', /rights on the server/],
  ['device_cgroup_rules: ["c 1:3 mr"]', '/services/web/device_cgroup_rules', /rights/],
  ['oom_kill_disable: true', '/services/web/oom_kill_disable', /limits that are sold/],
  ['blkio_config: { weight: 1000 }', '/services/web/blkio_config', /limits that are sold/],
  ['post_start: [{ command: x }]', '/services/web/post_start', /beside those of the image/],
  ['mac_address: 02:42:ac:11:65:43', '/services/web/mac_address', /server's network/],
  ['external_links: [other]', '/services/web/external_links', /server's network/],
  ['volumes: [../secrets:/data]', '/services/web/volumes/0', /leads out/],
  ['volumes: [~/data:/data]', '/services/web/volumes/0', /leads to a home/],
  ['volumes: [/srv/../etc:/data]', '/services/web/volumes/0', /leads to a home, or out/],
  ['volumes: [./site.yml:/site.yml]', '/services/web/volumes/0', /not in the application's folder/],
  ['volumes: ["data:/data:exec"]', '/services/web/volumes/0', /source:target/],
  ['volumes_from: ["container:db"]', '/services/web/volumes_from/0', /container of others/],
  ['env_file: .env', '/services/web/env_file/0', /\.env is not in the application's folder/],
  ['env_file: ../../etc/passwd', '/services/web/env_file/0', /leads out/],
  ['env_file: /etc/passwd', '/services/web/env_file/0', /leads out/],
  ['environment: { A: "$(id)" }', '/services/web/environment/A', /begins no variable/],
  ['command: say "it', '/services/web/command', /quote without its end/],
  ['build: ../other', '/services/web/build', /leads out/],
  ['build: https://example.org/x.git', '/services/web/build', /leads out/],
  [
    'build: { context: image, privileged: true }',
    '/services/web/build/privileged',
    /not supported in a build/,
  ],
  ['depends_on: [db]', '/services/web/depends_on', /no service db/],
  ['depends_on: { web: { condition: service_fine } }', '/services/web/depends_on/web/condition', /./],
  ['depends_on: [web]', '/services/web/depends_on', /waits for itself/],
  ['mem_limit: much', '/services/web/mem_limit', /not a size/],
  ['pids_limit: 1000', '/services/web/pids_limit', /from 1 to 256/],
  ['labels: { io.clouder.instance: x }', '/services/web/labels', /identity/],
  ['labels: [com.docker.compose.project=x]', '/services/web/labels', /identity/],
  ['tmpfs: "/run:exec"', '/services/web/tmpfs/0', /never exec/],
  [
    'networks: { default: { ipv4_address: 10.0.0.2 } }',
    '/services/web/networks/default/ipv4_address',
    /server's network/,
  ],
  ['secrets: [absent]', '/services/web/secrets/0', /no absent under secrets/],
  ['extends: { file: other.yml, service: x }', '/services/web/extends', /another compose file/],
  ['frobnicate: 1', '/services/web/frobnicate', /not supported/],
  ['provider: { type: x }', '/services/web/provider', /outside the container/],
]
for (const [lines, pointer, detail] of refused) {
  test(`a service with ${lines.replaceAll('\n', ', ')} is refused at ${pointer}`, () => {
    const found = refusalsOf(service(lines))
    const match = found.find((one) => one.pointer === pointer)
    assert.ok(match, JSON.stringify(found))
    assert.match(match.detail, detail)
  })
}

for (const [image, reason] of [
  ['shop:${TAG}', /TAG} has no value; write a fallback/],
  ['https://example.org/x', /not the name of an image/],
  ['shop:1 --privileged', /not the name of an image/],
] as const) {
  test(`the image ${image} is refused`, () => {
    const [found] = refusalsOf(`services: { web: { image: '${image}' } }`)
    assert.equal(found?.pointer, '/services/web/image')
    assert.match(found.detail, reason)
  })
}

const permissions: [lines: string, permission: string][] = [
  ['privileged: true', 'privileged'],
  ['network_mode: host', 'host_network'],
  ['pid: host', 'host_pid'],
  ['ipc: host', 'host_ipc'],
  ['devices: [/dev/kvm]', 'device:/dev/kvm'],
  ['gpus: all', 'gpus'],
  ['runtime: nvidia', 'runtime:nvidia'],
  ['security_opt: [seccomp=unconfined]', 'security_opt:seccomp=unconfined'],
  ['cap_add: [CAP_SYS_ADMIN]', 'capability:SYS_ADMIN'],
  ['sysctls: { net.core.somaxconn: 1024 }', 'sysctl:net.core.somaxconn'],
  ['ulimits: { nofile: 999999 }', 'ulimit:nofile=999999'],
  ['extra_hosts: ["host.docker.internal:host-gateway"]', 'host_gateway'],
  ['extra_hosts: ["metadata=169.254.169.254"]', 'extra_host:metadata:169.254.169.254'],
  ['dns: 1.1.1.1', 'dns:1.1.1.1'],
  ['volumes: [/var/run/docker.sock:/var/run/docker.sock:ro]', 'docker_socket'],
  ['volumes: [{ type: bind, source: /etc, target: /etc }]', 'host_path:/etc'],
  ['build: image', 'build'],
]
for (const [lines, permission] of permissions) {
  test(`a service with ${lines} needs ${permission}, and is taken once that is granted`, () => {
    const text =
      permission === 'build' ? service(lines).replace('image: shop:1', 'image: clouder/shop') : service(lines)
    const asked = check(text)
    assert.equal(asked.status, 'needs_permission')
    assert.deepEqual(
      asked.findings.flatMap((finding) => finding.permission ?? []),
      [permission],
    )
    assert.equal(asked.definition, null)
    const granted = check(text, [permission])
    assert.equal(granted.status, 'accepted')
    assert.deepEqual(granted.definition?.permissions, [permission])
    assert.equal(check(text, ['something:else']).status, 'needs_permission')
  })
}

test('nine dangerous settings in one file have nine reasons, each with its line', () => {
  const nine = `privileged: true
network_mode: host
pid: host
cap_add: [SYS_ADMIN]
devices: [/dev/mem]
security_opt: [apparmor=unconfined]
userns_mode: host
volumes: [/:/host]
labels: { io.clouder.customer: other }`
  const found = refusalsOf(service(nine))
  assert.equal(found.length, 9)
  const lines = found.map((one) => Number(/\(line (\d+)\)/.exec(one.detail)?.[1]))
  assert.deepEqual(
    lines.sort((a, b) => a - b),
    [4, 5, 6, 7, 8, 9, 10, 11, 12],
  )
})

test('a hostile file is refused at each of its keys, with line, reason and what to do', () => {
  const hostile = `privileged: true
network_mode: host
pid: host
volumes: ["/var/run/docker.sock:/var/run/docker.sock", "/etc:/host", "../../root:/root"]
devices: [/dev/sda]
mem_limit: 900g
cpus: 900
pids_limit: 100000
env_file: [../../etc/shadow]
build: ../../..`
  const { status, findings } = check(service(hostile))
  const told = findings.filter(({ kind }) => kind !== 'replaced').map(({ path }) => pointerOf(path))
  const keys = [
    'privileged',
    'network_mode',
    'pid',
    'volumes/0',
    'volumes/1',
    'volumes/2',
    'devices',
    'mem_limit',
    'cpus',
    'env_file',
    'build',
  ]
  const missed = keys.filter((key) => !told.some((pointer) => pointer.startsWith(`/services/web/${key}`)))
  assert.deepEqual([status, missed], ['refused', []])
  for (const finding of findings) assert.match(describeFinding(finding, finding.line), /\(line \d+\): .+; .+/)
})

const replacements: [lines: string, pointer: string, reason: RegExp][] = [
  ['container_name: shop', '/services/web/container_name', /Clouder names/],
  ['restart: always', '/services/web/restart', /unless stopped/],
  ['ports: ["127.0.0.1:${PORT:-8080}:80/tcp"]', '/services/web/ports', /no port of the server/],
  ['logging: { driver: syslog }', '/services/web/logging', /10 MB/],
  ['volumes: [./media:/media]', '/services/web/volumes/0', /becomes the volume media/],
  ['volumes: [other:/data]', '/services/web/volumes/0', /not declared/],
  ['volumes: [/etc/localtime:/etc/localtime:ro]', '/services/web/volumes/0', /TZ/],
  ['networks: [front]', '/services/web/networks', /environment's network/],
  ['labels: [traefik.enable=true]', '/services/web/labels', /routes by itself/],
  ['deploy: { replicas: 3 }', '/services/web/deploy/replicas', /one container/],
  ['cap_drop: [ALL]', '/services/web/cap_drop', /anyway/],
]
for (const [lines, pointer, reason] of replacements) {
  test(`a service with ${lines} is taken, and what is done instead is said`, () => {
    const { status, findings } = check(service(lines))
    const replaced = findings.find((finding) => pointerOf(finding.path) === pointer)
    assert.equal(status, 'accepted', JSON.stringify(findings))
    assert.equal(replaced?.kind, 'replaced')
    assert.match(replaced.reason, reason)
  })
}

test('the rarer keys reach the definition', () => {
  const definition = parse(`
services:
  web: &web
    image: shop
    hostname: shop.local
    labels: { team: '\${TEAM:-none}' }
    stop_signal: SIGINT
    stop_grace_period: 1m
    tty: true
    shm_size: 128m
    platform: linux/amd64
    env_file: shop.env
    environment: { SIZE: '\${SIZE:-10}', HOME: }
    volumes: [./conf/site.conf:/etc/site.conf:ro, /cache]
    configs: [{ source: motd, target: /etc/motd, mode: 0440 }]
    secrets: [key]
    networks: { front: { aliases: [shop] } }
    depends_on: { migrate: { condition: service_completed_successfully }, off: { condition: service_started } }
  migrate:
    <<: *web
    command: sh -c "migrate '\${DATABASE}' now"
    depends_on: []
  proxy: { image: proxy, links: ['web:www'] }
  off: { image: off, deploy: { replicas: 0 } }
  tools: { image: tools, profiles: [debug] }
configs: { motd: { content: 'Hello \${TEAM:-all}' } }
secrets: { key: { environment: SHOP_KEY } }
networks: { front: }
`)
  assert.deepEqual(
    definition.services.map((one) => one.name),
    ['web', 'migrate', 'proxy'],
  )
  const [web, migrate] = definition.services
  assert.deepEqual(web?.special, {
    hostname: 'shop.local',
    aliases: ['shop', 'www'],
    labels: { team: '${TEAM:-none}' },
    stopSignal: 'SIGINT',
    stopGracePeriodMs: 60_000,
    hasTty: true,
    shmMib: 128,
    platform: 'linux/amd64',
    files: [
      { path: '/etc/site.conf', content: 'root $$document_root;', mode: 0o644 },
      { path: '/etc/motd', content: 'Hello ${TEAM:-all}', mode: 0o440 },
      { path: '/run/secrets/key', content: '${SHOP_KEY}', mode: 0o444 },
    ],
    passedOn: ['HOME'],
  })
  assert.deepEqual(web.environment, { COLOUR: 'red', SIZE: '${SIZE:-10}' })
  assert.deepEqual(web.mounts, [{ volume: 'cache', path: '/cache', isReadOnly: false }])
  assert.deepEqual(web.dependsOn, [{ service: 'migrate', condition: 'completed' }])
  assert.deepEqual(migrate?.command, ['sh', '-c', "migrate '${DATABASE}' now"])
  assert.equal(migrate.special?.isJob, true)
})

test('variables that nobody declares are asked for, made as secrets, or are the address, by their names', () => {
  const definition = parse(`
services:
  umami:
    image: umami
    environment:
      - SERVICE_FQDN_UMAMI_3000
      - DATABASE_URL=postgres://\${SERVICE_USER_PG}:\${SERVICE_PASSWORD_64_PG}@db/\${DB_NAME:-umami}
      - APP_SECRET=\${APP_SECRET}
      - SMTP_PASSWORD=\${SMTP_PASSWORD}
      - NAME=\${NAME}
    healthcheck: { test: 'check \${NAME}' }
`)
  assert.deepEqual(definition.public, { service: 'umami', port: 3000 })
  assert.deepEqual(definition.secrets, [
    { name: 'SERVICE_USER_PG', length: 16 },
    { name: 'SERVICE_PASSWORD_64_PG', length: 64 },
    { name: 'APP_SECRET', length: 50 },
  ])
  const variables = definition.variables?.map((one) => [
    one.name,
    one.source,
    one.isRequired,
    one.fallback,
    one.isInShellLine,
  ])
  assert.deepEqual(variables, [
    ['DB_NAME', 'asked', false, 'umami', false],
    ['SMTP_PASSWORD', 'asked', true, null, false],
    ['NAME', 'asked', true, null, true],
    ['SERVICE_FQDN_UMAMI_3000', 'address_host', false, null, false],
  ])
})

test('a service takes over what it extends, and its own words win', () => {
  const [, shop] = parse(`
services:
  base:
    image: shop:1
    environment: [A=1, B=2]
    volumes: [data:/data, logs:/logs]
    expose: [80]
    healthcheck: { test: [CMD, a], interval: 5s }
  shop:
    extends: base
    environment: { B: 3 }
    volumes: [other:/data]
    expose: [81]
    healthcheck: { interval: 9s }
volumes: { data: , logs: , other: }
`).services
  assert.deepEqual(shop?.environment, { A: '1', B: '3' })
  assert.deepEqual(
    shop.mounts.map((mount) => `${mount.volume}:${mount.path}`),
    ['other:/data', 'logs:/logs'],
  )
  assert.deepEqual(
    [shop.exposedPorts, shop.healthCheck?.intervalMs, shop.healthCheck?.test],
    [[80, 81], 9000, ['CMD', 'a']],
  )
})

test('a file of which every service is left out is refused', () => {
  for (const web of ['{ image: shop, profiles: [debug], privileged: true }', '{ image: shop, scale: 0 }']) {
    const { status, findings } = check(`services: { web: ${web} }`)
    assert.equal(status, 'refused')
    assert.ok(findings.some((finding) => finding.reason === 'every service is left out'))
  }
})

test('services that extend each other in a circle are refused', () => {
  const text = 'services: { a: { image: a, extends: b }, b: { image: b, extends: a } }'
  assert.match(JSON.stringify(refusalsOf(text)), /extends b in turn/)
})

test('everything that is wrong is told at once, with its line', () => {
  const text = service('privileged: true\nuserns_mode: host')
    .replace('length: 20', 'length: 3')
    .replace('data: {}', 'data: { external: true }')
  const found = refusalsOf(`networks: { front: { driver: macvlan } }\n${text}`)
  assert.deepEqual(found.map((one) => one.pointer).sort(), [
    '/networks/front/driver',
    '/services/web/privileged',
    '/services/web/userns_mode',
    '/volumes/data/external',
    '/x-clouder/secrets/0/length',
  ])
  assert.match(
    found.find((one) => one.pointer.endsWith('privileged'))?.detail ?? '',
    /^services\.web\.privileged \(line 5\)/,
  )
})

test('volumes that lead out of the engine are refused', () => {
  const bind = '{ driver_opts: { type: none, o: bind, device: /etc } }'
  for (const [options, pointer] of [
    [bind, '/volumes/data/driver_opts'],
    ['{ driver: nfs }', '/volumes/data/driver'],
    ['{ external: true }', '/volumes/data/external'],
  ] as const) {
    const found = refusalsOf(`services: { web: { image: shop } }\nvolumes: { data: ${options} }`)
    assert.deepEqual(
      found.map((one) => one.pointer),
      [pointer],
    )
  }
})

const refusedBlocks: [block: string, pointer: string][] = [
  ['x-clouder: { title: T, public: { service: api, port: 80 } }', '/x-clouder/public/service'],
  ['x-clouder: { title: T, stand_in: true }', '/x-clouder/notice'],
  ['x-clouder: { title: T, unknown: 1 }', '/x-clouder/unknown'],
  [
    "x-clouder: { title: T, metrics: [{ code: a, title: A, unit: piece, kind: gauge, aggregation: max, source: { type: log-lines, service: web, pattern: 'paid' } }] }",
    '/x-clouder/metrics/0/kind',
  ],
  [
    "x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: counter, aggregation: sum, source: { type: log-lines, service: web, pattern: 'paid' } }] }",
    '/x-clouder/metrics/0/unit',
  ],
  [
    "x-clouder: { title: T, metrics: [{ code: a, title: A, unit: piece, kind: counter, aggregation: sum, source: { type: log-lines, service: web, pattern: ' * ' } }] }",
    '/x-clouder/metrics/0/source/pattern',
  ],
  [
    `x-clouder: { title: T, metrics: [{ code: a, title: A, unit: piece, kind: counter, aggregation: sum, source: { type: log-lines, service: web, pattern: '${'a'.repeat(201)}' } }] }`,
    '/x-clouder/metrics/0/source/pattern',
  ],
  [
    'x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: gauge, aggregation: median, source: { type: engine-network } }] }',
    '/x-clouder/metrics/0/aggregation',
  ],
  [
    'x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: counter, aggregation: max, source: { type: engine-network } }] }',
    '/x-clouder/metrics/0/aggregation',
  ],
  [
    'x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: gauge, aggregation: percentile, source: { type: engine-network } }] }',
    '/x-clouder/metrics/0/percent',
  ],
  [
    'x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: gauge, aggregation: max, percent: 95, source: { type: engine-network } }] }',
    '/x-clouder/metrics/0/percent',
  ],
  [
    'x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: gauge, aggregation: bucket_max, source: { type: engine-network } }] }',
    '/x-clouder/metrics/0/bucket_s',
  ],
  // D-02: at least 10 s, and no longer than a bill waits.
  ...['9', '14401', '10.5', '"60"'].map((interval): [string, string] => [
    `x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: gauge, aggregation: max, interval_s: ${interval}, source: { type: engine-network } }] }`,
    '/x-clouder/metrics/0/interval_s',
  ]),
  [
    'x-clouder: { title: T, metrics: [{ metric: disk, interval_s: 9, source: { type: engine-network } }] }',
    '/x-clouder/metrics/0/interval_s',
  ],
  [
    'x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: gauge, aggregation: max, rounding: { mode: up, step: "0.0" }, source: { type: engine-network } }] }',
    '/x-clouder/metrics/0/rounding/step',
  ],
  [
    'x-clouder: { title: T, limits: [{ code: a, title: A, service: web, set: [/bin/x, "a{value}"], read: [r], use: [u] }] }',
    '/x-clouder/limits/0/set',
  ],
  // It would be stopped as by a spend cap.
  ['x-clouder: { title: T, limits: [{ code: spend, title: Spend, reserved: true }] }', '/x-clouder/limits'],
  [
    'x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: gauge, aggregation: max, source: { type: volume-disk, volume: v } }] }',
    '/x-clouder/metrics/0/source',
  ],
]
for (const [block, pointer] of refusedBlocks) {
  test(`the block ${block || '(none)'} is refused at ${pointer}`, () => {
    const found = refusalsOf(`services: { web: { image: shop } }\n${block}`)
    assert.ok(
      found.some((one) => one.pointer === pointer),
      JSON.stringify(found),
    )
  })
}

for (const [what, text] of [
  ['no YAML', 'services: ['],
  ['a list', '- a'],
  ['empty', ''],
  ['a bomb of aliases', `a: &a [x,x]\nb: &b [${'*a,'.repeat(200)}]\nc: [${'*b,'.repeat(200)}]`],
  ['no services', `services: {}\n${BLOCK}`],
  ['of two documents', 'services: { web: { image: shop } }\n---\nservices: {}'],
  ['nested too deeply', `services: ${'{ a: '.repeat(40)}1${' }'.repeat(40)}`],
  ['of a tag that makes objects', 'services: !!js/function "x"'],
  ['of a custom tag', 'services: !run { web: { image: shop } }'],
  ['one that sets a prototype', 'services: { web: { image: shop, __proto__: { privileged: true } } }'],
  ['one with a key twice', 'services: { web: { image: shop, image: other } }'],
  ['one with a character that nobody sees', 'services: { web: { image: "shop\u200b\u0000" } }'],
  ['too long', `services: { web: { image: shop } }\n# ${'x'.repeat(300_000)}`],
] as const) {
  test(`a file that is ${what} is refused, not a crash`, () => {
    assert.throws(() => parse(text), { name: 'BusinessError', code: 'application_refused' })
  })
}

test('the shipped applications are accepted, and stand-ins never have the name of a public image', async () => {
  const applications = await readApplications(applicationsFolder)
  assert.deepEqual(
    applications.map((one) => one.code),
    [
      'clouder',
      'odoo',
      'odoo-stand-in',
      'postgresql',
      'postgresql-debian',
      'static-site',
      'wordpress',
      'wordpress-debian',
    ],
  )
  const standIns = applications.filter((one) => one.isStandIn)
  assert.deepEqual(
    standIns.map((one) => one.code),
    ['odoo-stand-in', 'postgresql-debian', 'wordpress-debian'],
  )
  for (const { services } of standIns) {
    assert.ok(
      services.every((one) => one.image.from === 'folder' && one.image.reference.startsWith('clouder/')),
    )
  }
})

test('a build that installs packages is refused to every application but those that Clouder ships', () => {
  const build = 'build: { context: ./image, x-packages: debian }'
  const text = `services: { web: { image: clouder/shop, ${build} } }`
  const { status, findings } = check(text, ['build'])
  assert.equal(status, 'refused')
  assert.match(
    findings.map(({ reason }) => reason).join(),
    /reaches the network: only what Clouder ships may/,
  )
  const shipped = parse(text, ['build', 'build_packages'])
  assert.ok(shipped.services.every(({ image }) => image.from === 'folder' && image.needsPackages))
})

test('an image of this installation’s own program is refused to every application but those that Clouder ships', () => {
  const build = 'build: { context: ./image, x-program: clouder }'
  const text = `services: { web: { image: clouder/shop, ${build} } }`
  const { status, findings } = check(text, ['build'])
  assert.equal(status, 'refused')
  assert.match(findings.map(({ reason }) => reason).join(), /for what Clouder ships only/)
})

test('an installation that is sold is made of its program by hash, and says how it invites', async () => {
  const { peer, services } = await readApplication(applicationsFolder, 'clouder')
  assert.deepEqual(peer, {
    service: 'api',
    command: ['clouder', 'peers', 'invite', '--supplier', '--json'],
    address: 'CLOUDER_ADDRESS',
  })
  const images = new Set(services.map(({ image }) => image.reference))
  assert.equal(images.size, 1)
  assert.ok(services.every(({ image }) => image.from === 'folder' && image.needsProgram === true))
})

test('an installation that nobody can reach, or whose service or address is not there, is refused', () => {
  const text = (peer: string, more = '') =>
    `services: { web: { image: shop } }\nx-clouder:\n  title: T\n  peer: { invite: [a], ${peer} }\n${more}`
  const reasons = (file: string) => check(file).findings.map(({ reason }) => reason)
  assert.deepEqual(reasons(text('service: web')), ['it is reached by nobody'])
  const open = '  public: { service: web, port: 80 }\n'
  assert.deepEqual(reasons(text('service: api', open)), ['there is no service api'])
  assert.deepEqual(reasons(text('service: web, address: WHERE', open)), ['no service uses ${WHERE}'])
  assert.deepEqual(parse(text('service: web', open)).peer, { service: 'web', command: ['a'], address: null })
})

for (const [published, standIn, files] of [
  [
    'wordpress/clouder',
    'wordpress-debian/web/clouder',
    ['load.php', 'install.php', 'users.php', 'plugins/user-limit.php'],
  ],
  ['postgresql/clouder', 'postgresql-debian/database/clouder', ['role.sh', 'connections']],
] as const) {
  test(`what ${standIn} is set up and limited by is what ${published} has`, async () => {
    const read = async (folder: string, file: string) =>
      await readFile(join(applicationsFolder, folder, file), 'utf8')
    for (const file of files) assert.equal(await read(standIn, file), await read(published, file), file)
  })
}

test('a metric says how its values become one', () => {
  const metric = '{ code: a, title: A, unit: GiB, kind: gauge, source: { type: engine-network }, '
  const [byBucket, byRank] = parse(
    `services: { web: { image: shop } }\nx-clouder:\n  title: T\n  metrics:\n` +
      `    - ${metric} aggregation: bucket_max, bucket_s: 3600 }\n` +
      `    - ${metric.replace('code: a', 'code: b')} aggregation: percentile, percent: 95, rounding: { mode: up, step: '1' } }\n`,
  ).metrics
  assert.deepEqual([byBucket?.aggregation, byBucket?.bucketSeconds], ['bucket_max', 3600])
  assert.deepEqual([byRank?.percent, byRank?.rounding], [95, { mode: 'up', step: '1' }])
})

test('a metric that is named, of an installation that is not at hand, is said to be looked up there', () => {
  const text = `
services: { web: { image: 'web:1' } }
x-clouder: { title: T, metrics: [{ metric: disk-held, source: { type: engine-memory } }] }
`
  const { status, findings, definition } = checkApplication({ code: 'shop', text }, [])
  assert.equal(status, 'accepted')
  assert.deepEqual(
    findings.map(({ kind, path }) => [kind, path.join('/')]),
    [['replaced', 'x-clouder/metrics/0/metric']],
  )
  assert.deepEqual(
    definition?.metrics.map(({ code, isShared }) => [code, isShared]),
    [['disk-held', true]],
  )
  const none = checkApplication({ code: 'shop', text, sharedMetrics: [] }, [])
  assert.equal(none.status, 'refused')
})
