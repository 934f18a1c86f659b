import { Client } from 'pg'
import type { ReachedDataSource } from '#domain/data-source.ts'
import type { ExternalQuery } from './external-sql.ts'
import { boundedSocket, tlsOf } from './bounded-connection.ts'

/**
 * The first column of the first two rows of a query, as text. It runs as a part of a statement of ours: one that may only read, that
 * the server itself ends in time, and that can begin no other.
 */
export async function askPostgresql(
  source: ReachedDataSource,
  { query, parameters, timeoutMs }: ExternalQuery,
  abortSignal: AbortSignal,
): Promise<(string | null)[]> {
  const client = new Client({
    stream: () => boundedSocket(abortSignal),
    host: source.address,
    port: source.port,
    user: source.username,
    password: source.password,
    database: source.database ?? '',
    ssl: source.hasTls ? tlsOf(source) : false,
    application_name: 'clouder metrics',
    options: `-c default_transaction_read_only=on -c statement_timeout=${timeoutMs}`,
    connectionTimeoutMillis: timeoutMs,
  })
  // A connection that breaks while nothing is asked would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('begin transaction read only')
    const { rows } = await client.query<(string | null)[]>({
      // A statement with a name is prepared: one text is one statement.
      name: 'metric',
      text: `select left(asked.value::text, 100) from (\n${query}\n) as asked (value) limit 2`,
      values: [...parameters],
      rowMode: 'array',
    })
    return rows.map(([value = null]) => value)
  } finally {
    await client.end().catch(() => undefined)
  }
}
