import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { openDatabase, type Db } from '#db/database.ts'
import { migrate } from '#db/migrate.ts'

const templateName = 'clouder_template'

export interface TestDatabase {
  readonly url: string
  readonly db: Db
  /** Closes the pool and drops the database. */
  readonly drop: () => Promise<void>
}

/**
 * A migrated database of one's own: cloned from the template where the test run has made one, else migrated here.
 * `CLOUDER_TEST_POSTGRES_URL` is that of a user who may create databases.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = serverUrl()
  const name = databaseName()
  const isCloned = await createDatabase(server, name)
  const url = databaseUrl(server, name)
  if (!isCloned) await migrate(url)
  // A test asks the same again and again, of tables with few rows.
  const db = openDatabase(url, { arePlansKept: true })
  return {
    url,
    db,
    async drop() {
      await db.destroy()
      await dropDatabase(server, name)
    },
  }
}

/** A copy of a whole database, as a backup is: put back, all is as it was when it was taken. Whoever is connected is cut off each time. */
export async function backUpDatabase(url: string) {
  const server = serverUrl()
  const name = new URL(url).pathname.slice(1)
  const copy = `${name}_backup`
  await cutOff(server, name, async (client) => client.query(`create database "${copy}" ${copyOf(name)}`))
  return {
    async putBack(): Promise<void> {
      await cutOff(server, name, async (client) => {
        await client.query(`drop database "${name}" with (force)`)
        await client.query(`alter database "${copy}" rename to "${name}"`)
      })
    },
  }
}

async function cutOff(server: string, name: string, act: (client: pg.Client) => Promise<unknown>) {
  await onServer(server, async (client) => {
    await client.query(`alter database "${name}" with allow_connections false`)
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
    for (;;) {
      const { rowCount } = await client.query('select from pg_stat_activity where datname = $1', [name])
      if (rowCount === 0) break
    }
    await act(client)
    await client.query(`alter database "${name}" with allow_connections true`)
  })
}

function serverUrl(): string {
  const server = process.env['CLOUDER_TEST_POSTGRES_URL']
  if (!server) throw new Error('CLOUDER_TEST_POSTGRES_URL is not set: run the tests with npm test')
  return server
}

function databaseName(): string {
  return `clouder_test_${process.pid}_${randomBytes(4).toString('hex')}`
}

async function dropDatabase(server: string, name: string): Promise<void> {
  await onServer(server, async (client) => client.query(`drop database "${name}" with (force)`))
}

/** A database without any table, for what makes them. */
export async function createEmptyDatabase(): Promise<Omit<TestDatabase, 'db'>> {
  const server = serverUrl()
  const name = databaseName()
  await onServer(server, async (client) => client.query(`create database "${name}"`))
  return { url: databaseUrl(server, name), drop: async () => dropDatabase(server, name) }
}

async function createDatabase(server: string, name: string): Promise<boolean> {
  return await onServer(server, async (client) => {
    const found = await client.query('select 1 from pg_database where datname = $1', [templateName])
    const hasTemplate = found.rowCount === 1
    await client.query(`create database "${name}"${hasTemplate ? ` ${copyOf(templateName)}` : ''}`)
    return hasTemplate
  })
}

/** File by file, not through the log page by page: a third of the cost. */
function copyOf(template: string): string {
  return `template "${template}" strategy file_copy`
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.toString()
}

async function onServer<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
