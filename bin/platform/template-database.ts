import { Client } from 'pg'
import { migrate } from '#db/migrate.ts'

const template = 'clouder_template'

/** Migrates one database that others are cloned from, so that none of them pays for the migrations. @returns its name */
export async function createTemplateDatabase(url: string): Promise<string> {
  const client = new Client({ connectionString: url })
  // A server that is stopped meanwhile fails what was asked; unheard, it would end the process.
  client.on('error', () => undefined)
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
  return template
}
