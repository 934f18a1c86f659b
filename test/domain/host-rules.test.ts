import assert from 'node:assert/strict'
import test from 'node:test'
import { findLacking, planChains, toRestoreText } from '#domain/host-rules.ts'

const guests = { installation: 'ins_01m8av3abffg0be5a7tvvgh4xp', pool: '10.201.0.0/16', networks: [] }
const parents = ['DOCKER-USER', 'INPUT']

function list(chains: ReturnType<typeof planChains>): string {
  const [first] = chains
  return [
    '-P INPUT ACCEPT',
    '-N DOCKER-USER',
    ...chains.map(({ name }) => `-N ${name}`),
    ...parents.map((parent) => `-A ${parent} -j ${first.name}`),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`)),
  ].join('\n')
}

test('what comes from the pool, and from networks that have addresses besides it, is kept from the host and from metadata', () => {
  const networks = ['172.20.0.0/16', '10.201.3.64/26', '172.20.0.0/16']
  const [first, wall] = planChains({ ...guests, networks })
  assert.deepEqual(first, {
    name: 'CLOUDER-e5a7tvvgh4xp',
    rules: [`-s 10.201.0.0/16 -j ${wall.name}`, `-s 172.20.0.0/16 -j ${wall.name}`],
  })
  assert.deepEqual(wall.rules, [
    '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
    '-p udp -m udp --dport 53 -j RETURN',
    '-p tcp -m tcp --dport 53 -j RETURN',
    '-d 169.254.0.0/16 -j DROP',
    '-d 100.100.100.200/32 -j DROP',
    '-d 168.63.129.16/32 -j DROP',
    '-d 192.0.0.192/32 -j DROP',
    '-m addrtype --dst-type LOCAL -j DROP',
  ])
  for (const { name } of [first, wall]) assert.ok(name.length <= 28, name)
})

test('chains of two installations have names of their own', () => {
  const other = planChains({ ...guests, installation: 'ins_01m8av3abffg0be5a7tvvgh4xq' })
  assert.notEqual(other[0].name, planChains(guests)[0].name)
})

test('a host that has all of it lacks nothing; what was taken away, changed or put in another order is found', () => {
  const chains = planChains(guests)
  const [first, wall] = chains
  const all = list(chains)
  assert.deepEqual(findLacking(all, chains, parents), { chains: [], parents: [] })
  assert.deepEqual(findLacking('', chains, parents), { chains, parents })
  const without = (line: string) => all.replace(`${line}\n`, '')
  assert.deepEqual(findLacking(without(`-A INPUT -j ${first.name}`), chains, parents).parents, ['INPUT'])
  assert.deepEqual(
    findLacking(without(`-A ${wall.name} -d 169.254.0.0/16 -j DROP`), chains, parents).chains,
    [wall],
  )
  const inFront = all.replace(`-A ${wall.name} -m`, `-A ${wall.name} -j ACCEPT\n-A ${wall.name} -m`)
  assert.deepEqual(findLacking(inFront, chains, parents).chains, [wall])
})

test('all chains are put in place in one step, and no other is named', () => {
  const chains = planChains(guests)
  const lines = toRestoreText(chains).split('\n')
  assert.deepEqual([lines[0], lines.at(-2), lines.at(-1)], ['*filter', 'COMMIT', ''])
  const named = lines.filter((line) => /^[:-]/.test(line)).map((line) => /^(?::|-A )(\S+)/.exec(line)?.[1])
  assert.deepEqual(
    [...new Set(named)],
    chains.map(({ name }) => name),
  )
})
