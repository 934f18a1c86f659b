import type Docker from 'dockerode'
import type { SpecialOptions } from '#domain/application.ts'
import type { ContainerStep } from '#domain/build-plan.ts'
import type { ContainerDifference } from '#domain/container-difference.ts'
import { interpolate, valuesOf } from '#domain/interpolation.ts'

const MIB = 1024 * 1024
const OPEN_FILES_MAX = 16_384
const TMPFS_OPTIONS = 'rw,noexec,nosuid,nodev,size=64m'

type HostOptions = Docker.HostConfig

/** What every container is made with, whatever its application asks for: the rights and limits of a guest. */
export function createOptions(
  step: ContainerStep,
  secrets: Readonly<Record<string, string>>,
): Docker.ContainerCreateOptions {
  const valueOf = valuesOf(secrets)
  const fill = (template: string): string => interpolate(template, valueOf)
  const special = step.special ?? {}
  const passedOn = (special.passedOn ?? []).filter((name) => valueOf(name) !== undefined)
  return {
    name: step.name,
    ...(special.hasHostNetwork === true ? {} : { Hostname: special.hostname ?? hostName(step.service) }),
    Image: step.image,
    Labels: { ...mapValues(special.labels ?? {}, fill), ...step.labels },
    Env: [
      ...passedOn.map((name) => `${name}=${valueOf(name) ?? ''}`),
      ...Object.entries(step.environment).map(([name, value]) => `${name}=${fill(value)}`),
    ],
    Tty: special.hasTty ?? false,
    OpenStdin: special.hasStdin ?? false,
    ...(special.stopSignal === undefined ? {} : { StopSignal: special.stopSignal }),
    ...(special.stopGracePeriodMs === undefined
      ? {}
      : { StopTimeout: Math.ceil(special.stopGracePeriodMs / 1000) }),
    ...(special.platform === undefined ? {} : { platform: special.platform }),
    ...(special.isHealthOff === true ? { Healthcheck: { Test: ['NONE'] } } : {}),
    ...(step.command === null ? {} : { Cmd: step.command.map(fill) }),
    ...(step.entrypoint === null ? {} : { Entrypoint: step.entrypoint.map(fill) }),
    ...(step.user === null ? {} : { User: step.user }),
    ...(step.workingDir === null ? {} : { WorkingDir: step.workingDir }),
    ...(step.healthCheck === null ? {} : { Healthcheck: healthOptions(step.healthCheck, fill) }),
    ExposedPorts: Object.fromEntries(ports(step).map((port) => [`${port}/tcp`, {}])),
    HostConfig: hostOptions(step),
    ...(special.hasHostNetwork === true || step.isCutOff === true
      ? {}
      : { NetworkingConfig: { EndpointsConfig: { [step.network.name]: endpointOf(step) } } }),
  }
}

/** A service's name may hold what a host's may not. */
function hostName(service: string): string {
  return service.replaceAll(/[^a-zA-Z0-9-]+/g, '-').slice(0, 63)
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}

function hostOptions(step: ContainerStep): HostOptions {
  const special = step.special ?? {}
  return {
    CapDrop: ['ALL'],
    CapAdd: [...step.capabilities],
    SecurityOpt: ['no-new-privileges', ...(special.securityOptions ?? [])],
    Privileged: special.isPrivileged ?? false,
    ReadonlyRootfs: step.hasReadOnlyRoot,
    Init: step.hasInit,
    Memory: step.limits.memoryMib * MIB,
    MemorySwap: step.limits.memoryMib * MIB,
    NanoCpus: Math.round(step.limits.cpus * 1e9),
    PidsLimit: step.limits.pids,
    Ulimits: ulimits(special),
    LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    RestartPolicy: restartPolicy(special),
    NetworkMode: networkMode(step),
    PortBindings: portBindings(step),
    Tmpfs: Object.fromEntries(step.tmpfs.map((path) => [path, TMPFS_OPTIONS])),
    Mounts: step.mounts.map((mount) => ({
      Type: 'volume',
      Source: mount.volume,
      Target: mount.path,
      ReadOnly: mount.isReadOnly,
    })),
    ...(special.hostPaths === undefined ? {} : { Binds: special.hostPaths.map(bindText) }),
    ...(special.shmMib === undefined ? {} : { ShmSize: special.shmMib * MIB }),
    ...permitted(special),
  }
}

