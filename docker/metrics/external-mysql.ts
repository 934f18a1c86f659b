import { isIP, type Socket } from 'node:net'
import { z } from 'zod'
import type { ReachedDataSource } from '#domain/data-source.ts'
import { openBounded } from './bounded-connection.ts'
import type { ExternalQuery } from './external-sql.ts'

const rowsSchema = z.array(z.array(z.union([z.string(), z.number(), z.null()]))).max(2)
const fieldsSchema = z.array(z.object({ columnType: z.number() }))

/**
 * The first column of the first two rows of a query, as text. The session may only read, gives no more rows, and ends what takes too
 * long by itself; prepared, a text is one statement. The driver is loaded where a source needs it.
 */
export async function askMysql(
  source: ReachedDataSource,
  { query, parameters, timeoutMs }: ExternalQuery,
  abortSignal: AbortSignal,
): Promise<(string | null)[]> {
  const { createConnection } = await import('mysql2/promise')
  const connection = await createConnection({
    stream: openStream(source, abortSignal),
    host: source.host,
    user: source.username,
    password: source.password,
    database: source.database ?? '',
    ...(source.hasTls ? { ssl: tlsOf(source) } : {}),
    connectTimeout: timeoutMs,
    disableEval: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    rowsAsArray: true,
  })
  connection.on('error', () => undefined)
  try {
    const [version] = await connection.query('select version()')
    const limit = JSON.stringify(version).includes('MariaDB')
      ? `max_statement_time = ${timeoutMs / 1_000}`
      : `max_execution_time = ${timeoutMs}`
    await connection.query(`set session ${limit}, sql_select_limit = 2`)
    await connection.query('start transaction read only')
    const [rows, fields] = await connection.execute(query, parameters)
    return readRows(rows, fields)
  } finally {
    // What is asked still, after a failure, is not waited for.
    connection.destroy()
  }
}

/**
 * The driver has the certificate be of the name that it is given as the host. It gives TLS no address, which then takes the one that
 * its socket is said to be of, and without any the name `localhost`.
 */
function openStream(source: ReachedDataSource, abortSignal: AbortSignal): Socket {
  const socket = openBounded(source, abortSignal)
  return isIP(source.host) === 0 ? socket : Object.assign(socket, { _host: source.host })
}

/** Without `verifyIdentity` the driver takes a certificate of whatever name. */
function tlsOf({ certificateAuthority }: ReachedDataSource) {
  const authority = certificateAuthority === null ? {} : { ca: certificateAuthority }
  return { rejectUnauthorized: true, verifyIdentity: true, ...authority } as const
}

function readRows(rows: unknown, fields: unknown): (string | null)[] {
  const read = rowsSchema.safeParse(rows)
  if (!read.success) throw new Error('the query gave no rows of numbers or texts: let it select one value')
  const [column] = fieldsSchema.parse(fields)
  const isSingle = column?.columnType === singlePrecision
  return read.data.map(([value = null]) =>
    isSingle && typeof value === 'number' ? shortestSingle(value) : value === null ? null : String(value),
  )
}

/** As the protocol calls a `float`. */
const singlePrecision = 4

/** Of the numbers that a `float` stands for the shortest one, as PostgreSQL writes it: 10.1, and not 10.100000381469727. */
function shortestSingle(value: number): string {
  const digits = [6, 7, 8].find((count) => Math.fround(Number(value.toPrecision(count))) === value) ?? 9
  return String(Number(value.toPrecision(digits)))
}
