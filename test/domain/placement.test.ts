import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { freeOf, noAmounts, offeredBy, type Amounts, type Ceilings } from '#domain/capacity.ts'
import {
  place,
  refuseUnplaced,
  withPlaced,
  type PlacementRequest,
  type PlacementServer,
} from '#domain/placement.ts'
import { holds } from '#test/support/property.ts'

const uncounted: Ceilings = {
  memoryMib: null,
  cpus: null,
  diskMib: null,
  instances: null,
  ports: null,
  subnets: null,
}

function server(code: string, said: Partial<PlacementServer> = {}): PlacementServer {
  return {
    id: code,
    code,
    tags: [],
    total: uncounted,
    efficiency: '1',
    reserved: noAmounts,
    drainingSince: null,
    unreachableSince: null,
    isExpected: false,
    neighbours: 0,
    hasNetwork: (said.neighbours ?? 0) > 0,
    portRange: null,
    subnetPool: null,
    ...said,
  }
}

const gibibytes = (count: number) => ({ ...uncounted, memoryMib: String(count * 1024) })

const twoGib: PlacementRequest = {
  applications: ['shop'],
  tags: [],
  takes: { ...noAmounts, memoryMib: '2048', cpus: '1', instances: '1', ports: '1' },
  preferredServerId: null,
  bound: null,
}

/** Codes of the servers on which so many are placed one after the other; null: nowhere. */
function placeMany(count: number, start: readonly PlacementServer[], request = twoGib): (string | null)[] {
  let servers = start
  return Array.from({ length: count }, () => {
    const placement = place(request, servers)
    servers = withPlaced(servers, placement)
    return placement.serverId
  })
}

/** The reasons of a server, as they are told. */
function reasonsOf(code: string, request: PlacementRequest, servers: readonly PlacementServer[]): string[] {
  const finding = place(request, servers).servers.find(({ server: name }) => name === code)
  return finding?.reasons.map((reason) => `${reason.code}: ${reason.detail}`) ?? []
}

test('of 16 GiB at an efficiency of 0.8 six instances of 2 GiB are had, and the seventh goes nowhere', () => {
  const small = server('small', { total: gibibytes(16), efficiency: '0.8' })
  assert.deepEqual(placeMany(7, [small]), [...Array.from({ length: 6 }, () => 'small'), null])
})

test('the seventh goes elsewhere where there is another server', () => {
  const small = server('small', { total: gibibytes(16), efficiency: '0.8', neighbours: 1 })
  const other = server('other', { total: gibibytes(4) })
  assert.deepEqual(placeMany(8, [small, other]).slice(5), ['small', 'other', 'other'])
})

test('a server that is full says of what it lacks how much', () => {
  const full = server('full', { total: gibibytes(1), reserved: { ...noAmounts, memoryMib: '512' } })
  assert.deepEqual(reasonsOf('full', twoGib, [full]), [
    'full: 2 GiB memory needed, 512 MiB memory free of 1 GiB memory',
  ])
})

test('a tagged server takes only what asks for its tag, and what asks for a tag goes to no other', () => {
  const servers = [server('plain'), server('graphics', { tags: ['gpu'] })]
  assert.equal(place(twoGib, servers).serverId, 'plain')
  assert.deepEqual(reasonsOf('graphics', twoGib, servers), [
    'tags: tagged gpu: only for what asks for that tag',
  ])
  const asking = { ...twoGib, tags: ['gpu'] }
  assert.equal(place(asking, servers).serverId, 'graphics')
  assert.deepEqual(reasonsOf('plain', asking, servers), ['tags: not tagged gpu, which is asked for'])
})

test('a server that is draining or unreachable takes nothing, and says since when', () => {
  const since = '2026-04-01T09:00:00Z'
  const servers = [server('a', { drainingSince: since }), server('b', { unreachableSince: since })]
  assert.equal(place(twoGib, servers).serverId, null)
  assert.deepEqual(reasonsOf('a', twoGib, servers), [`draining: draining since ${since}`])
  assert.deepEqual(reasonsOf('b', twoGib, servers), [`unreachable: unreachable since ${since}`])
  const expected = server('c', { isExpected: true })
  assert.deepEqual(reasonsOf('c', twoGib, [expected]), ['unreachable: never seen: it has not joined yet'])
})

test('first comes the preferred server, then the environment’s, then the one with most free, then the emptiest, then by code', () => {
  const roomy = server('roomy', { total: gibibytes(64) })
  const tight = server('tight', { total: gibibytes(8) })
  const home = server('home', { total: gibibytes(4), neighbours: 2 })
  assert.equal(place({ ...twoGib, preferredServerId: 'tight' }, [roomy, tight, home]).serverId, 'tight')
  assert.equal(place(twoGib, [roomy, tight, home]).serverId, 'home')
  assert.equal(place(twoGib, [tight, roomy]).serverId, 'roomy')
  const used = server('a-used', { reserved: { ...noAmounts, instances: '3' } })
  assert.equal(place(twoGib, [used, server('c'), server('b')]).serverId, 'b')
})

test('a preferred server that cannot take it is passed over, and says why', () => {
  const preferring = { ...twoGib, preferredServerId: 'tiny' }
  const servers = [server('tiny', { total: gibibytes(1) }), server('big')]
  assert.equal(place(preferring, servers).serverId, 'big')
  assert.match(reasonsOf('tiny', preferring, servers).join(' '), /^full: /)
})

