import Big from 'big.js'
import type { ApplicationDefinition } from './application.ts'
import { CONTAINER_CEILING, planLimits, type GivenLimits } from './build-plan.ts'
import { divide } from './money.ts'

/** What a server has so much of. Memory and disk are counted in MiB, processors in decimals, the rest in pieces. */
export const capacityResources = ['memoryMib', 'cpus', 'diskMib', 'instances', 'ports', 'subnets'] as const
export type CapacityResource = (typeof capacityResources)[number]

/** What the API calls each, in the order in which people are shown them. */
export const resourceNames = [
  ['memory_mib', 'memoryMib'],
  ['cpus', 'cpus'],
  ['disk_mib', 'diskMib'],
  ['instances', 'instances'],
  ['ports', 'ports'],
  ['subnets', 'subnets'],
] as const satisfies readonly (readonly [string, CapacityResource])[]

/** Of every resource so much, as a decimal. */
export type Amounts = Readonly<Record<CapacityResource, string>>
/** Of every resource at most so much; null: it is not counted. */
export type Ceilings = Readonly<Record<CapacityResource, string | null>>

export const noAmounts: Amounts = {
  memoryMib: '0',
  cpus: '0',
  diskMib: '0',
  instances: '0',
  ports: '0',
  subnets: '0',
}

/** What efficiency is about: of these a part is lost. Ports, subnets and a number of instances are there whole. */
const measured: ReadonlySet<CapacityResource> = new Set(['memoryMib', 'cpus', 'diskMib'])

/**
 * What a server offers of what it has: 16 GiB (16384 MiB) at an efficiency of 0.8 are 13107.2 MiB, which is 12.8 GiB.
 * @param efficiency a decimal above 0; above 1 more is offered than there is
 */
export function offeredBy(total: Ceilings, efficiency: string): Ceilings {
  return eachResource((resource) => {
    const amount = total[resource]
    if (amount === null || !measured.has(resource)) return amount
    return new Big(amount).times(efficiency).toFixed()
  })
}

/** What is left; below 0 where less is offered now than was reserved before. */
export function freeOf(offered: Ceilings, reserved: Amounts): Ceilings {
  return eachResource((resource) => {
    const amount = offered[resource]
    return amount === null ? null : new Big(amount).minus(reserved[resource]).toFixed()
  })
}

export function addAmounts(first: Amounts, second: Amounts): Amounts {
  return eachResource((resource) => new Big(first[resource]).plus(second[resource]).toFixed())
}

/** The resources of which more is needed than is free. */
export function lackingFor(taken: Amounts, free: Ceilings): CapacityResource[] {
  return capacityResources.filter((resource) => {
    const left = free[resource]
    return left !== null && new Big(taken[resource]).gt(0) && new Big(taken[resource]).gt(left)
  })
}

/**
 * The part of the scarcest resource that is free, from 0 to 1: of 12.8 GiB with 3.2 GiB free, and 10 processors with 5 free,
 * 0.25. Where nothing is counted it is 1.
 */
export function scarcestShare(offered: Ceilings, free: Ceilings): Big {
  return capacityResources.reduce((least, resource) => {
    const all = offered[resource]
    if (all === null) return least
    const share = new Big(all).gt(0) ? divide(new Big(free[resource] ?? all), new Big(all)) : new Big(0)
    return share.lt(least) ? share : least
  }, new Big(1))
}

/**
 * What an instance takes of a server: the most that its containers may use together, the disk that its application asks for,
 * and a port where it has a public one. A container that ends counts as the others do: it runs beside them when they start.
 * A subnet is its environment's, and not counted here.
 * @param given what an operator gave to services by name, instead of what they ask for
 * @throws `application_refused` when a service asks for more than a container may have
 */
export function takenBy(
  definition: Pick<ApplicationDefinition, 'services' | 'public' | 'diskMib'>,
  given: GivenLimits = {},
): Amounts {
  const instance = { ceiling: CONTAINER_CEILING, limits: given }
  const limits = definition.services.map((service) => planLimits(instance, service))
  const sum = (key: 'memoryMib' | 'cpus') =>
    limits.reduce((total, limit) => total.plus(limit[key]), new Big(0)).toFixed()
  return {
    memoryMib: sum('memoryMib'),
    cpus: sum('cpus'),
    diskMib: String(definition.diskMib ?? 0),
    instances: '1',
    ports: definition.public === null ? '0' : '1',
    subnets: '0',
  }
}

/** An amount as people say it: `12.8 GiB memory`, `1.5 processors`, `1 instance`. */
export function sayAmount(resource: CapacityResource, amount: string): string {
  const value = new Big(amount)
  const one = value.eq(1)
  switch (resource) {
    case 'memoryMib':
      return `${sayMib(value)} memory`
    case 'diskMib':
      return `${sayMib(value)} disk`
    case 'cpus':
      return `${value.toFixed()} ${one ? 'processor' : 'processors'}`
    case 'instances':
      return `${value.toFixed()} ${one ? 'instance' : 'instances'}`
    case 'ports':
      return `${value.toFixed()} ${one ? 'port' : 'ports'}`
    case 'subnets':
      return `${value.toFixed()} ${one ? 'subnet' : 'subnets'}`
  }
}

function sayMib(mib: Big): string {
  if (mib.abs().lt(1024)) return `${mib.round(2).toFixed()} MiB`
  return `${divide(mib, new Big(1024)).round(2).toFixed()} GiB`
}

function eachResource<T>(of: (resource: CapacityResource) => T): Record<CapacityResource, T> {
  return {
    memoryMib: of('memoryMib'),
    cpus: of('cpus'),
    diskMib: of('diskMib'),
    instances: of('instances'),
    ports: of('ports'),
    subnets: of('subnets'),
  }
}
