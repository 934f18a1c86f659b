import type Docker from 'dockerode'
import { fillSecrets } from '#domain/application.ts'
import type { ContainerStep } from '#domain/build-plan.ts'

const MIB = 1024 * 1024
const OPEN_FILES_MAX = 16_384
const TMPFS_OPTIONS = 'rw,noexec,nosuid,nodev,size=64m'

type HostOptions = Docker.HostConfig

/** What every container is made with, whatever its application asks for: the rights and limits of a guest. */
export function createOptions(
  step: ContainerStep,
  secrets: Readonly<Record<string, string>>,
): Docker.ContainerCreateOptions {
  const fill = (template: string): string => fillSecrets(template, secrets)
  return {
    name: step.name,
    Hostname: step.service,
    Image: step.image,
    Labels: { ...step.labels },
    Env: Object.entries(step.environment).map(([name, value]) => `${name}=${fill(value)}`),
    ...(step.command === null ? {} : { Cmd: step.command.map(fill) }),
    ...(step.entrypoint === null ? {} : { Entrypoint: step.entrypoint.map(fill) }),
    ...(step.user === null ? {} : { User: step.user }),
    ...(step.workingDir === null ? {} : { WorkingDir: step.workingDir }),
    ...(step.healthCheck === null ? {} : { Healthcheck: healthOptions(step.healthCheck, fill) }),
    ExposedPorts: Object.fromEntries(ports(step).map((port) => [`${port}/tcp`, {}])),
    HostConfig: hostOptions(step),
    NetworkingConfig: { EndpointsConfig: { [step.network.name]: { Links: links(step) } } },
  }
}

function hostOptions(step: ContainerStep): HostOptions {
  return {
    CapDrop: ['ALL'],
    CapAdd: [...step.capabilities],
    SecurityOpt: ['no-new-privileges'],
    Privileged: false,
    ReadonlyRootfs: step.hasReadOnlyRoot,
    Init: step.hasInit,
    Memory: step.limits.memoryMib * MIB,
    MemorySwap: step.limits.memoryMib * MIB,
    NanoCpus: Math.round(step.limits.cpus * 1e9),
    PidsLimit: step.limits.pids,
    Ulimits: [{ Name: 'nofile', Soft: OPEN_FILES_MAX, Hard: OPEN_FILES_MAX }],
    LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    RestartPolicy: { Name: 'unless-stopped' },
    NetworkMode: step.network.name,
    PortBindings: portBindings(step),
    Tmpfs: Object.fromEntries(step.tmpfs.map((path) => [path, TMPFS_OPTIONS])),
    Mounts: step.mounts.map((mount) => ({
      Type: 'volume',
      Source: mount.volume,
      Target: mount.path,
      ReadOnly: mount.isReadOnly,
    })),
  }
}

/**
 * What the engine made otherwise than asked, in words; empty when all is in force. An engine drops what its kernel does not
 * support with a warning only, and a sold limit that is not there must not go unseen.
 */
export function differences(step: ContainerStep, found: Docker.ContainerInspectInfo): string[] {
  const wanted = hostOptions(step)
  const actual = found.HostConfig
  const keys = [
    'CapDrop',
    'CapAdd',
    'SecurityOpt',
    'Privileged',
    'ReadonlyRootfs',
    'Init',
    'Memory',
    'MemorySwap',
    'NanoCpus',
    'PidsLimit',
    'Ulimits',
    'LogConfig',
    'NetworkMode',
    'PortBindings',
    'Tmpfs',
  ] as const
  const different = keys
    .filter((key) => canonical(wanted[key]) !== canonical(actual[key]))
    // A kernel that does not account for swap says -1. The memory limit itself holds there.
    .filter((key) => key !== 'MemorySwap' || actual.MemorySwap !== -1)
  const restart = actual.RestartPolicy?.Name === 'unless-stopped' ? [] : ['RestartPolicy']
  const mounts = mountText(found) === wantedMountText(step) ? [] : ['Mounts']
  return [...different, ...restart, ...mounts].map((key) => describeDifference(key, wanted, actual))
}

function describeDifference(key: string, wanted: HostOptions, actual: HostOptions): string {
  const read = (options: HostOptions): string =>
    JSON.stringify(Object.entries(options).find(([k]) => k === key)?.[1])
  return `${key}: asked ${read(wanted)}, got ${read(actual)}`
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

function ports(step: ContainerStep): number[] {
  return [...new Set([...step.exposedPorts, ...(step.publish === null ? [] : [step.publish.port])])]
}

/** Published for this server alone; who may reach it from outside is the business of a reverse proxy. */
function portBindings(step: ContainerStep): Record<string, { HostIp: string; HostPort: string }[]> {
  if (step.publish === null) return {}
  return { [`${step.publish.port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(step.publish.hostPort) }] }
}

function links(step: ContainerStep): string[] {
  return step.peers.map((peer) => `${peer.container}:${peer.service}`)
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