test('what is bound to a server goes nowhere else', () => {
  const bound = { ...twoGib, bound: { serverId: 'b', because: 'its backup is kept on b' } }
  const servers = [server('a'), server('b', { total: gibibytes(1) })]
  assert.equal(place(bound, servers).serverId, null)
  assert.deepEqual(reasonsOf('a', bound, servers), ['bound: its backup is kept on b'])
})

test('an environment takes one subnet of a server, with its first instance there', () => {
  const narrow = server('narrow', { total: { ...uncounted, subnets: '1' } })
  assert.deepEqual(placeMany(3, [narrow]), ['narrow', 'narrow', 'narrow'])
  const taken = server('taken', {
    total: { ...uncounted, subnets: '1' },
    reserved: { ...noAmounts, subnets: '1' },
  })
  assert.equal(place(twoGib, [taken]).serverId, null)
})

test('the refusal lists each server with its reason, and says when there is none', () => {
  const servers = [server('a', { total: gibibytes(1) }), server('b', { tags: ['gpu'] })]
  const { message, fields } = refuseUnplaced(place(twoGib, servers), '/lines/0')
  assert.equal(
    message,
    'No server can take shop. a: 2 GiB memory needed, 1 GiB memory free of 1 GiB memory. b: tagged gpu: only for what asks for that tag.',
  )
  assert.deepEqual(
    fields.map(({ pointer, detail }) => [pointer, detail.slice(0, 2)]),
    [
      ['/lines/0', 'a:'],
      ['/lines/0', 'b:'],
    ],
  )
  assert.match(refuseUnplaced(place(twoGib, []), null).message, /none is there yet/)
})

const amount = fc.integer({ min: 0, max: 20 })
const ceiling = fc.option(amount.map(String))
const tags = fc.subarray(['gpu', 'ssd'])
const anyServer = fc.record({
  tags,
  total: fc.record({
    memoryMib: ceiling,
    cpus: ceiling,
    diskMib: ceiling,
    instances: ceiling,
    ports: ceiling,
    subnets: ceiling,
  }),
  efficiency: fc.constantFrom('0.5', '0.8', '1', '1.5'),
  drainingSince: fc.option(fc.constant('2026-04-01T09:00:00Z')),
  neighbours: fc.constantFrom(0, 0, 1),
})
const anyServers = fc
  .array(anyServer, { maxLength: 4 })
  .map((all) => all.map((said, index) => server(`server-${index}`, said)))
const anyRequest = fc
  .record({ memoryMib: amount, cpus: amount, diskMib: amount, ports: fc.constantFrom(0, 1), tags })
  .map(({ tags: asked, ...takes }): PlacementRequest => {
    const text = Object.fromEntries(Object.entries(takes).map(([resource, of]) => [resource, String(of)]))
    return { ...twoGib, tags: asked, takes: { ...noAmounts, ...(text as Partial<Amounts>), instances: '1' } }
  })

test('however much is placed, no server ever has more than it offers', async (t) => {
  await holds(t, 300, [anyServers, fc.array(anyRequest, { maxLength: 12 })], (start, requests) => {
    let servers = start
    for (const request of requests) servers = withPlaced(servers, place(request, servers))
    for (const { total, efficiency, reserved } of servers) {
      const free = Object.values(freeOf(offeredBy(total, efficiency), reserved))
      assert.ok(free.every((left) => left === null || Number(left) >= 0))
    }
  })
})

test('every server is explained, and the answer is the same whatever their order', async (t) => {
  await holds(t, 300, [anyServers, anyRequest], (servers, request) => {
    const placement = place(request, servers)
    assert.deepEqual(
      placement.servers.map(({ serverId }) => serverId).toSorted(),
      servers.map(({ id }) => id),
    )
    assert.ok(placement.servers.every(({ reasons }) => reasons.length > 0))
    const chosen = placement.servers.filter(({ isChosen }) => isChosen).map(({ serverId }) => serverId)
    assert.deepEqual(chosen, placement.serverId === null ? [] : [placement.serverId])
    assert.equal(
      placement.serverId === null,
      placement.servers.every(({ fits }) => !fits),
    )
    assert.deepEqual(place(request, servers.toReversed()), placement)
  })
})

test('where all that could take it lack ports or subnets alone, that is the refusal, with server, range and pool', () => {
  const full = (resource: 'ports' | 'subnets') =>
    server('east', {
      total: { ...uncounted, ports: '1', subnets: '1' },
      reserved: { ...noAmounts, [resource]: '1' },
      portRange: '20000 to 20000',
      subnetPool: '10.201.0.0/26',
    })
  const refusal = (...servers: PlacementServer[]) => refuseUnplaced(place(twoGib, servers), null)
  const tagged = server('west', { tags: ['gpu'] })
  assert.equal(refusal(full('ports'), tagged).code, 'ports_exhausted')
  assert.match(
    refusal(full('ports')).message,
    /east: 1 port needed, 0 ports free of 1 port in its range 20000 to 20000/,
  )
  assert.equal(refusal(full('subnets'), tagged).code, 'subnets_exhausted')
  assert.match(
    refusal(full('subnets')).message,
    /east: 1 subnet needed, 0 subnets free of 1 subnet in its pool 10\.201\.0\.0\/26/,
  )
  assert.equal(
    refusal(full('subnets'), { ...full('ports'), id: 'north', code: 'north' }).code,
    'no_server_for_application',
  )
  assert.equal(refusal(tagged).code, 'no_server_for_application')
  // Who has a network there already needs no other.
  assert.equal(place(twoGib, [{ ...full('subnets'), hasNetwork: true }]).serverId, 'east')
})
