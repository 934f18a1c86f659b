/** One thing in a compose file that is not accepted, where it is, why, and what to do about it. */
export interface Refusal {
  readonly path: readonly (string | number)[]
  readonly reason: string
  readonly remedy: string
}

const RIGHTS = 'gives rights on the server'
const NAMESPACES = 'enters a namespace of others'
const ADDRESSES = "reaches into the server's network"
const LIMITS = 'changes limits that are sold'
const FILES = 'reads files or variables of the server'
const REMOVE = 'remove it'

/** Keys of the compose specification that are refused for a reason of their own; the rest is just not supported yet. */
const REASONS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  privileged: [RIGHTS, REMOVE],
  cap_drop: ['is what Clouder does anyway: all capabilities are dropped', REMOVE],
  security_opt: [RIGHTS, 'remove it: no-new-privileges and the default profiles are always set'],
  devices: [RIGHTS, REMOVE],
  device_cgroup_rules: [RIGHTS, REMOVE],
  gpus: [RIGHTS, REMOVE],
  runtime: [RIGHTS, REMOVE],
  group_add: [RIGHTS, REMOVE],
  credential_spec: [RIGHTS, REMOVE],
  isolation: [RIGHTS, REMOVE],
  userns_mode: [NAMESPACES, REMOVE],
  network_mode: [NAMESPACES, "remove it: every instance is on its environment's network"],
  pid: [NAMESPACES, REMOVE],
  ipc: [NAMESPACES, REMOVE],
  uts: [NAMESPACES, REMOVE],
  cgroup: [NAMESPACES, REMOVE],
  cgroup_parent: [NAMESPACES, REMOVE],
  volumes_from: [NAMESPACES, 'mount a named volume in both services'],
  use_api_socket: [RIGHTS, REMOVE],
  ports: ['would take a port of the server', 'name the public service and port in x-clouder.public'],
  container_name: ['would take a name on the server', 'remove it: Clouder names containers'],
  networks: ["is replaced by the environment's network", REMOVE],
  restart: ['is replaced: containers are restarted unless stopped', REMOVE],
  logging: ['is replaced: logs are kept to 3 files of 10 MB', REMOVE],
  env_file: [FILES, 'write the variables under environment'],
  label_file: [FILES, REMOVE],
  extends: [FILES, 'write the service out'],
  include: [FILES, 'write the services out'],
  secrets: [FILES, 'declare secrets to generate in x-clouder.secrets'],
  configs: [FILES, 'put the files into the image'],
  provider: ['runs programs outside the container', REMOVE],
  develop: ['runs programs outside the container', REMOVE],
  models: ['runs programs outside the container', REMOVE],
  post_start: [RIGHTS, REMOVE],
  pre_stop: [RIGHTS, REMOVE],
  extra_hosts: [ADDRESSES, REMOVE],
  dns: [ADDRESSES, REMOVE],
  dns_opt: [ADDRESSES, REMOVE],
  dns_search: [ADDRESSES, REMOVE],
  mac_address: [ADDRESSES, REMOVE],
  external_links: [ADDRESSES, REMOVE],
  labels: ['could take an identity that is not its own', 'remove it: Clouder sets the labels'],
  sysctls: [LIMITS, REMOVE],
  oom_kill_disable: [LIMITS, REMOVE],
  oom_score_adj: [LIMITS, REMOVE],
  mem_swappiness: [LIMITS, REMOVE],
  memswap_limit: [LIMITS, 'remove it: memory and swap together are what mem_limit says'],
  storage_opt: [LIMITS, REMOVE],
  blkio_config: [LIMITS, REMOVE],
  ulimits: [LIMITS, REMOVE],
  shm_size: [LIMITS, REMOVE],
  cpu_rt_runtime: [LIMITS, REMOVE],
  cpu_rt_period: [LIMITS, REMOVE],
  external: ['is an object of others', 'remove it: Clouder makes the volume'],
  driver: ['is an object of others', REMOVE],
  driver_opts: ['can mount any folder of the server', REMOVE],
  version: ['is obsolete', REMOVE],
  name: ['is replaced: Clouder names what it makes', REMOVE],
}

/** Why a key is refused that the allowlist does not name. */
export function refuseKey(path: readonly (string | number)[], key: string): Refusal {
  const known = Object.hasOwn(REASONS, key) ? REASONS[key] : undefined
  const [reason, remedy] = known ?? ['is not supported', REMOVE]
  return { path: [...path, key], reason: `${key} ${reason}`, remedy }
}

/** `services.web.privileged (line 4): privileged gives rights on the server; remove it` */
export function describeRefusal({ path, reason, remedy }: Refusal, line: number | undefined): string {
  return `${path.join('.') || '(file)'}${line === undefined ? '' : ` (line ${line})`}: ${reason}; ${remedy}`
}

/** RFC 6901. */
export function pointerOf(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
