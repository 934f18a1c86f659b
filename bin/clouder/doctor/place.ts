import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { z } from 'zod'
import { readRunFacts } from '../run-facts.ts'
import { dataFolderOf, readSettings, type Settings } from '../settings.ts'
import { NothingToLookAt } from './check.ts'
import { openDatabase, type Db } from '#db/database.ts'

/** Where the parts of the installation are, as far as this machine knows: variables first, then what `npm start` noted. */
export interface Place {
  readonly dataFolder: string
  readonly facts: Readonly<Record<string, string>>
  readonly dockerHost: string | undefined
  readonly temporalNamespace: string
  readonly apiPort: string
  settings(): Settings
  databaseUrl(): string
  database(): Promise<Db>
  temporal(): Promise<Client>
  close(): Promise<void>
}

export function findPlace(env: NodeJS.ProcessEnv): Place {
  const dataFolder = dataFolderOf(env)
  const facts = readRunFacts(dataFolder)
  const closings: (() => Promise<unknown>)[] = []
  const databaseUrl = () => findDatabaseUrl(env, dataFolder, facts)
  return {
    dataFolder,
    facts,
    dockerHost: env['DOCKER_HOST'] || facts['docker'],
    temporalNamespace: env['CLOUDER_TEMPORAL_NAMESPACE'] || env['TEMPORAL_NAMESPACE'] || 'default',
    apiPort: env['CLOUDER_PORT'] || '4400',
    settings: () => readSettings(env),
    databaseUrl,
    database: once(async () => {
      const db = openDatabase(databaseUrl(), { applicationName: 'clouder doctor', maxConnections: 2 })
      closings.push(() => db.destroy())
      return db
    }),
    temporal: once(async () => {
      const address = env['CLOUDER_TEMPORAL_ADDRESS'] || env['TEMPORAL_ADDRESS'] || facts['temporal']
      if (!address) throw new NothingToLookAt('No address of a Temporal server is known here.')
      const connection = await Connection.connect({ address, connectTimeout: '3 s' })
      closings.push(() => connection.close())
      const namespace = env['CLOUDER_TEMPORAL_NAMESPACE'] || env['TEMPORAL_NAMESPACE'] || 'default'
      return new Client({ connection, namespace })
    }),
    close: async () => void (await Promise.all(closings.map((close) => close()))),
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

/** The note of a start holds no password; that of the server it started is in the data folder. */
function findDatabaseUrl(
  env: NodeJS.ProcessEnv,
  folder: string,
  facts: Readonly<Record<string, string>>,
): string {
  const named = env['CLOUDER_DATABASE_URL'] || env['DATABASE_URL']
  if (named) return named
  const noted = facts['postgres']
  const secrets = join(folder, 'secrets.json')
  if (noted === undefined || !existsSync(secrets))
    throw new NothingToLookAt('No address of a PostgreSQL server is known here.')
  const url = new URL(noted)
  url.password = z
    .object({ postgresPassword: z.string() })
    .parse(JSON.parse(readFileSync(secrets, 'utf8'))).postgresPassword
  return url.href
}
