import { GRANTABLE_CAPABILITIES } from '#domain/application.ts'
import { textOf, below, fixedText, isGranted, listOf, mapOf, pairsOf, refuse, replace } from './reading.ts'
import type { KeyReader, ServiceDraft } from './service-draft.ts'
import { trueOrFalse, wholeNumber } from './values.ts'

/**
 * The keys by which a container gets rights on the server, enters namespaces of others or leaves its limits. They are read
 * here, in one place: each is refused, or needs a permission by name.
 */

const RIGHTS = 'gives rights on the server'
const NAMESPACES = 'enters a namespace of others'
const ADDRESSES = "reaches into the server's network"
const LIMITS = 'changes limits that are sold'
const PROGRAMS = 'runs programs outside the container'

const OPEN_FILES_MAX = 16_384
const FREE_CAPABILITIES: readonly string[] = GRANTABLE_CAPABILITIES

function never(reason: string, remedy = 'remove it'): KeyReader {
  return (_draft, _value, place) => refuse(place, `${String(place.path.at(-1))} ${reason}`, remedy)
}

const privileged: KeyReader = (draft, value, place) => {
  if (trueOrFalse(value, place) !== true) return
  if (isGranted(place, 'privileged', `privileged ${RIGHTS}`)) draft.isPrivileged = true
}

const capabilities: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const at = below(place, index)
    const name = fixedText(item, at)?.toUpperCase().replace(/^CAP_/, '')
    if (name === undefined) continue
    const isFree = FREE_CAPABILITIES.includes(name)
    const reason = `the capability ${name} ${RIGHTS}; without a permission there are ${FREE_CAPABILITIES.join(', ')}`
    if (isFree || isGranted(at, `capability:${name}`, reason)) draft.capabilities.add(name)
  }
}

const capabilitiesDropped: KeyReader = (_draft, _value, place) =>
  replace(place, 'all capabilities are dropped anyway, but for those under cap_add')

const securityOptions: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const at = below(place, index)
    const option = fixedText(item, at)
    if (option === undefined || /^no-new-privileges(?:[:=]true)?$/.test(option)) continue
    if (isGranted(at, `security_opt:${option}`, `${option} ${RIGHTS}`)) draft.securityOptions.push(option)
  }
}

const devices: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const at = below(place, index)
    const long = mapOf(item)
    const text =
      typeof item === 'string'
        ? fixedText(item, at)
        : `${textOf(long['source'])}:${textOf(long['target'] ?? long['source'])}:${textOf(long['permissions'] ?? 'rwm')}`
    if (text === undefined) continue
    const [source = '', path = source, permissions = 'rwm'] = text.split(':')
    if (isGranted(at, `device:${source}`, `the device ${source} ${RIGHTS}`))
      draft.devices.push({ source, path, permissions })
  }
}

const gpus: KeyReader = (draft, _value, place) => {
  if (isGranted(place, 'gpus', `a graphics card ${RIGHTS}`)) draft.hasGpus = true
}

const runtime: KeyReader = (draft, value, place) => {
  const name = fixedText(value, place)
  if (name === undefined || name === 'runc') return
  if (isGranted(place, `runtime:${name}`, `the runtime ${name} ${RIGHTS}`)) draft.engineRuntime = name
}

const networkMode: KeyReader = (draft, value, place) => {
  const mode = fixedText(value, place)
  if (mode === undefined) return
  if (mode === 'bridge' || mode === 'default')
    return replace(place, "every instance is on its environment's network")
  if (mode !== 'host')
    return refuse(
      place,
      `network_mode ${mode} ${NAMESPACES}`,
      'remove it: services reach each other by their names',
    )
  if (isGranted(place, 'host_network', `network_mode host ${NAMESPACES}: the server's own network`))
    draft.hasHostNetwork = true
}

/** `pid` and `ipc`: their own, or the server's by permission. */
function namespace(
  key: 'pid' | 'ipc',
  own: readonly string[],
  grant: (draft: ServiceDraft) => void,
): KeyReader {
  return (draft, value, place) => {
    const mode = fixedText(value, place)
    if (mode === undefined || own.includes(mode)) return
    if (mode !== 'host') return refuse(place, `${key} ${mode} ${NAMESPACES}`, 'remove it')
    if (isGranted(place, `host_${key}`, `${key} host ${NAMESPACES}: all processes of the server`))
      grant(draft)
  }
}

