import { z } from 'zod'
import { GRANTABLE_CAPABILITIES, type Dependency, type HealthCheck, type Mount } from '#domain/application.ts'
import {
  absolutePath,
  argumentList,
  cpus,
  duration,
  memory,
  pids,
  plainText,
  port,
  objectName,
  variableName,
} from './compose-values.ts'

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String)

const environmentItem = z.string().transform((item, ctx): [string, string] => {
  const at = item.indexOf('=')
  if (at > 0) return [item.slice(0, at), item.slice(at + 1)]
  ctx.addIssue("takes its value from the server's own environment; write NAME=value")
  return z.NEVER
})

const environment = z.union([
  z.array(environmentItem).transform((items) => Object.fromEntries(items)),
  z.record(variableName, scalar),
])

const NOT_NAMED =
  'is not a named volume: paths of the server are refused; declare the volume under volumes and mount that'

const shortMount = z.string().transform((text, ctx): Mount => {
  const [volume = '', path = '', mode = 'rw', ...rest] = text.split(':')
  const isNamed = objectName.safeParse(volume).success && absolutePath.safeParse(path).success
  if (isNamed && rest.length === 0 && (mode === 'rw' || mode === 'ro')) {
    return { volume, path, isReadOnly: mode === 'ro' }
  }
  ctx.addIssue(NOT_NAMED)
  return z.NEVER
})

const longMount = z
  .strictObject({
    type: z.literal('volume', NOT_NAMED),
    source: objectName,
    target: absolutePath,
    read_only: z.boolean().default(false),
  })
  .transform((mount): Mount => ({ volume: mount.source, path: mount.target, isReadOnly: mount.read_only }))

const condition = z.enum(['service_started', 'service_healthy'], 'is not service_started or service_healthy')

const dependencies = z.union([
  z
    .array(objectName)
    .transform((names) => names.map((service): Dependency => ({ service, condition: 'started' }))),
  z
    .record(objectName, z.strictObject({ condition, required: z.literal(true).optional() }))
    .transform((map) => Object.entries(map).map(([service, on]) => dependency(service, on.condition))),
])

function dependency(service: string, on: z.infer<typeof condition>): Dependency {
  return { service, condition: on === 'service_healthy' ? 'healthy' : 'started' }
}

const shellLine = z.string().min(1).max(4000)
const healthTest = z.union([
  shellLine.transform((line) => ['CMD-SHELL', line]),
  z.tuple([z.literal('CMD-SHELL'), shellLine]),
  z.tuple([z.literal('CMD')], z.string().max(4000)),
])

const healthCheck = z
  .strictObject({
    test: healthTest.refine(
      (test) => test[0] !== 'CMD-SHELL' || !/(^|[^$])(\$\$)*\$\{/.test(test[1] ?? ''),
      'puts a variable into a line for a shell; use the variable of the container, as in $$NAME',
    ),
    interval: duration.default(30_000),
    timeout: duration.default(30_000),
    retries: z.number().int().min(1).max(100).default(3),
    start_period: duration.default(0),
  })
  .transform((check): HealthCheck => ({
    test: [...check.test],
    intervalMs: check.interval,
    timeoutMs: check.timeout,
    retries: check.retries,
    startPeriodMs: check.start_period,
  }))

/** Relative, inside the application's folder. */
const folder = plainText.refine(
  (path) => !path.startsWith('/') && !path.includes('://') && !path.split('/').includes('..'),
  "leads out of the application's folder; name a folder inside it, as in ./image",
)

const oneOrMany = z.union([absolutePath.transform((path) => [path]), z.array(absolutePath)])

/** The allowlist of service keys. A key that is not here is refused, never ignored. */
export const composeService = z.strictObject({
  image: plainText,
  build: z
    .union([folder, z.strictObject({ context: folder }).transform((build) => build.context)])
    .optional(),
  command: argumentList.optional(),
  entrypoint: argumentList.optional(),
  environment: environment.default({}),
  volumes: z.array(z.union([shortMount, longMount])).default([]),
  depends_on: dependencies.default([]),
  healthcheck: healthCheck.optional(),
  expose: z.array(port).default([]),
  user: z.union([plainText, z.number().int().transform(String)]).optional(),
  working_dir: absolutePath.optional(),
  deploy: z
    .strictObject({
      resources: z.strictObject({
        limits: z.strictObject({ cpus: cpus.optional(), memory: memory.optional(), pids: pids.optional() }),
      }),
    })
    .optional(),
  mem_limit: memory.optional(),
  cpus: cpus.optional(),
  pids_limit: pids.optional(),
  init: z.boolean().default(true),
  read_only: z.boolean().default(false),
  tmpfs: oneOrMany.default([]),
  cap_add: z.array(z.enum(GRANTABLE_CAPABILITIES)).default([]),
})

export type ComposeService = z.infer<typeof composeService>
