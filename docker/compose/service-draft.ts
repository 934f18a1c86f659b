import type {
  Device,
  FileMount,
  HealthCheck,
  HostPath,
  ImageSource,
  Mount,
  ServiceDefinition,
  SpecialOptions,
  Ulimit,
} from '#domain/application.ts'
import type { Place } from './reading.ts'

/** A service while its keys are read. */
export interface ServiceDraft {
  readonly name: string
  image: ImageSource | null
  command: string[] | null
  entrypoint: string[] | null
  environment: Record<string, string>
  /** Variables that the file passes on without giving them a value. */
  readonly passedOn: string[]
  readonly mounts: Mount[]
  readonly files: FileMount[]
  readonly hostPaths: HostPath[]
  readonly tmpfs: string[]
  readonly dependsOn: {
    service: string
    condition: 'started' | 'healthy' | 'completed'
    isRequired: boolean
  }[]
  readonly mountsOf: string[]
  readonly aliasesOfOthers: { service: string; alias: string }[]
  readonly aliases: string[]
  healthCheck: HealthCheck | null
  isHealthOff: boolean
  readonly exposedPorts: Set<number>
  readonly publishedPorts: number[]
  user: string | null
  workingDir: string | null
  hostname: string | null
  memoryMib: number | null
  cpus: number | null
  pids: number | null
  shmMib: number | null
  stopSignal: string | null
  stopGracePeriodMs: number | null
  platform: string | null
  hasInit: boolean
  hasReadOnlyRoot: boolean
  hasTty: boolean
  hasStdin: boolean
  labels: Record<string, string>
  /** May end: `restart: "no"` or `on-failure`, or another service waits for its end. */
  isJob: boolean
  isLeftOut: boolean
  readonly capabilities: Set<string>
  isPrivileged: boolean
  hasHostNetwork: boolean
  hasHostPid: boolean
  hasHostIpc: boolean
  hasGpus: boolean
  engineRuntime: string | null
  readonly securityOptions: string[]
  readonly devices: Device[]
  readonly sysctls: Record<string, string>
  readonly extraHosts: string[]
  readonly dns: string[]
  readonly ulimits: Ulimit[]
}

/** Reads one key of a service into the draft; what is wrong goes into the findings of the place. */
export type KeyReader = (draft: ServiceDraft, value: unknown, place: Place) => void

export function newDraft(name: string): ServiceDraft {
  return {
    name,
    image: null,
    command: null,
    entrypoint: null,
    environment: {},
    passedOn: [],
    mounts: [],
    files: [],
    hostPaths: [],
    tmpfs: [],
    dependsOn: [],
    mountsOf: [],
    aliasesOfOthers: [],
    aliases: [],
    healthCheck: null,
    isHealthOff: false,
    exposedPorts: new Set(),
    publishedPorts: [],
    user: null,
    workingDir: null,
    hostname: null,
    memoryMib: null,
    cpus: null,
    pids: null,
    shmMib: null,
    stopSignal: null,
    stopGracePeriodMs: null,
    platform: null,
    hasInit: true,
    hasReadOnlyRoot: false,
    hasTty: false,
    hasStdin: false,
    labels: {},
    isJob: false,
    isLeftOut: false,
    capabilities: new Set(),
    isPrivileged: false,
    hasHostNetwork: false,
    hasHostPid: false,
    hasHostIpc: false,
    hasGpus: false,
    engineRuntime: null,
    securityOptions: [],
    devices: [],
    sysctls: {},
    extraHosts: [],
    dns: [],
    ulimits: [],
  }
}

/** The service as an application keeps it. Null where it has no image: the findings say so. */
export function finishDraft(draft: ServiceDraft): ServiceDefinition | null {
  if (draft.image === null) return null
  const special = specialOf(draft)
  return {
    name: draft.name,
    image: draft.image,
    command: draft.command,
    entrypoint: draft.entrypoint,
    environment: draft.environment,
    mounts: draft.mounts,
    dependsOn: draft.dependsOn.map(({ service, condition }) => ({ service, condition })),
    healthCheck: draft.healthCheck,
    exposedPorts: [...draft.exposedPorts],
    user: draft.user,
    workingDir: draft.workingDir,
    memoryMib: draft.memoryMib,
    cpus: draft.cpus,
    pids: draft.pids,
    hasInit: draft.hasInit,
    hasReadOnlyRoot: draft.hasReadOnlyRoot,
    tmpfs: draft.tmpfs,
    capabilities: [...draft.capabilities].sort(),
    ...(special === null ? {} : { special }),
  }
}

/** Only what is asked: most services ask for none of it. */
function specialOf(draft: ServiceDraft): SpecialOptions | null {
  const asked = {
    hostname: draft.hostname,
    aliases: draft.aliases,
    labels: draft.labels,
    stopSignal: draft.stopSignal,
    stopGracePeriodMs: draft.stopGracePeriodMs,
    hasTty: draft.hasTty,
    hasStdin: draft.hasStdin,
    isHealthOff: draft.isHealthOff,
    shmMib: draft.shmMib,
    platform: draft.platform,
    files: draft.files,
    passedOn: draft.passedOn,
    isJob: draft.isJob,
    isPrivileged: draft.isPrivileged,
    hasHostNetwork: draft.hasHostNetwork,
    hasHostPid: draft.hasHostPid,
    hasHostIpc: draft.hasHostIpc,
    hasGpus: draft.hasGpus,
    engineRuntime: draft.engineRuntime,
    securityOptions: draft.securityOptions,
    devices: draft.devices,
    hostPaths: draft.hostPaths,
    sysctls: draft.sysctls,
    extraHosts: draft.extraHosts,
    dns: draft.dns,
    ulimits: draft.ulimits,
  }
  const entries = Object.entries(asked).filter(
    ([, value]) => value !== null && value !== false && !isEmpty(value),
  )
  return entries.length === 0 ? null : Object.fromEntries(entries)
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