const sysctls: KeyReader = (draft, value, place) => {
  for (const [name, setting] of pairsOf(value)) {
    const text = fixedText(setting, place)
    if (text !== undefined && isGranted(place, `sysctl:${name}`, `sysctls ${LIMITS}`))
      draft.sysctls[name] = text
  }
}

const extraHosts: KeyReader = (draft, value, place) => {
  for (const [host, item] of pairsOf(
    value,
    Array.isArray(value) && listOf(value).some((one) => String(one).includes('=')) ? '=' : ':',
  )) {
    for (const one of listOf(item)) {
      const address = fixedText(one, place)
      if (address === undefined) continue
      const isOwn = address === '127.0.0.1' || address === '::1'
      const permission = address === 'host-gateway' ? 'host_gateway' : `extra_host:${host}:${address}`
      if (isOwn || isGranted(place, permission, `${host} at ${address} ${ADDRESSES}`))
        draft.extraHosts.push(`${host}:${address}`)
    }
  }
}

const dns: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const at = below(place, index)
    const address = fixedText(item, at)
    if (
      address !== undefined &&
      isGranted(at, `dns:${address}`, `names are asked of ${address}, outside the server`)
    )
      draft.dns.push(address)
  }
}

const ulimits: KeyReader = (draft, value, place) => {
  for (const [name, item] of Object.entries(mapOf(value))) {
    const at = below(place, name)
    const pair = typeof item === 'object' ? mapOf(item) : { soft: item, hard: item }
    const bounds = { least: -1, greatest: Number.MAX_SAFE_INTEGER }
    const soft = wholeNumber(pair['soft'], at, bounds)
    const hard = wholeNumber(pair['hard'] ?? pair['soft'], at, bounds)
    if (soft === undefined || hard === undefined) continue
    const isWithin = name === 'nofile' && hard >= 0 && hard <= OPEN_FILES_MAX
    const reason = `${name} ${hard} is above what a container has${name === 'nofile' ? `, ${OPEN_FILES_MAX}` : ''}`
    if (isWithin || isGranted(at, `ulimit:${name}=${hard}`, reason)) draft.ulimits.push({ name, soft, hard })
  }
}

const ownOnly =
  (own: string, reason: string): KeyReader =>
  (_draft, value, place) => {
    const mode = fixedText(value, place)
    if (mode !== undefined && mode !== own)
      refuse(place, `${String(place.path.at(-1))} ${mode} ${reason}`, 'remove it')
  }

export const rightsKeys: Readonly<Record<string, KeyReader>> = {
  privileged,
  cap_add: capabilities,
  cap_drop: capabilitiesDropped,
  security_opt: securityOptions,
  devices,
  gpus,
  runtime,
  network_mode: networkMode,
  pid: namespace('pid', [], (draft) => (draft.hasHostPid = true)),
  ipc: namespace('ipc', ['private', 'shareable', 'none'], (draft) => (draft.hasHostIpc = true)),
  sysctls,
  extra_hosts: extraHosts,
  dns,
  ulimits,
  cgroup: ownOnly('private', NAMESPACES),
  device_cgroup_rules: never(RIGHTS),
  group_add: never(RIGHTS),
  credential_spec: never(RIGHTS),
  isolation: never(RIGHTS),
  use_api_socket: never(RIGHTS),
  userns_mode: never(NAMESPACES),
  uts: never(NAMESPACES),
  cgroup_parent: never(NAMESPACES),
  dns_opt: never(ADDRESSES),
  dns_search: never(ADDRESSES),
  mac_address: never(ADDRESSES),
  external_links: never(ADDRESSES, 'have both in one file, or offer a link under x-clouder'),
  provider: never(PROGRAMS),
  develop: never(PROGRAMS),
  models: never(PROGRAMS),
  post_start: never('runs commands beside those of the image', 'do it in the entrypoint'),
  pre_stop: never('runs commands beside those of the image', 'do it in the entrypoint'),
  oom_kill_disable: never(LIMITS),
  oom_score_adj: never(LIMITS),
  mem_swappiness: never(LIMITS),
  storage_opt: never(LIMITS),
  blkio_config: never(LIMITS),
  cpuset: never(LIMITS),
  cpu_rt_runtime: never(LIMITS),
  cpu_rt_period: never(LIMITS),
}
