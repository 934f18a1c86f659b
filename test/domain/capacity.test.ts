import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import {
  freeOf,
  lackingFor,
  noAmounts,
  offeredBy,
  sayAmount,
  scarcestShare,
  takenBy,
  type Ceilings,
} from '#domain/capacity.ts'
import { serviceDefinition, shop } from './application-fixture.ts'

const uncounted: Ceilings = {
  memoryMib: null,
  cpus: null,
  diskMib: null,
  instances: null,
  ports: null,
  subnets: null,
}

test('16 GiB at an efficiency of 0.8 are 12.8 GiB, and counts are not made less', () => {
  const total = { ...uncounted, memoryMib: '16384', cpus: '8', instances: '10', ports: '200' }
  const offered = offeredBy(total, '0.8')
  assert.deepEqual(offered, { ...total, memoryMib: '13107.2', cpus: '6.4' })
  assert.equal(sayAmount('memoryMib', offered.memoryMib ?? ''), '12.8 GiB memory')
})

test('what a container asks for is summed, and one that asks for nothing counts with what it is given', () => {
  const services = [
    { ...serviceDefinition('web'), memoryMib: 1536, cpus: 0.1 },
    { ...serviceDefinition('database'), memoryMib: 512, cpus: 0.2 },
    serviceDefinition('cache'),
  ]
  const takes = takenBy({ ...shop, services, diskMib: 10_240 })
  assert.deepEqual(takes, {
    memoryMib: '2560',
    cpus: '1.3',
    diskMib: '10240',
    instances: '1',
    ports: '1',
    subnets: '0',
  })
  assert.equal(takenBy({ ...shop, public: null }).ports, '0')
})

test('a container that asks for more than one may have is refused, whatever a server offers', () => {
  const services = [{ ...serviceDefinition('web'), memoryMib: 8192 }]
  assert.throws(() => takenBy({ ...shop, services }), { code: 'application_refused' })
})

test('exactly what is free is not too much, and what is not counted never is', () => {
  const takes = { ...noAmounts, memoryMib: '2048', cpus: '1.5' }
  assert.deepEqual(lackingFor(takes, { ...uncounted, memoryMib: '2048' }), [])
  assert.deepEqual(lackingFor(takes, { ...uncounted, memoryMib: '2047.9', cpus: '1' }), ['memoryMib', 'cpus'])
})

test('a server that offers less than is reserved takes what needs none of it', () => {
  const free = freeOf({ ...uncounted, diskMib: '10' }, { ...noAmounts, diskMib: '30' })
  assert.equal(free.diskMib, '-20')
  assert.deepEqual(lackingFor({ ...noAmounts, memoryMib: '512' }, free), [])
})

test('the scarcest resource says how much of a server is free', () => {
  const offered = { ...uncounted, memoryMib: '12800', cpus: '10' }
  assert.ok(scarcestShare(offered, { ...uncounted, memoryMib: '3200', cpus: '5' }).eq('0.25'))
  assert.ok(scarcestShare(uncounted, uncounted).eq(1))
  assert.ok(scarcestShare({ ...uncounted, instances: '0' }, uncounted).eq(new Big(0)))
})

test('amounts are said with their units', () => {
  assert.deepEqual(
    [
      sayAmount('memoryMib', '512'),
      sayAmount('diskMib', '10240'),
      sayAmount('cpus', '1'),
      sayAmount('cpus', '1.5'),
      sayAmount('instances', '1'),
      sayAmount('ports', '0'),
      sayAmount('subnets', '2'),
    ],
    ['512 MiB memory', '10 GiB disk', '1 processor', '1.5 processors', '1 instance', '0 ports', '2 subnets'],
  )
})
