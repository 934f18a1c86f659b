import { orderServices, type ApplicationDefinition, type ServiceDefinition } from './application.ts'
import { CONTAINER_CEILING, planLimits, type PlannedInstance } from './build-plan.ts'
import { variablesOf } from './interpolation.ts'
import { fillService, templatesOf, type VariableValues } from './variable.ts'

/** What is said of an application while it is exported. */
export interface ExportedApplication {
  readonly definition: ApplicationDefinition
  /** Values of its variables. A secret that is to be left out has none. */
  readonly values: VariableValues
  /** Port on 127.0.0.1 under which it answers; null: it publishes nothing. */
  readonly hostPort: number | null
  /** What its containers were given instead of what the application says. */
  readonly limits?: Pick<PlannedInstance, 'limits'>
  /** By image as the application names it: the exact one that is to be run. Left out: as it is named. */
  readonly images?: Readonly<Record<string, string>>
}

export interface ComposeExport {
  /** A plain JSON value in the form of the Compose specification. */
  readonly compose: Readonly<Record<string, unknown>>
  /** Variables that have no value in it: they are given by the environment or a file `.env`, and it does not start without. */
  readonly variables: readonly string[]
  /** Images that no registry has: they are to be built or loaded before. */
  readonly localImages: readonly string[]
}

/**
 * An application as a compose file that knows nothing of Clouder: `docker compose up` runs it with the same rights and limits,
 * as far as the specification can say them. Volumes begin empty.
 */
export function exportCompose(application: ExportedApplication): ComposeExport {
  const { definition, values } = application
  const services = orderServices(definition.services)
    .map((service) => withPassedSecrets(service, definition))
    .map((service) => fillService(service, values))
  const exported = services.map((service) => [service.name, toComposeService(service, application)] as const)
  const configs = services.flatMap((service) =>
    (service.special?.files ?? []).map(
      ({ content }, index) => [configName(service, index), { content }] as const,
    ),
  )
  return {
    compose: {
      services: Object.fromEntries(exported),
      ...(definition.volumes.length === 0
        ? {}
        : { volumes: Object.fromEntries(definition.volumes.map((volume) => [volume, {}])) }),
      ...(configs.length === 0 ? {} : { configs: Object.fromEntries(configs) }),
    },
    variables: missingVariables(services),
    localImages: [
      ...new Set(services.flatMap(({ image }) => (image.from === 'folder' ? image.reference : []))),
    ].filter((reference) => application.images?.[reference] === undefined),
  }
}

/** A secret that a service has by its name alone is there without a template. */
function withPassedSecrets(
  service: ServiceDefinition,
  { secrets }: ApplicationDefinition,
): ServiceDefinition {
  const passedOn = service.special?.passedOn ?? []
  const names = secrets.map(({ name }) => name).filter((name) => passedOn.includes(name))
  const given = Object.fromEntries(names.map((name) => [name, `\${${name}}`]))
  return { ...service, environment: { ...given, ...service.environment } }
}

/** What has a fallback needs no value. */
function missingVariables(services: readonly ServiceDefinition[]): string[] {
  const uses = services.flatMap(templatesOf).flatMap(({ text }) => variablesOf(text))
  return [...new Set(uses.filter(({ isOptional }) => !isOptional).map(({ name }) => name))].toSorted()
}

function configName(service: ServiceDefinition, index: number): string {
  return `${service.name}-${index + 1}`
}

