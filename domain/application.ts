import type { ActionDefinition, LoginDefinition } from './action.ts'
import { BusinessError } from './errors.ts'
import type { OrderField } from './order-field.ts'
import type { ChildApplication } from './part.ts'
import type { MetricRule } from './usage.ts'

/** A capability that any application may ask for; every other one is a right on the server and needs a permission. */
export const GRANTABLE_CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETUID',
] as const

/** Where an image comes from: pulled by its public name, or built from a folder of the application itself. */
export type ImageSource =
  | { readonly from: 'registry'; readonly reference: string }
  | {
      readonly from: 'folder'
      /** `clouder/demo-odoo:<content hash>`: never the name of a public image. */
      readonly reference: string
      /** Folder inside the application's folder. */
      readonly folder: string
      readonly contentHash: string
      readonly dockerfile?: string
      readonly target?: string
      readonly buildArguments?: Readonly<Record<string, string>>
      /** It installs packages: on a base with a package manager, and with a network. Shipped applications only. */
      readonly needsPackages?: true
      /** It holds this installation's own program, on what that runs on. Shipped applications only. */
      readonly needsProgram?: true
    }

export interface HealthCheck {
  /** Compose's form: `['CMD', …]` or `['CMD-SHELL', line]`. */
  readonly test: readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly retries: number
  readonly startPeriodMs: number
}

export interface Dependency {
  readonly service: string
  /** `completed`: it ran and ended with exit code 0. */
  readonly condition: 'started' | 'healthy' | 'completed'
}

export interface Mount {
  readonly volume: string
  readonly path: string
  readonly isReadOnly: boolean
}

/** A small file that is put into the container before it starts. `content` is a template. */
export interface FileMount {
  readonly path: string
  readonly content: string
  readonly mode: number
}

/** A path of the server, mounted by permission. */
export interface HostPath {
  readonly source: string
  readonly path: string
  readonly isReadOnly: boolean
}

export interface Device {
  readonly source: string
  readonly path: string
  /** `rwm`: read, write, make nodes. */
  readonly permissions: string
}

export interface Ulimit {
  readonly name: string
  readonly soft: number
  readonly hard: number
}

/** What few services ask for. What is not asked is not there. */
export interface SpecialOptions {
  readonly hostname?: string
  /** Further names under which the other services of the file reach it. */
  readonly aliases?: readonly string[]
  /** Templates. */
  readonly labels?: Readonly<Record<string, string>>
  readonly stopSignal?: string
  readonly stopGracePeriodMs?: number
  readonly hasTty?: true
  readonly hasStdin?: true
  /** The health check of the image is switched off. */
  readonly isHealthOff?: true
  readonly shmMib?: number
  /** `linux/amd64`. */
  readonly platform?: string
  readonly files?: readonly FileMount[]
  /** Variables of the application that are put into the environment where they have a value, and left out else. */
  readonly passedOn?: readonly string[]
  /** It may end: with exit code 0 it has done what it is for. */
  readonly isJob?: true
  /** From here on: by permission only. */
  readonly isPrivileged?: true
  readonly hasHostNetwork?: true
  readonly hasHostPid?: true
  readonly hasHostIpc?: true
  readonly hasGpus?: true
  readonly engineRuntime?: string
  readonly securityOptions?: readonly string[]
  readonly devices?: readonly Device[]
  readonly hostPaths?: readonly HostPath[]
  readonly sysctls?: Readonly<Record<string, string>>
  /** `name:address`. */
  readonly extraHosts?: readonly string[]
  readonly dns?: readonly string[]
  readonly ulimits?: readonly Ulimit[]
}

/**
 * One service of the compose file. Strings of `environment`, `command`, `entrypoint` and `healthCheck` are
 * templates: `${NAME}` stands for a variable of the application, `$$` for a dollar sign (see `domain/interpolation.ts`).
 */
export interface ServiceDefinition {
  readonly name: string
  readonly image: ImageSource
  readonly command: readonly string[] | null
  readonly entrypoint: readonly string[] | null
  readonly environment: Readonly<Record<string, string>>
  readonly mounts: readonly Mount[]
  readonly dependsOn: readonly Dependency[]
  readonly healthCheck: HealthCheck | null
  readonly exposedPorts: readonly number[]
  readonly user: string | null
  readonly workingDir: string | null
  /** What the file asks for; null: what Clouder gives by default. */
  readonly memoryMib: number | null
  readonly cpus: number | null
  readonly pids: number | null
  readonly hasInit: boolean
  readonly hasReadOnlyRoot: boolean
  /** Absolute paths. */
  readonly tmpfs: readonly string[]
  readonly capabilities: readonly string[]
  readonly special?: SpecialOptions
}

/** A secret that is generated once per instance: letters and digits, or hexadecimal digits, `length` of them. */
export interface SecretDefinition {
  readonly name: string
  readonly length: number
  readonly alphabet?: 'hex'
}

