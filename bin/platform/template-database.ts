import { Client } from 'pg'
import { migrate } from '#db/migrate.ts'

const template = 'clouder_template'

/** Migrates one database that every test file clones, so that no test pays for the migrations. */
export async function createTemplateDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const found = await client.query('select from pg_database where datname = $1', [template])
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(template)}`)
  } finally {
    await client.end()
  }
  const templateUrl = new URL(url)
  templateUrl.pathname = `/${template}`
  await migrate(templateUrl.href)
}
