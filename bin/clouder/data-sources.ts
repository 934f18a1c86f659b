import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { messageOf } from '#domain/errors.ts'
import type { DataSource } from './answers.ts'
import { usageFailure } from './failure.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { readPassword } from './password.ts'
import { withSession } from './session.ts'

const passwordVariable = 'CLOUDER_DATA_SOURCE_PASSWORD'

interface NewDataSource {
  readonly kind: string
  readonly host: string
  readonly port: string
  readonly database?: string
  readonly user: string
  readonly tls: boolean
  readonly authority?: string
}

export function registerDataSources(program: Command): void {
  const group = program
    .command('data-sources')
    .alias('data-source')
    .summary('list, give and forget databases elsewhere that metrics are read from')
    .description(
      'Databases elsewhere that metrics are read from. Passwords are sealed, and never shown again.',
    )
    .addHelpText(
      'before',
      `Examples
  npx clouder data-sources
  npx clouder data-sources add warehouse --kind postgresql --host db.example.com --port 5432 --database shop --user reader < password.txt
  npx clouder data-sources rm warehouse
`,
    )
  addList(group)
  addGiving(group)
  group
    .command('rm')
    .description('forget a data source; it is refused while an application names it')
    .argument('<data-source>', 'its code or id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [named] }) => {
        await api.delete(`/v1/data-sources/${encodeURIComponent(named)}`)
        if (out.isJson) return out.json({ deleted: named })
        out.facts([['deleted', named]])
      }),
    )
}

function addList(group: Command): void {
  group
    .command('ls')
    .description('list data sources (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<DataSource>('/v1/data-sources', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['code', 'kind', 'where', 'database', 'user', 'tls', 'given', 'by'],
          found.rows.map((row) => [
            row.code,
            row.kind,
            `${row.host}:${row.port}`,
            row.database,
            row.username,
            row.tls ? 'yes' : 'no',
            instantText(row.set_at),
            row.set_by,
          ]),
        )
        tellMore(out, found, 'None is given. npx clouder data-sources add --help')
      }),
    )
}

function addGiving(group: Command): void {
  group
    .command('add')
    .description('give a data source, or the code another one')
    .argument('<code>', 'by which applications name it')
    .requiredOption('--kind <kind>', 'postgresql, mysql (MariaDB too) or elasticsearch')
    .requiredOption('--host <host>', 'a name or an address')
    .requiredOption('--port <port>', 'such as 5432')
    .option('--database <name>', 'of PostgreSQL and MySQL')
    .requiredOption('--user <name>', 'one that may read only')
    .option('--authority <file>', 'a certificate in PEM that is trusted')
    .option('--no-tls', 'what is said can be read on the way')
    .addHelpText(
      'after',
      `\nThe password is read from standard input, from ${passwordVariable}, or asked for.\n`,
    )
    .action(
      withSession<[string], NewDataSource>(async (session, { args: [code], options }) => {
        const { api, out } = session
        const { kind, host, database, user: username, port, tls, authority } = options
        // Before a password is asked for.
        const certificateAuthority = authority === undefined ? undefined : readAuthority(authority)
        const made = await api.post<DataSource>('/v1/data-sources', {
          code,
          kind,
          host,
          database,
          tls,
          port: Number(port),
          username,
          password: await readPassword(session, passwordVariable),
          certificate_authority: certificateAuthority,
        })
        if (out.isJson) return out.json(made)
        out.say(`  ${made.code}: ${made.kind} at ${made.host}:${made.port}`)
      }),
    )
}

/** The file is read here: the API gets what is in it. */
function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw usageFailure(`${file} cannot be read: ${messageOf(error)}`, '--authority FILE.pem')
  }
}