function toComposeService(
  service: ServiceDefinition,
  { definition, hostPort, limits, images = {} }: ExportedApplication,
): Record<string, unknown> {
  const { memoryMib, cpus, pids } = planLimits({ ceiling: CONTAINER_CEILING, ...limits }, service)
  const isPublic = definition.public?.service === service.name && hostPort !== null
  const { special = {} } = service
  return withoutNothing({
    image: images[service.image.reference] ?? service.image.reference,
    command: service.command,
    entrypoint: service.entrypoint,
    environment: service.environment,
    volumes: service.mounts.map(({ volume, path, isReadOnly }) =>
      withoutNothing({ type: 'volume', source: volume, target: path, read_only: isReadOnly || null }),
    ),
    depends_on: Object.fromEntries(
      service.dependsOn.map(({ service: name, condition }) => [name, { condition: CONDITIONS[condition] }]),
    ),
    healthcheck: healthOf(service),
    ports: isPublic ? [`127.0.0.1:${hostPort}:${definition.public?.port}`] : [],
    expose: service.exposedPorts.map(String),
    user: service.user,
    working_dir: service.workingDir,
    mem_limit: `${memoryMib}m`,
    cpus,
    pids_limit: pids,
    init: service.hasInit || null,
    read_only: service.hasReadOnlyRoot || null,
    tmpfs: [...new Set(['/tmp', ...service.tmpfs])],
    cap_drop: ['ALL'],
    cap_add: service.capabilities,
    security_opt: ['no-new-privileges:true', ...(special.securityOptions ?? [])],
    restart: special.isJob === true ? 'on-failure' : 'unless-stopped',
    ...specialKeys(service),
  })
}

const CONDITIONS = {
  started: 'service_started',
  healthy: 'service_healthy',
  completed: 'service_completed_successfully',
} as const

function healthOf({ healthCheck, special }: ServiceDefinition): Record<string, unknown> | null {
  if (special?.isHealthOff === true) return { disable: true }
  if (healthCheck === null) return null
  const { test, intervalMs, timeoutMs, retries, startPeriodMs } = healthCheck
  return {
    test,
    interval: `${intervalMs}ms`,
    timeout: `${timeoutMs}ms`,
    retries,
    start_period: `${startPeriodMs}ms`,
  }
}

function specialKeys(service: ServiceDefinition): Record<string, unknown> {
  const special = service.special ?? {}
  const { aliases, ulimits = [], files = [], stopGracePeriodMs, shmMib } = special
  return {
    hostname: special.hostname ?? null,
    networks: aliases === undefined ? null : { default: { aliases } },
    labels: special.labels ?? null,
    stop_signal: special.stopSignal ?? null,
    stop_grace_period: stopGracePeriodMs === undefined ? null : `${stopGracePeriodMs}ms`,
    tty: special.hasTty ?? null,
    stdin_open: special.hasStdin ?? null,
    shm_size: shmMib === undefined ? null : `${shmMib}m`,
    platform: special.platform ?? null,
    configs: files.map(({ path, mode }, index) => ({
      source: configName(service, index),
      target: path,
      mode: `0${mode.toString(8)}`,
    })),
    privileged: special.isPrivileged ?? null,
    network_mode: special.hasHostNetwork === true ? 'host' : null,
    pid: special.hasHostPid === true ? 'host' : null,
    ipc: special.hasHostIpc === true ? 'host' : null,
    runtime: special.engineRuntime ?? null,
    devices: (special.devices ?? []).map((one) => `${one.source}:${one.path}:${one.permissions}`),
    sysctls: special.sysctls ?? null,
    extra_hosts: special.extraHosts ?? null,
    dns: special.dns ?? null,
    ulimits: Object.fromEntries(ulimits.map(({ name, soft, hard }) => [name, { soft, hard }])),
    gpus: special.hasGpus === true ? 'all' : null,
    ...(special.hostPaths === undefined
      ? {}
      : {
          volumes: [
            ...service.mounts.map(
              ({ volume, path, isReadOnly }) => `${volume}:${path}${isReadOnly ? ':ro' : ''}`,
            ),
            ...special.hostPaths.map(
              ({ source, path, isReadOnly }) => `${source}:${path}${isReadOnly ? ':ro' : ''}`,
            ),
          ],
        }),
  }
}

/** A key that says nothing is left out: null, an empty list, an empty table. */
function withoutNothing(keys: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(keys).filter(([, value]) => {
      if (value === null) return false
      if (typeof value !== 'object') return true
      return Object.keys(value).length > 0
    }),
  )
}