/** A variable of the compose file that is no secret of ours. */
export interface VariableDefinition {
  readonly name: string
  /** Asked for when it is sold, the address under which the instance is reached (whole, or its host alone), or a value of a link. */
  readonly source: 'asked' | 'address_url' | 'address_host' | 'link'
  /** Without a value nothing can be built. */
  readonly isRequired: boolean
  readonly fallback: string | null
  /** A shell inside the container reads it: its values may hold letters, digits and `._:/@+-` only. */
  readonly isInShellLine: boolean
}

/** Where a number stands. `type` names an adapter of the runner, which alone knows what else its block says. */
export interface MetricSource {
  readonly type: string
  /** A volume or a service of the compose file, where the adapter reads one. */
  readonly volume?: string
  readonly service?: string
  /** Code of a database elsewhere, where an adapter asks one. */
  readonly data_source?: string
  readonly [key: string]: unknown
}

export interface MetricDefinition extends MetricRule {
  readonly code: string
  readonly title: string
  readonly unit: string
  readonly source: MetricSource
  /** How often it is read, in s (see `metricIntervalBounds`); left out: at each tick of the sampler. */
  readonly intervalS?: number
  /** Defined by the operator for many applications; this one says only where it stands. */
  readonly isShared?: true
}

/** Whether what was missed can be read later: such a source says in which steps. */
export function keepsHistory({ source }: MetricDefinition): boolean {
  return source['step_s'] !== undefined
}

/** Whether a look adds to what the one before it came to: such a source looks for a pattern. */
export function goesOnFromReadings({ source }: MetricDefinition): boolean {
  return source['pattern'] !== undefined
}

/** Codes of the databases elsewhere that its metrics are read from, each once. */
export function dataSourcesOf({ metrics }: Pick<ApplicationDefinition, 'metrics'>): string[] {
  return [...new Set(metrics.flatMap(({ source }) => source.data_source ?? []))]
}

interface NamedLimit {
  readonly code: string
  readonly title: string
}

/** The application enforces the ceiling itself: three commands inside a container. `{value}` is an argument of its own in `set`. */
export interface CommandLimit extends NamedLimit {
  readonly service: string
  readonly set: readonly string[]
  /** Prints the ceiling that is in force. */
  readonly read: readonly string[]
  /** Prints how many are used now. */
  readonly use: readonly string[]
}

/** The container of a service gets what is sold, and no more; the engine holds it. */
export interface ResourceLimit extends NamedLimit {
  readonly service: string
  readonly resource: 'memory' | 'cpus' | 'pids'
}

/** What a hard limit is held by from outside: see `limit-hold.ts`. */
export type OutsideWay = 'block_ingress' | 'block_network' | 'read_only' | 'stop'

/** What is used is measured, and held from outside once the ceiling is reached. */
export interface MeteredLimit extends NamedLimit {
  /** Of the same file. What a counter grew by in the billing period counts, and of a gauge its present value. */
  readonly metric: string
  /** Left out: it cannot be sold hard. */
  readonly hard?: OutsideWay
  /** Kilobits a second that the public service may still send; left out: it cannot be sold throttled. */
  readonly throttleKbit?: number
}

/** Units that Clouder hands out itself, one by one or several at once. */
export interface ReservedLimit extends NamedLimit {
  readonly isReserved: true
}

/** A ceiling that can be sold of an application, and what enforces it. */
export type LimitDefinition = CommandLimit | ResourceLimit | MeteredLimit | ReservedLimit

/** A command that runs in the container of a service. No shell reads it, unless it is one. */
export interface ServiceCommand {
  readonly service: string
  readonly command: readonly string[]
}

/** How a copy of the volumes becomes a consistent one. Commands may be run again after a crash, so they must bear it. */
export interface BackupDefinition {
  /** Those that hold what cannot be made again. */
  readonly volumes: readonly string[]
  /** While the containers run: what makes the volumes consistent, a dump into one of them for example. */
  readonly before: readonly ServiceCommand[]
  /** When the copy was taken and the containers still run: the end of what `before` began. */
  readonly after: readonly ServiceCommand[]
  /** The containers are stopped after `before`: files at rest are consistent. */
  readonly isStopped: boolean
}

/** What an application needs of another one, or takes where it finds it. */
export interface LinkWant {
  /** What both sides call it: `database`, `dns`. */
  readonly kind: string
  /** Unique in the file; it is what an order names a target by. */
  readonly name: string
  /** Without it nothing can be built. One that is not required is made while the instance runs, as soon as there is an offer. */
  readonly isRequired: boolean
  /** An offer is looked for. Else it is made only with the target that an order names. */
  readonly isAutomatic: boolean
  /** Of shared offers, only one that has all of them is taken. */
  readonly tags: readonly string[]
  /** Variables of the file, and the value of the offer that each gets: `DATABASE_HOST` gets `host`. Of required ones only. */
  readonly variables: Readonly<Record<string, string>>
  /** The services that reach the offer. */
  readonly services: readonly string[]
  /** Run in the instance with the link's values in the environment. They may be run again after a crash, so they must bear it. */
  readonly onLink?: ServiceCommand
  readonly onUnlink?: ServiceCommand
}

