import type { Command } from 'commander'
import type { Registry } from './answers.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { readPassword } from './password.ts'
import { withSession } from './session.ts'

const passwordVariable = 'CLOUDER_REGISTRY_PASSWORD'

export function registerRegistries(program: Command): void {
  const group = program
    .command('registries')
    .alias('registry')
    .summary('list, give and forget logins for image registries')
    .description('Registries whose images need a login. Passwords are sealed, and never shown again.')
    .addHelpText(
      'before',
      `Examples
  npx clouder registries
  npx clouder registries add ghcr.io --user acme < token.txt
  npx clouder registries rm ghcr.io
`,
    )
  group
    .command('ls')
    .description('list registries with a login (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Registry>('/v1/registries', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['id', 'host', 'user', 'given', 'by'],
          found.rows.map((row) => [row.id, row.host, row.username, instantText(row.set_at), row.set_by]),
        )
        tellMore(out, found, 'None: images are pulled as anybody can. npx clouder registries add --help')
      }),
    )
  group
    .command('add')
    .description('give the login for a host, or another one')
    .argument('<host>', 'such as ghcr.io or registry.example.com:5000')
    .requiredOption('--user <name>', 'whom the registry knows')
    .addHelpText(
      'after',
      `\nThe password is read from standard input, from ${passwordVariable}, or asked for.\n`,
    )
    .action(
      withSession<[string], { user: string }>(async (session, { args: [host], options }) => {
        const { api, out } = session
        const password = await readPassword(session, passwordVariable)
        const made = await api.post<Registry>('/v1/registries', { host, username: options.user, password })
        if (out.isJson) return out.json(made)
        out.say(`  ${made.host}: ${made.username}`)
      }),
    )
  group
    .command('rm')
    .description('forget the login for a host; images that servers have stay')
    .argument('<registry>', 'its host or id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [named] }) => {
        const { rows } = await api.list<Registry>('/v1/registries', {}, 1_000)
        const id = rows.find(({ host }) => host === named)?.id ?? named
        await api.delete(`/v1/registries/${encodeURIComponent(id)}`)
        if (out.isJson) return out.json({ deleted: named })
        out.facts([['deleted', named]])
      }),
    )
}
