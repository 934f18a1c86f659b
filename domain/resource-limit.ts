import Big from 'big.js'
import type { ResourceLimit } from './application.ts'
import type { ContainerLimits } from './build-plan.ts'
import { BusinessError } from './errors.ts'
import { convertUnit } from './unit.ts'

/** An engine starts nothing with less. */
const leastMemoryMib = 6

/**
 * What a container gets for a sold quantity: 2 GiB of memory are 2048 MiB, rounded down to whole ones; processors may be parts of
 * one, processes are whole.
 * @throws `unit_not_convertible` for memory that is not sold in a unit of data, `quantity_invalid` for less than a container runs with
 */
export function soldResource(
  resource: ResourceLimit['resource'],
  quantity: string,
  unit: string,
): Partial<ContainerLimits> {
  const sold = new Big(quantity)
  const number = resource === 'memory' ? convertUnit(sold, unit, 'MiB') : sold
  const value = resource === 'cpus' ? number.toNumber() : number.round(0, Big.roundDown).toNumber()
  if (value < (resource === 'memory' ? leastMemoryMib : resource === 'pids' ? 1 : 0.01))
    throw new BusinessError('quantity_invalid', `Nothing runs with ${resource} of ${quantity} ${unit}.`)
  if (resource === 'memory') return { memoryMib: value }
  return resource === 'cpus' ? { cpus: value } : { pids: value }
}
