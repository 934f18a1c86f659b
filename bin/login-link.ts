import { createLoginPath } from '#bin/seed.ts'
import { openDatabase } from '#db/database.ts'

// Prints a path of the console that lets the first operator in, once and within a minute: for who sold this installation.

const lifetimeMs = 60_000

const db = openDatabase(process.env['CLOUDER_DATABASE_URL'] ?? '', {
  applicationName: 'clouder login link',
  maxConnections: 1,
})
console.log(await createLoginPath(db, lifetimeMs))
await db.destroy()