function networkMode(step: ContainerStep): string {
  if (step.isCutOff === true) return 'none'
  return step.special?.hasHostNetwork === true ? 'host' : step.network.name
}

/** What only a permission gives. */
function permitted(special: SpecialOptions): Partial<HostOptions> {
  return {
    ...(special.hasHostPid === true ? { PidMode: 'host' } : {}),
    ...(special.hasHostIpc === true ? { IpcMode: 'host' } : {}),
    ...(special.engineRuntime === undefined ? {} : { Runtime: special.engineRuntime }),
    ...(special.sysctls === undefined ? {} : { Sysctls: { ...special.sysctls } }),
    ...(special.extraHosts === undefined ? {} : { ExtraHosts: [...special.extraHosts] }),
    ...(special.dns === undefined ? {} : { Dns: [...special.dns] }),
    ...(special.devices === undefined ? {} : { Devices: special.devices.map(toDevice) }),
    ...(special.hasGpus === true ? { DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] } : {}),
  }
}

function toDevice({ source, path, permissions }: NonNullable<SpecialOptions['devices']>[number]) {
  return { PathOnHost: source, PathInContainer: path, CgroupPermissions: permissions }
}

function bindText({ source, path, isReadOnly }: NonNullable<SpecialOptions['hostPaths']>[number]): string {
  return `${source}:${path}:${isReadOnly ? 'ro' : 'rw'}`
}

function ulimits(special: SpecialOptions): { Name: string; Soft: number; Hard: number }[] {
  const asked = (special.ulimits ?? []).map(({ name, soft, hard }) => ({
    Name: name,
    Soft: soft,
    Hard: hard,
  }))
  const hasNofile = asked.some((limit) => limit.Name === 'nofile')
  return hasNofile ? asked : [{ Name: 'nofile', Soft: OPEN_FILES_MAX, Hard: OPEN_FILES_MAX }, ...asked]
}

/** A job that ended well stays ended, over a reboot too. */
function restartPolicy(special: SpecialOptions): { Name: string; MaximumRetryCount?: number } {
  return special.isJob === true ? { Name: 'on-failure', MaximumRetryCount: 3 } : { Name: 'unless-stopped' }
}

/**
 * What the engine made otherwise than asked; empty when all is in force. An engine drops what its kernel does not support with a
 * warning only, and a sold limit that is not there must not go unseen.
 */
export function differences(step: ContainerStep, found: Docker.ContainerInspectInfo): ContainerDifference[] {
  const wanted = hostOptions(step)
  const actual = found.HostConfig
  const keys = [
    'CapDrop',
    'CapAdd',
    'SecurityOpt',
    'Privileged',
    'ReadonlyRootfs',
    'Init',
    'Ulimits',
    'LogConfig',
    'NetworkMode',
    'PortBindings',
    'Tmpfs',
    'Binds',
    'ExtraHosts',
    'Dns',
    'Sysctls',
  ] as const
  const made = keys
    .filter((key) => canonical(wanted[key]) !== canonical(actual[key]))
    .map((key) => different(key, wanted[key], actual[key]))
  const policies = [wanted.RestartPolicy?.Name, actual.RestartPolicy?.Name] as const
  const mounts = [wantedMountText(step), mountText(found)] as const
  return [
    ...limitDifferences(step, found),
    ...made,
    ...(policies[0] === policies[1] ? [] : [different('RestartPolicy', ...policies)]),
    ...(mounts[0] === mounts[1] ? [] : [different('Mounts', ...mounts)]),
  ]
}

/** Memory, processors and processes: the only ones that an engine changes while the container runs. */
export function limitDifferences(
  step: ContainerStep,
  found: Docker.ContainerInspectInfo,
): ContainerDifference[] {
  const { Memory: memory = 0, MemorySwap: swap, NanoCpus: cpus = 0, PidsLimit: pids } = found.HostConfig
  // A kernel that does not account for swap says -1. The memory limit itself holds there.
  const hasOtherSwap = swap !== memory && swap !== -1
  const compared = [
    ['memory_mib', step.limits.memoryMib, memory / MIB],
    ['memory_and_swap_mib', step.limits.memoryMib, hasOtherSwap ? (swap ?? 0) / MIB : step.limits.memoryMib],
    ['cpus', step.limits.cpus, cpus / 1e9],
    ['pids', step.limits.pids, pids ?? 0],
  ] as const
  return compared
    .filter(([, wanted, running]) => wanted !== running)
    .map(([key, wanted, running]) => different(key, wanted, running))
}

