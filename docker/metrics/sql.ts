import { z } from 'zod'
import { containerName } from '#domain/build-plan.ts'
import { objectName } from '../compose/object-name.ts'
import { execute } from '../execution.ts'
import { findContainer } from '../observation.ts'
import { defineSource, plainNumber, withoutValue } from './source.ts'

const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'is not the name of a user or a database')

/** How a database's own client is told to run one statement that may only read, and to print bare values. */
const clients = {
  postgresql: (of: { user: string; database: string; query: string }) => ({
    argv: ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', of.user, '-d', of.database, '-c', of.query],
    environment: { PGOPTIONS: '-c default_transaction_read_only=on -c statement_timeout=20s' },
  }),
  mariadb: (of: { user: string; database: string; query: string }) => ({
    argv: [
      'mariadb',
      '-NBr',
      '-u',
      of.user,
      '-D',
      of.database,
      '-e',
      `set session transaction read only; ${of.query}`,
    ],
    environment: {},
  }),
} as const

export function clientOf(
  engine: keyof typeof clients,
  of: { readonly user: string; readonly database: string; readonly query: string },
): { readonly argv: string[]; readonly environment: Readonly<Record<string, string>> } {
  return clients[engine](of)
}

/**
 * The one value of an SQL query in a database that runs in a container, asked by its own client beside it, where the image lets its
 * user in without a password. Rows outlive a container: what is counted of them goes on when it is replaced.
 */
export const sqlQuery = defineSource({
  type: 'sql',
  schema: z.strictObject({
    type: z.literal('sql'),
    service: objectName,
    engine: z.enum(['postgresql', 'mariadb']),
    user: name,
    database: name,
    query: z.string().min(1).max(2_000),
  }),
  imagined: 'service',
  deadlineMs: 30_000,
  async read({ docker, ref, ctx }, metric, { service, engine, ...of }) {
    const container = containerName(ref.instance, service)
    const found = await findContainer(docker, container, ctx)
    if (found === undefined || !found.State.Running) return []
    const { exitCode, stdout, stderr } = await execute(docker, { container, ...clientOf(engine, of) }, ctx)
    if (exitCode !== 0) throw new Error(`the query failed: ${stderr.trim() || stdout.trim()}`)
    return [{ series: `sql:${service}`, value: valueOf(stdout), unit: metric.unit }]
  },
})

/** @throws `reading_without_value` for none, an `Error` for several, and for what is no number from 0 */
export function valueOf(printed: string): string {
  const value = printed.trim()
  if (value === '' || value === 'NULL') throw withoutValue('the query gave no value')
  if (value.includes('\n') || !plainNumber.test(value))
    throw new Error(`the query gave no number from 0: ${JSON.stringify(value.slice(0, 100))}`)
  return value
}
