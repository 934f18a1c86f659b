import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { hashSecret, issueApiKey } from '#api/api-key.ts'
import { seedCatalog, seedInstallation, seedWordpress } from '#bin/demo-catalog.ts'
import { projectFolder } from '#bin/platform/tools.ts'
import { insertApiKey } from '#db/api-key.ts'
import { saveApplication } from '#db/application.ts'
import { openDatabase, type Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { insertLoginLink } from '#db/session.ts'
import { readApplication } from '#docker/applications.ts'
import { isImageReachable } from '#docker/registry.ts'

const applicationsFolder = path.join(projectFolder, 'applications')
const shipped = [
  'clouder',
  'odoo',
  'odoo-stand-in',
  'postgresql',
  'postgresql-debian',
  'static-site',
  'wordpress',
  'wordpress-debian',
] as const
const publicImages = { odoo: 'odoo:19', wordpress: 'wordpress:6-apache' }
const loginLinkMs = 30 * 60_000

/** Who sells, as the first start of an installation is told. */
export interface FirstSeller {
  readonly name: string
  readonly currency: string
}

/**
 * An installation that sells for somebody: its seller, the shipped applications, and no products or customers of a demo. What its
 * server stands for deploys nothing, so no order goes there.
 * @param keepKey called with the key of the command line, which is made once, before it is known to hold
 */
export async function seedSeller(
  db: Db,
  seller: FirstSeller,
  keepKey: (text: string) => void,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const installation = await tx.selectFrom('installation').selectAll().forUpdate().executeTakeFirstOrThrow()
    for (const code of shipped) await saveShipped(tx, code)
    if (installation.demo_seeded_at !== null) return
    const now = new Date().toISOString()
    await tx
      .updateTable('installation')
      .set({
        seller: JSON.stringify({ name: seller.name, address: '', taxId: null }),
        currency: seller.currency,
        demo_seeded_at: now,
      })
      .execute()
    await tx.updateTable('servers').set({ draining_since: now }).where('runner', '=', 'dry-run').execute()
    keepKey(await createApiKey(tx))
  })
}

export interface Seeded {
  /** Made by the first start only, and shown once. */
  readonly apiKey: string | undefined
  /** One-time, for the first operator. */
  readonly loginUrl: string
}

/** The demo catalog and customers, once; a one-time login link for the operator, at every start. */
export async function seed(options: { databaseUrl: string; apiUrl: string }): Promise<Seeded> {
  const db = openDatabase(options.databaseUrl, { maxConnections: 2, applicationName: 'clouder seed' })
  try {
    const apiKey = await seedOnce(db)
    return { apiKey, loginUrl: `${options.apiUrl}${await createLoginPath(db, loginLinkMs)}` }
  } finally {
    await db.destroy()
  }
}

async function seedOnce(db: Db): Promise<string | undefined> {
  const { runner } = await db.selectFrom('servers').select('runner').orderBy('id').executeTakeFirstOrThrow()
  const isReachable = async (image: string) =>
    runner === 'docker' && (await isImageReachable(process.env['DOCKER_HOST'], image))
  const [hasOdoo, hasWordpress] = await Promise.all([
    isReachable(publicImages.odoo),
    isReachable(publicImages.wordpress),
  ])
  return await db.transaction().execute(async (tx) => {
    const installation = await tx.selectFrom('installation').selectAll().forUpdate().executeTakeFirstOrThrow()
    for (const code of shipped) await saveShipped(tx, code)
    if (installation.demo_seeded_at !== null) return undefined
    await seedCatalog(tx, { odoo: hasOdoo ? 'odoo' : 'odoo-stand-in' })
    await seedWordpress(tx, hasWordpress ? 'wordpress' : 'wordpress-debian')
    await seedInstallation(tx)
    await tx.updateTable('installation').set({ demo_seeded_at: new Date().toISOString() }).execute()
    return await createApiKey(tx)
  })
}

async function saveShipped(db: Db, code: string): Promise<void> {
  const compose = await readFile(path.join(applicationsFolder, code, 'compose.yaml'), 'utf8')
  await saveApplication(db, { compose, definition: await readApplication(applicationsFolder, code) })
}

async function createApiKey(db: Db): Promise<string> {
  const id = newId()
  const key = issueApiKey({ id, mode: 'live' })
  await insertApiKey(db, {
    id,
    name: 'command line',
    mode: 'live',
    secretSha256: key.secretSha256,
    scopes: ['*'],
    expiresAt: null,
  })
  return key.text
}

/** A path of the console that lets the first operator in, once. */
export async function createLoginPath(db: Db, lifetimeMs: number): Promise<string> {
  const operatorId = await ensureOperator(db)
  const token = randomBytes(32).toString('base64url')
  await insertLoginLink(db, {
    tokenSha256: hashSecret(token),
    operatorId,
    expiresAt: new Date(Date.now() + lifetimeMs).toISOString(),
  })
  return `/login/${token}`
}

async function ensureOperator(db: Db): Promise<string> {
  const name = 'first operator'
  await db
    .insertInto('operators')
    .values({ id: newId(), name })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  const row = await db.selectFrom('operators').select('id').where('name', '=', name).executeTakeFirstOrThrow()
  return row.id
}
