import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { z } from 'zod'
import { ensureInstallation } from '#bin/installation.ts'
import { ensureKeyFile, writePrivateFile } from '#bin/platform/data-folder.ts'
import { registerSearchAttributes } from '#bin/search-attributes.ts'
import { seedSeller } from '#bin/seed.ts'
import { openDatabase } from '#db/database.ts'
import { migrate } from '#db/migrate.ts'

// What is done once before the API and the worker of an installation in containers start, and again with each new version: its key,
// its schema, its search attributes, its seller. Done before, it changes nothing.

const environmentSchema = z.object({
  CLOUDER_DATABASE_URL: z.string().min(1),
  CLOUDER_TEMPORAL_ADDRESS: z.string().min(1),
  CLOUDER_TEMPORAL_NAMESPACE: z.string().default('default'),
  CLOUDER_DATA: z.string().min(1),
  CLOUDER_KEY_FILE: z.string().min(1),
  CLOUDER_PORT: z.coerce.number().int(),
  SELLER_NAME: z.string().min(1).max(200).default('My company'),
  SELLER_CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('USD'),
})

const read = environmentSchema.safeParse(process.env)
if (!read.success) {
  console.error(`The installation cannot be prepared:\n${z.prettifyError(read.error)}`)
  process.exit(2)
}
const env = read.data

ensureKeyFile(env.CLOUDER_KEY_FILE)
const applied = await migrate(env.CLOUDER_DATABASE_URL)
console.log(JSON.stringify({ message: 'schema', applied: applied.length }))
const connection = await Connection.connect({ address: env.CLOUDER_TEMPORAL_ADDRESS, connectTimeout: '60 s' })
await registerSearchAttributes(connection, env.CLOUDER_TEMPORAL_NAMESPACE)
await connection.close()

const db = openDatabase(env.CLOUDER_DATABASE_URL, { applicationName: 'clouder prepare', maxConnections: 2 })
await ensureInstallation(db, 'dry-run')
await seedSeller(db, { name: env.SELLER_NAME, currency: env.SELLER_CURRENCY }, (apiKey) => {
  const apiUrl = `http://127.0.0.1:${env.CLOUDER_PORT}`
  writePrivateFile(
    join(env.CLOUDER_DATA, 'cli.json'),
    `${JSON.stringify({ apiUrl, apiKey }, undefined, 2)}\n`,
  )
})
await db.destroy()
console.log(JSON.stringify({ message: 'prepared' }))
