import { Client } from 'pg'
import { z } from 'zod'
import { encodeId } from '#domain/identifier.ts'
import { askEngine } from './engine.ts'

const containers = z.array(z.object({ Id: z.string() }))
const volumes = z.object({ Volumes: z.array(z.object({ Name: z.string() })).nullable() })
const networks = z.array(z.object({ Id: z.string() }))

/**
 * Removes from the engine what the tests of one run made and could not remove, because they were interrupted. It is
 * known by the label of the installation: of those whose databases are still there, and of the run itself.
 */
export async function removeTestObjects(engine: string, postgresUrl: string, runName: string): Promise<void> {
  const installations = await listInstallations(postgresUrl)
  for (const installation of [`test-${runName}`, ...installations]) await removeLabelled(engine, installation)
}

async function listInstallations(postgresUrl: string): Promise<string[]> {
  const sql = "select datname as name from pg_database where datname like 'clouder\\_test\\_%'"
  const installations: string[] = []
  for (const { name } of await query(postgresUrl, sql)) {
    const database = new URL(postgresUrl)
    database.pathname = `/${name ?? ''}`
    // A test may have been interrupted before its database had tables.
    const rows = await query(database.href, 'select id from installation').catch(() => [])
    for (const { id } of rows) if (id !== undefined) installations.push(encodeId('installation', id))
  }
  return installations
}

async function query(url: string, sql: string): Promise<Record<string, string>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, string>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** Containers, volumes and networks of one installation; whatever carries another label, or none, is left alone. */
export async function removeLabelled(engine: string, installation: string): Promise<void> {
  const filter = JSON.stringify({ label: [`io.clouder.installation=${installation}`] })
  const list = (path: string) => askEngine(engine, 'GET', `${path}filters=${encodeURIComponent(filter)}`)
  for (const { Id } of containers.parse(await list('/containers/json?all=1&'))) {
    await askEngine(engine, 'DELETE', `/containers/${Id}?force=1&v=1`)
  }
  for (const { Name } of volumes.parse(await list('/volumes?')).Volumes ?? []) {
    await askEngine(engine, 'DELETE', `/volumes/${encodeURIComponent(Name)}`)
  }
  for (const { Id } of networks.parse(await list('/networks?')))
    await askEngine(engine, 'DELETE', `/networks/${Id}`)
}
