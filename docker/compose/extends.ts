import type { Findings } from './finding.ts'
import { textOf, listOf, mapOf, pairsOf } from './reading.ts'

type Service = Readonly<Record<string, unknown>>

/** Keys that a service and the one it extends have both: what becomes of them. Everything else: the service's own wins. */
const MERGED_BY_NAME = new Set(['environment', 'labels', 'extra_hosts', 'sysctls', 'annotations'])
const MERGED_BY_TARGET = new Set(['volumes', 'devices'])
const APPENDED = new Set([
  'ports',
  'expose',
  'dns',
  'tmpfs',
  'cap_add',
  'cap_drop',
  'security_opt',
  'env_file',
  'configs',
  'secrets',
  'links',
  'volumes_from',
  'profiles',
])
const MERGED_DEEPLY = new Set([
  'deploy',
  'healthcheck',
  'logging',
  'ulimits',
  'build',
  'networks',
  'depends_on',
])

/**
 * Services with what they extend put into them. A service of another file is refused: the folder's other compose files are
 * not read.
 * Source: compose-spec, "Extend" and "Merge".
 */
export function extendServices(
  services: Readonly<Record<string, unknown>>,
  findings: Findings,
): Record<string, unknown> {
  const done = new Map<string, unknown>()
  const resolve = (name: string, seen: readonly string[]): unknown => {
    if (done.has(name)) return done.get(name)
    const service = mapOf(services[name])
    const base = baseOf(name, service, services, findings, seen)
    const whole =
      base === undefined ? services[name] : mergeServices(mapOf(resolve(base, [...seen, name])), service)
    done.set(name, whole)
    return whole
  }
  return Object.fromEntries(Object.keys(services).map((name) => [name, resolve(name, [])]))
}

function baseOf(
  name: string,
  service: Service,
  services: Readonly<Record<string, unknown>>,
  findings: Findings,
  seen: readonly string[],
): string | undefined {
  const asked = service['extends']
  if (asked === undefined || asked === null) return undefined
  const path = ['services', name, 'extends']
  const base = typeof asked === 'string' ? asked : textOf(mapOf(asked)['service'] ?? '')
  const file = mapOf(asked)['file']
  let reason: string | undefined
  if (file !== undefined) reason = `${textOf(file)} is another compose file, which is not read`
  else if (!Object.hasOwn(services, base)) reason = `there is no service ${base}`
  else if (base === name || seen.includes(base)) reason = `${base} extends ${name} in turn`
  if (reason === undefined) return base
  findings.refuse(path, reason, 'write the service out')
  return undefined
}

function mergeServices(base: Service, own: Service): Service {
  const merged: Record<string, unknown> = { ...base }
  delete merged['extends']
  for (const [key, value] of Object.entries(own)) {
    merged[key] = key in base && value !== null ? mergeKey(key, base[key], value) : value
  }
  return merged
}

function mergeKey(key: string, base: unknown, own: unknown): unknown {
  if (MERGED_BY_NAME.has(key)) return Object.fromEntries([...pairsOf(base), ...pairsOf(own)])
  if (MERGED_BY_TARGET.has(key)) return mergeByTarget(listOf(base), listOf(own))
  if (APPENDED.has(key)) return [...listOf(base), ...listOf(own)]
  if (MERGED_DEEPLY.has(key)) return mergeDeeply(asConditions(key, base), asConditions(key, own))
  return own
}

/** The list of `depends_on` and `networks` is short for a mapping. */
function asConditions(key: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value
  const empty = key === 'depends_on' ? { condition: 'service_started' } : null
  return Object.fromEntries(value.map((name) => [String(name), empty]))
}

function mergeByTarget(base: readonly unknown[], own: readonly unknown[]): unknown[] {
  const byTarget = new Map([...base, ...own].map((item) => [targetOf(item), item]))
  return [...byTarget.values()]
}

function targetOf(item: unknown): string {
  if (typeof item !== 'string') return textOf(mapOf(item)['target'])
  return item.split(':')[1] ?? item
}

function mergeDeeply(base: unknown, own: unknown): unknown {
  const [under, over] = [mapOf(base), mapOf(own)]
  if (Array.isArray(own) || typeof own !== 'object' || Object.keys(under).length === 0) return own
  const merged: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over))
    merged[key] = key in under ? mergeDeeply(under[key], value) : value
  return merged
}
