import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { messageOf } from '#domain/errors.ts'

export type Configuration = {
  host: string
  port: number
  /** Undefined: any free port near the usual one will do. */
  postgresPort: number | undefined
  temporalPort: number | undefined
  temporalUiPort: number | undefined
  temporalNamespace: string
  dataFolder: string
  /** Undefined: Docker if there is an engine or one can be had. */
  runner: 'docker' | 'dry-run' | undefined
  hasDemo: boolean
}

export type ConfigurationResult =
  { kind: 'run'; configuration: Configuration } | { kind: 'help' } | { kind: 'refused'; reasons: string[] }

const options = {
  help: { type: 'boolean', short: 'h', default: false },
  port: { type: 'string' },
  data: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  'no-demo': { type: 'boolean', default: false },
} as const

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'is not a port number')
  .transform(Number)
  .pipe(z.number().min(1, 'is not a port number').max(65_535, 'is not a port number'))

const variables = z.object({
  CLOUDER_HOST: z
    .union([z.ipv4(), z.ipv6(), z.literal('localhost')], 'is not an address to listen on')
    .optional(),
  CLOUDER_PORT: port.optional(),
  CLOUDER_POSTGRES_PORT: port.optional(),
  CLOUDER_TEMPORAL_PORT: port.optional(),
  CLOUDER_TEMPORAL_UI_PORT: port.optional(),
  CLOUDER_RUNNER: z.enum(['docker', 'dry-run'], 'is neither docker nor dry-run').optional(),
  CLOUDER_DATA: z.string().optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/./, 'is not of the form postgres://user:password@host:port/database')
    .optional(),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^/\s]+:\d{1,5}$/, 'is not of the form host:port')
    .optional(),
  TEMPORAL_NAMESPACE: z
    .string()
    .regex(/^[\w.-]+$/, 'is not a namespace name')
    .optional(),
  TEMPORAL_UI_URL: z.url({ protocol: /^https?$/, error: 'is not an http address' }).optional(),
  DOCKER_HOST: z
    .string()
    .regex(/^(unix:\/\/\/|tcp:\/\/|http:\/\/)./, 'is not of the form unix:///path or tcp://host:port')
    .optional(),
})

/** Reads arguments and variables. Every problem is told at once; an empty variable counts as not set. */
export function readConfiguration(args: string[], env: NodeJS.ProcessEnv): ConfigurationResult {
  const reasons: string[] = []
  const flags = readFlags(args, reasons)
  if (flags?.help === true) return { kind: 'help' }
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  if (flags?.port !== undefined) given['CLOUDER_PORT'] = flags.port
  if (flags?.data !== undefined) given['CLOUDER_DATA'] = flags.data
  if (flags?.['dry-run'] === true) given['CLOUDER_RUNNER'] = 'dry-run'
  const parsed = variables.safeParse(given)
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0])
    // Addresses may hold a password, so a value is repeated only where it cannot.
    const value = name.endsWith('_URL') ? '' : ` "${given[name] ?? ''}"`
    reasons.push(`${name}${value} ${issue.message}`)
  }
  if (!parsed.success || flags === undefined || reasons.length > 0) return { kind: 'refused', reasons }
  return { kind: 'run', configuration: toConfiguration(parsed.data, flags['no-demo']) }
}

function readFlags(args: string[], reasons: string[]) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values
  } catch (error) {
    reasons.push(messageOf(error))
    return undefined
  }
}

function toConfiguration(given: z.infer<typeof variables>, isWithoutDemo: boolean): Configuration {
  return {
    host: given.CLOUDER_HOST ?? '127.0.0.1',
    port: given.CLOUDER_PORT ?? 4400,
    postgresPort: given.CLOUDER_POSTGRES_PORT,
    temporalPort: given.CLOUDER_TEMPORAL_PORT,
    temporalUiPort: given.CLOUDER_TEMPORAL_UI_PORT,
    temporalNamespace: given.TEMPORAL_NAMESPACE ?? 'default',
    dataFolder: resolve(given.CLOUDER_DATA ?? 'data'),
    runner: given.CLOUDER_RUNNER,
    hasDemo: !isWithoutDemo,
  }
}

export const startHelp = `
  npm start [-- options]

  Finds or gets PostgreSQL, Temporal and a Docker engine, and runs Clouder on them. Nothing is asked.
  Ctrl-C stops everything in order; the containers Clouder deployed keep running.

  Options
    --port N        the port of console and API (CLOUDER_PORT)
    --data FOLDER   where everything is kept (CLOUDER_DATA)
    --dry-run       no containers: ordering and billing only (CLOUDER_RUNNER=dry-run)
    --no-demo       do not sell the demo subscription
    --help          this text

  Variables                   default              what it is
    CLOUDER_PORT              4400                 console and API
    CLOUDER_HOST              127.0.0.1            the address they listen on
    CLOUDER_DATA              ./data               database, workflows, keys, logs
    CLOUDER_RUNNER            docker, if possible  docker or dry-run
    DATABASE_URL              started in the data folder    a PostgreSQL of yours
    CLOUDER_POSTGRES_PORT     15432 or next free   for the one that is started
    TEMPORAL_ADDRESS          a development server a Temporal server of yours, host:port
    TEMPORAL_NAMESPACE        default              its namespace
    TEMPORAL_UI_URL           of the one started   where its pages are, for links
    CLOUDER_TEMPORAL_PORT     7233 or next free    for the one that is started
    CLOUDER_TEMPORAL_UI_PORT  8233 or next free    for the one that is started
    DOCKER_HOST               the usual sockets    a Docker engine, unix:///… or tcp://…
    CLOUDER_BUSYBOX           found or installed   a static busybox, for stand-in images
    CLOUDER_BACKUPS           in the data folder   where the last copies of volumes are kept
    CLOUDER_HOST_RULES        keep                 leave: sets no packet filter rules on this host
    CLOUDER_DATA_SOURCE_RANGES  none               private ranges where databases elsewhere are asked for metrics
    CLOUDER_PEER_RANGES       none                 private ranges where other installations are spoken to
    CLOUDER_PEER_PORTS        none                 ports beside 443 where they are spoken to
    CLOUDER_WEBHOOK_RANGES    none                 private ranges to which events are posted
    CLOUDER_WEBHOOK_PORTS     none                 ports beside 443 to which they are posted
    CLOUDER_PEER_MESSAGES_PER_SECOND  500          as many are taken of each of them

  A second start with the same data folder finds everything again. To start afresh, remove the data folder
  (subscriptions that still run keep their containers: cancel them first).
`