/** What an application has for others. */
export interface LinkOffer {
  readonly kind: string
  readonly service: string
  readonly port: number | null
  /** Templates over the application's own variables and secrets. Each link has `host`, and `port` where there is one, besides. */
  readonly values: Readonly<Record<string, string>>
  /** Others than its own environment may have it. */
  readonly isShared: boolean
  readonly tags: readonly string[]
  /** Run in the offering instance with what is known of the wanting one in the environment. */
  readonly onLink?: ServiceCommand
  readonly onUnlink?: ServiceCommand
}

/** It is an installation that bills and is billed: the last step of its build makes it a peer of the one that builds it. */
export interface PeerCapability extends ServiceCommand {
  /** Prints an invitation, by which whoever accepts it bills the installation. It may be run again. */
  readonly command: readonly string[]
  /** The variable that says where it is reached; where it has no value, it is reached at its address on the server. */
  readonly address: string | null
}

interface ReadyDefinition {
  readonly path: string
  readonly timeoutS: number
}

/** An application as a plain JSON value, read from a compose file with an `x-clouder` block. */
export interface ApplicationDefinition {
  readonly code: string
  readonly title: string
  readonly isStandIn: boolean
  /** A data URL of a PNG or JPEG. Kept beside the definition, not in it: it is read where it is shown only. */
  readonly icon?: string
  /** What a person must be told before using it, for example that it is a stand-in. */
  readonly notice: string | null
  readonly public: { readonly service: string; readonly port: number } | null
  readonly secrets: readonly SecretDefinition[]
  /** Absent in what was read before there were any. */
  readonly variables?: readonly VariableDefinition[]
  /** The permissions that it makes use of, granted when it was read. */
  readonly permissions?: readonly string[]
  readonly metrics: readonly MetricDefinition[]
  readonly limits: readonly LimitDefinition[]
  /** What it does on request. Absent in what was read before there were any. */
  readonly actions?: readonly ActionDefinition[]
  readonly login?: LoginDefinition
  /** Absent where it is no installation. */
  readonly peer?: PeerCapability
  /** What is asked of whoever orders it. Absent where nothing is. */
  readonly form?: readonly OrderField[]
  readonly ready: ReadyDefinition
  /** Left out: every volume, while the containers are stopped. */
  readonly backup?: BackupDefinition
  /** Servers with these tags, and no others, take it. Left out: servers without any. */
  readonly tags?: readonly string[]
  /** The disk that its volumes may come to hold; left out: none is counted. */
  readonly diskMib?: number
  /** Absent in what was read before there were links, and where there are none. */
  readonly wants?: readonly LinkWant[]
  readonly offers?: readonly LinkOffer[]
  /** Applications that it brings along, as parts of it. Absent where there are none. */
  readonly children?: readonly ChildApplication[]
  /** In the order of the file. */
  readonly services: readonly ServiceDefinition[]
  readonly volumes: readonly string[]
}

/**
 * Services so that each comes after all it depends on; otherwise the order of the file is kept.
 * @throws `application_refused` when services depend on each other in a circle, or on one that is not there.
 */
export function orderServices(services: readonly ServiceDefinition[]): ServiceDefinition[] {
  const ordered: ServiceDefinition[] = []
  const placed = new Set<string>()
  let waiting = [...services]
  while (waiting.length > 0) {
    const next = waiting.find((service) => service.dependsOn.every((on) => placed.has(on.service)))
    if (next === undefined) {
      const names = waiting.map((service) => service.name).join(', ')
      throw new BusinessError(
        'application_refused',
        `depends_on never comes to an end among ${names}: a circle, or a service that is not in the file`,
      )
    }
    ordered.push(next)
    placed.add(next.name)
    waiting = waiting.filter((service) => service !== next)
  }
  return ordered
}

/**
 * The argument list that sets a limit: `['/bin/set-limit', 'users', '{value}']` and 5 give
 * `['/bin/set-limit', 'users', '5']`. The value replaces whole arguments only, so it can never become a part of a command.
 * @throws `quantity_not_whole` unless the value is a whole number of 0 or more.
 */
export function limitCommand(limit: CommandLimit, value: number): string[] {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new BusinessError(
      'quantity_not_whole',
      `${limit.title} is set to whole numbers from 0 on, not ${value}`,
    )
  }
  return limit.set.map((argument) => (argument === '{value}' ? String(value) : argument))
}
