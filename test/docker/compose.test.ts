import assert from 'node:assert/strict'
import test from 'node:test'
import { BusinessError } from '#domain/errors.ts'
import { readApplications } from '#docker/applications.ts'
import { parseApplication } from '#docker/compose.ts'
import { applicationsFolder } from './support.ts'

const BLOCK = `
x-clouder:
  title: Shop
  public: { service: web, port: 80 }
  secrets: [{ name: PASSWORD, length: 20 }]
`

function parse(text: string) {
  return parseApplication({ code: 'shop', text, folders: { image: 'abc' } })
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
  const definition = parse(`
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
${BLOCK}`)
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
  ['privileged: true', '/services/web/privileged', /rights on the server; remove it/],
  ['network_mode: host', '/services/web/network_mode', /namespace of others/],
  ['pid: host', '/services/web/pid', /namespace/],
  ['devices: [/dev/kvm]', '/services/web/devices', /rights on the server/],
  ['security_opt: [seccomp=unconfined]', '/services/web/security_opt', /rights/],
  ['cap_add: [SYS_ADMIN]', '/services/web/cap_add/0', /CHOWN/],
  ['volumes: [/var/run/docker.sock:/var/run/docker.sock]', '/services/web/volumes/0', /not a named volume/],
  ['volumes: [./data:/data]', '/services/web/volumes/0', /not a named volume/],
  [
    'volumes: [{ type: bind, source: /etc, target: /etc }]',
    '/services/web/volumes/0/type',
    /not a named volume/,
  ],
  ['volumes: [other:/data]', '/services/web/volumes/0', /no volume other/],
  ['ports: [80:80]', '/services/web/ports', /x-clouder.public/],
  ['env_file: .env', '/services/web/env_file', /variables under environment/],
  ['environment: [HOME]', '/services/web/environment/0', /server's own environment/],
  ['environment: { A: "${HOME}" }', '/services/web/environment/A', /HOME} is not declared/],
  ['environment: { A: "${PASSWORD:-x}" }', '/services/web/environment/A', /not supported/],
  ['environment: { A: "$PASSWORD" }', '/services/web/environment/A', /not supported/],
  ['command: run me', '/services/web/command', /write it as a list/],
  ['healthcheck: { test: "curl ${PASSWORD}" }', '/services/web/healthcheck/test', /line for a shell/],
  ['build: ../other', '/services/web/build', /leads out/],
  ['build: https://example.org/x.git', '/services/web/build', /leads out/],
  ['build: image', '/services/web/image', /never has the name of a public one/],
  ['build: absent', '/services/web/build', /not a folder of the application/],
  ['depends_on: [db]', '/services/web/depends_on', /no service db/],
  [
    'depends_on: { web: { condition: service_completed_successfully } }',
    '/services/web/depends_on/web/condition',
    /started or/,
  ],
  ['mem_limit: 1.5g', '/services/web/mem_limit', /MiB/],
  ['pids_limit: 1000', '/services/web/pids_limit', /./],
  ['mem_limit: 1g\ndeploy: { resources: { limits: { memory: 1g } } }', '/services/web/deploy', /keep one/],
  ['deploy: { replicas: 3 }', '/services/web/deploy/replicas', /not supported/],
  ['labels: { io.clouder.instance: x }', '/services/web/labels', /identity/],
  ['tmpfs: /run:exec', '/services/web/tmpfs', /./],
  ['frobnicate: 1', '/services/web/frobnicate', /not supported/],
]
for (const [lines, pointer, detail] of refused) {
  test(`a service with ${lines.replaceAll('\n', ', ')} is refused at ${pointer}`, () => {
    const found = refusalsOf(service(lines))
    const match = found.find((one) => one.pointer === pointer)
    assert.ok(match, JSON.stringify(found))
    assert.match(match.detail, detail)
  })
}

test('everything that is wrong is told at once, with its line', () => {
  const text = service('privileged: true\nports: [80:80]')
    .replace('length: 20', 'length: 3')
    .replace('data: {}', 'data: { external: true }')
  const found = refusalsOf(`networks: {}\n${text}`)
  assert.deepEqual(found.map((one) => one.pointer).sort(), [
    '/networks',
    '/services/web/ports',
    '/services/web/privileged',
    '/volumes/data/external',
    '/x-clouder/secrets/0/length',
  ])
  assert.match(
    found.find((one) => one.pointer.endsWith('privileged'))?.detail ?? '',
    /^services\.web\.privileged \(line 5\)/,
  )
})

const refusedBlocks: [block: string, pointer: string][] = [
  ['', '/x-clouder/title'],
  ['x-clouder: { title: T, public: { service: api, port: 80 } }', '/x-clouder/public/service'],
  ['x-clouder: { title: T, stand_in: true }', '/x-clouder/notice'],
  ['x-clouder: { title: T, unknown: 1 }', '/x-clouder/unknown'],
  [
    'x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: gauge, aggregation: median, source: { type: engine-network } }] }',
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
  [
    'x-clouder: { title: T, metrics: [{ code: a, title: A, unit: GiB, kind: gauge, aggregation: max, rounding: { mode: up, step: "0.0" }, source: { type: engine-network } }] }',
    '/x-clouder/metrics/0/rounding/step',
  ],
  [
    'x-clouder: { title: T, limits: [{ code: a, title: A, service: web, set: [/bin/x, "a{value}"], read: [r], use: [u] }] }',
    '/x-clouder/limits/0/set',
  ],
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
] as const) {
  test(`a file that is ${what} is refused, not a crash`, () => {
    assert.throws(() => parse(text), { name: 'BusinessError', code: 'application_refused' })
  })
}

test('the shipped applications are accepted, and stand-ins never have the name of a public image', async () => {
  const applications = await readApplications(applicationsFolder)
  assert.deepEqual(
    applications.map((one) => one.code),
    ['odoo', 'odoo-stand-in', 'static-site'],
  )
  const standIns = applications.filter((one) => one.isStandIn)
  assert.deepEqual(
    standIns.map((one) => one.code),
    ['odoo-stand-in'],
  )
  for (const { services } of standIns) {
    assert.ok(
      services.every((one) => one.image.from === 'folder' && one.image.reference.startsWith('clouder/demo-')),
    )
  }
})

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
