import { readdir, readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import { listObjects, type TestInstallation } from './installation.ts'

/**
 * Where a secret is found: rows of every table, histories of every workflow of the installation, labels and command lines of its
 * containers, and command lines of all processes of this machine. Whole, in base 64 and in hexadecimal.
 */
export async function findPlanted(installation: TestInstallation, secret: string): Promise<string[]> {
  const bytes = Buffer.from(secret)
  const forms = [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')]
  const isIn = (text: string) => forms.some((form) => text.includes(form))
  const found: string[] = []
  for (const [place, text] of [
    ...(await rowsOf(installation)),
    ...(await historiesOf(installation)),
    ...(await containersOf(installation)),
    ...(await commandLines()),
  ])
    if (isIn(text)) found.push(place)
  return found
}

type Places = readonly (readonly [string, string])[]

async function rowsOf({ db }: TestInstallation): Promise<Places> {
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE' order by table_name`.execute(db)
  return await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await sql<{ text: string | null }>`
        select string_agg(found::text, ' ') as text from ${sql.table(name)} as found`.execute(db)
      return [`table ${name}`, rows[0]?.text ?? ''] as const
    }),
  )
}

async function historiesOf({ client, db }: TestInstallation): Promise<Places> {
  const subscriptions = await db.selectFrom('subscriptions').select('id').execute()
  const builds = await db.selectFrom('build_orders').select(['id', 'kind']).execute()
  const commands = await db.selectFrom('instance_commands').select(['instance_id', 'request_id']).execute()
  const ids = [
    ...subscriptions.map(({ id }) => `subscription/${encodeId('subscription', id)}`),
    ...builds.map(({ id, kind }) => `${kind}/${encodeId('buildOrder', id)}`),
    ...commands.map((of) => `instance-command/${encodeId('instance', of.instance_id)}/${of.request_id}`),
  ]
  return await Promise.all(
    ids.map(async (id) => {
      const history = await client.workflow
        .getHandle(id)
        .fetchHistory()
        .catch(() => ({}))
      return [`history of ${id}`, textOf(history)] as const
    }),
  )
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part instanceof Uint8Array ? Buffer.from(part).toString('utf8') : part,
  )
}

/** Not their environment: there it is, for the container to read (decision 0038). */
async function containersOf({ installationId }: TestInstallation): Promise<Places> {
  const { docker, containers } = await listObjects(installationId)
  return await Promise.all(
    containers.map(async ({ Id: id }) => {
      const { Config: config, Path: path, Args: args, Name: name } = await docker.getContainer(id).inspect()
      return [
        `container ${name}`,
        JSON.stringify([config.Labels, config.Cmd, config.Entrypoint, path, args]),
      ] as const
    }),
  )
}

async function commandLines(): Promise<Places> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return await Promise.all(
    processes.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return [`command line of process ${pid}`, line] as const
    }),
  )
}
