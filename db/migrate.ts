import { promises as fs } from 'node:fs'
import path from 'node:path'
import { Kysely, PostgresDialect } from 'kysely'
import { Migrator, type Migration, type MigrationProvider } from 'kysely/migration'
import pg from 'pg'

const folder = path.join(import.meta.dirname, 'migrations')

const provider: MigrationProvider = {
  async getMigrations() {
    const files = (await fs.readdir(folder)).filter((file) => file.endsWith('.ts')).toSorted()
    const entries = await Promise.all(
      files.map(async (file) => {
        const migration = (await import(path.join(folder, file))) as Migration
        return [path.basename(file, '.ts'), migration] as const
      }),
    )
    return Object.fromEntries(entries)
  },
}

function migrator(db: Kysely<unknown>): Migrator {
  return new Migrator({ db, provider })
}

async function withMigrator<T>(url: string, use: (migrator: Migrator) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  // A connection may be cut while it is being closed, or while it migrates; without a listener either would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await use(migrator(db))
  } finally {
    await db.destroy()
  }
}

/**
 * Brings the schema up to date and gives the names of the migrations it ran. Safe to run twice, or by twenty
 * processes at once: Kysely holds a lock in the database while it works.
 */
export async function migrate(url: string): Promise<string[]> {
  return await withMigrator(url, async (migrator) => {
    const { error, results } = await migrator.migrateToLatest()
    if (error) throw new Error('migration failed', { cause: error })
    return (results ?? [])
      .filter((result) => result.status === 'Success')
      .map((result) => result.migrationName)
  })
}

/** Names of migrations that this code knows and the database lacks. */
export async function pendingMigrations(url: string): Promise<string[]> {
  return await withMigrator(url, async (migrator) => {
    const all = await migrator.getMigrations()
    return all.filter((migration) => migration.executedAt === undefined).map((migration) => migration.name)
  })
}
