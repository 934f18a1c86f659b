import { below, fixedText, isGranted, listOf, mapOf, refuse, replace, type Place } from './reading.ts'
import type { KeyReader } from './service-draft.ts'
import { memorySize, processors, wholeNumber } from './values.ts'

/** How often a service runs, with what, and what happens when it ends: `restart`, `deploy`, `scale`. */

export const restart: KeyReader = (draft, value, place) => {
  const policy = fixedText(value, place)
  if (policy === undefined) return
  draft.isJob = policy === 'no' || policy === 'false' || policy.startsWith('on-failure')
  const instead = draft.isJob ? 'restarted until it ended well' : 'restarted unless stopped'
  if (policy !== 'unless-stopped') replace(place, `the container is ${instead}`)
}

export const deploy: KeyReader = (draft, value, place) => {
  const asked = mapOf(value)
  const resources = mapOf(asked['resources'])
  const limits = mapOf(resources['limits'])
  const at = below(place, 'resources', 'limits')
  if (limits['memory'] !== undefined)
    draft.memoryMib = memorySize(limits['memory'], below(at, 'memory')) ?? null
  if (limits['cpus'] !== undefined) draft.cpus = processors(limits['cpus'], below(at, 'cpus')) ?? null
  if (limits['pids'] !== undefined) draft.pids = pidCount(limits['pids'], below(at, 'pids'))
  const reservations = mapOf(resources['reservations'])
  if (listOf(reservations['devices']).length > 0) {
    const devices = below(place, 'resources', 'reservations', 'devices')
    if (isGranted(devices, 'gpus', 'a graphics card gives rights on the server')) draft.hasGpus = true
  }
  if (listOf(reservations['generic_resources']).length > 0)
    refuse(below(place, 'resources', 'reservations', 'generic_resources'), 'belongs to Swarm', 'remove it')
  scale(draft, asked['replicas'] ?? 1, below(place, 'replicas'))
  if (fixedText(mapOf(asked['restart_policy'])['condition'] ?? 'any', place) === 'none') draft.isJob = true
  for (const key of [
    'mode',
    'placement',
    'update_config',
    'rollback_config',
    'endpoint_mode',
    'labels',
    'restart_policy',
  ])
    if (key in asked) replace(below(place, key), `${key} is Swarm's: Clouder places and restarts by itself`)
}

export const scale: KeyReader = (draft, value, place) => {
  const count = wholeNumber(value, place, { least: 0, greatest: 1000 })
  if (count === 0) {
    draft.isLeftOut = true
    replace(place, `${draft.name} is asked for 0 times: it is left out`)
  } else if (count !== undefined && count > 1) replace(place, `one container is made, not ${count}`)
}

export function pidCount(value: unknown, place: Place): number | null {
  return wholeNumber(value, place, { least: 1, greatest: 256 }) ?? null
}