/** What sets the limits of a container that is there. */
export function limitOptions(step: ContainerStep) {
  const { Memory, MemorySwap, NanoCpus, PidsLimit } = hostOptions(step)
  return { Memory, MemorySwap, NanoCpus, PidsLimit }
}

function different(key: string, wanted: unknown, running: unknown): ContainerDifference {
  const text = (value: unknown): string | null => {
    if (value === undefined || value === null) return null
    return typeof value === 'string' ? value : JSON.stringify(value)
  }
  return { key, wanted: text(wanted), running: text(running) }
}

/**
 * Variables whose value in the container is another one than the plan's, with both. One that holds a secret or a sealed value is
 * not compared: neither value may be shown.
 */
export function environmentDifferences(
  step: ContainerStep,
  found: Docker.ContainerInspectInfo,
): ContainerDifference[] {
  const actual = new Map(
    (found.Config.Env ?? []).map((text) => {
      const at = text.indexOf('=')
      return [text.slice(0, at), text.slice(at + 1)] as const
    }),
  )
  return Object.entries(step.environment)
    .filter(([name, value]) => !value.includes('$') && actual.get(name) !== value)
    .map(([name, value]) => different(`environment.${name}`, value, actual.get(name)))
}

/** Absent, empty and null mean the same to the engine; capabilities may come back with their prefix and in another order. */
function canonical(value: unknown): string {
  if (value === undefined || value === null) return '[]'
  if (Array.isArray(value)) {
    const items = value.map((item) =>
      typeof item === 'string' ? item.replace(/^CAP_/, '') : canonical(item),
    )
    return `[${items.sort().join()}]`
  }
  if (typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, item]) => `${key}:${canonical(item)}`)
  return entries.length === 0 ? '[]' : `{${entries.sort().join()}}`
}

function wantedMountText(step: ContainerStep): string {
  return step.mounts
    .map((mount) => `${mount.volume}:${mount.path}:${!mount.isReadOnly}`)
    .sort()
    .join()
}

/** Anonymous volumes, which an image may ask for, are left out: they were not asked for by the step. */
function mountText(found: Docker.ContainerInspectInfo): string {
  return found.Mounts.filter((mount) => mount.Type === 'volume' && !/^[0-9a-f]{64}$/.test(mount.Name ?? ''))
    .map((mount) => `${mount.Name}:${mount.Destination}:${mount.RW}`)
    .sort()
    .join()
}

/** On the server's own network there is nothing to expose: every port of the container is the server's. */
function ports(step: ContainerStep): number[] {
  if (step.special?.hasHostNetwork === true) return []
  return [...new Set([...step.exposedPorts, ...(step.publish === null ? [] : [step.publish.port])])]
}

/** Published for this server alone; who may reach it from outside is the business of a reverse proxy. */
function portBindings(step: ContainerStep): Record<string, { HostIp: string; HostPort: string }[]> {
  if (step.publish === null || step.special?.hasHostNetwork === true) return {}
  return { [`${step.publish.port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(step.publish.hostPort) }] }
}

function endpointOf(step: ContainerStep): Docker.EndpointSettings {
  const { aliases } = step.network
  return { Links: links(step), ...(aliases === undefined ? {} : { Aliases: [...aliases] }) }
}

function links(step: ContainerStep): string[] {
  return step.peers.flatMap((peer) =>
    [peer.service, ...(peer.aliases ?? [])].map((alias) => `${peer.container}:${alias}`),
  )
}

function healthOptions(
  check: NonNullable<ContainerStep['healthCheck']>,
  fill: (template: string) => string,
): Docker.HealthConfig {
  const nanoseconds = (durationMs: number): number => durationMs * 1e6
  return {
    Test: check.test.map(fill),
    Interval: nanoseconds(check.intervalMs),
    Timeout: nanoseconds(check.timeoutMs),
    Retries: check.retries,
    StartPeriod: nanoseconds(check.startPeriodMs),
  }
}
