import { BusinessError } from './errors.ts'
import type { MetricRule } from './usage.ts'

/** A capability that an application may ask for; every other one is a right on the server and is refused. */
export const GRANTABLE_CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETUID',
] as const
export type Capability = (typeof GRANTABLE_CAPABILITIES)[number]

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
  readonly condition: 'started' | 'healthy'
}

export interface Mount {
  readonly volume: string
  readonly path: string
  readonly isReadOnly: boolean
}

/**
 * One service of the compose file. Strings of `environment`, `command`, `entrypoint` and `healthCheck` are
 * templates: `${NAME}` stands for a declared secret, `$$` for a dollar sign (see `fillSecrets`).
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
  readonly capabilities: readonly Capability[]
}

/** A secret that is generated once per instance: letters and digits, `length` of them. */
interface SecretDefinition {
  readonly name: string
  readonly length: number
}

type MetricSource =
  /** Bytes received and sent by the instance's containers, as the engine counts them. */
  | { readonly type: 'engine-network' }
  /** Bytes that a volume holds, as the engine counts them. */
  | { readonly type: 'volume-disk'; readonly volume: string }
  /** A number printed by a command that runs in a container, in the metric's own unit. */
  | { readonly type: 'command'; readonly service: string; readonly command: readonly string[] }

export interface MetricDefinition extends MetricRule {
  readonly code: string
  readonly title: string
  readonly unit: string
  readonly source: MetricSource
}

/** What enforces a sold ceiling: three commands inside a container. `{value}` is an argument of its own in `set`. */
export interface LimitDefinition {
  readonly code: string
  readonly title: string
  readonly service: string
  readonly set: readonly string[]
  /** Prints the ceiling that is in force. */
  readonly read: readonly string[]
  /** Prints how many are used now. */
  readonly use: readonly string[]
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
  /** What a person must be told before using it, for example that it is a stand-in. */
  readonly notice: string | null
  readonly public: { readonly service: string; readonly port: number } | null
  readonly secrets: readonly SecretDefinition[]
  readonly metrics: readonly MetricDefinition[]
  readonly limits: readonly LimitDefinition[]
  readonly ready: ReadyDefinition
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

const PLACEHOLDER = /\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)\})/g

/** Names of the secrets that a template refers to, each once. `'a${DB}b$${X}'` refers to `DB` only. */
export function secretNames(template: string): string[] {
  const names = [...template.matchAll(PLACEHOLDER)].flatMap((match) => match[1] ?? [])
  return [...new Set(names)]
}

/**
 * Puts secret values into a template: `fillSecrets('${USER}:$$1', { USER: 'x' })` is `x:$1`.
 * @throws Error when a value is missing: secrets are declared and generated before anything is built.
 */
export function fillSecrets(template: string, secrets: Readonly<Record<string, string>>): string {
  return template.replaceAll(PLACEHOLDER, (_match, name: string | undefined) => {
    if (name === undefined) return '$'
    const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined
    if (value === undefined) throw new Error(`secret ${name} has no value`)
    return value
  })
}

/**
 * The argument list that sets a limit: `['/bin/set-limit', 'users', '{value}']` and 5 give
 * `['/bin/set-limit', 'users', '5']`. The value replaces whole arguments only, so it can never become a part of a command.
 * @throws `quantity_not_whole` unless the value is a whole number of 0 or more.
 */
export function limitCommand(limit: LimitDefinition, value: number): string[] {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new BusinessError(
      'quantity_not_whole',
      `${limit.title} is set to whole numbers from 0 on, not ${value}`,
    )
  }
  return limit.set.map((argument) => (argument === '{value}' ? String(value) : argument))
}
