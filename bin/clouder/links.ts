import type { Command } from 'commander'
import type { Link } from './answers.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession } from './session.ts'

export function registerLinks(program: Command): void {
  const group = program
    .command('links')
    .alias('link')
    .summary('what instances are linked to, and what they wait for')
    .description(
      'What one application has, another is given: a database, a name. Each says why it was taken.',
    )
    .addHelpText(
      'before',
      `Examples
  npx clouder links
  npx clouder links ls --subscription sub_…
  npx clouder links prefer inst_… database
`,
    )
  group
    .command('ls')
    .description('list links, newest first (what the word alone does)')
    .option('--subscription <subscription>', 'only those of this subscription, on either side')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number; subscription?: string }>(
        async ({ api, out }, { options: { limit, subscription } }) => {
          const found = await api.list<Link>('/v1/links', { subscription }, limit)
          if (out.isJson) return out.json(found.rows)
          out.table(
            ['id', 'instance', 'name', 'kind', 'state', 'offer', 'why', 'not yet because'],
            found.rows.map((row) => [
              row.id,
              row.instance_name,
              row.name,
              row.kind,
              row.state,
              row.offer?.name ?? null,
              row.explanation,
              row.failure_detail,
            ]),
          )
          tellMore(out, found, 'Applications say in x-clouder what they want and offer.')
        },
      ),
    )
  group
    .command('prefer <instance> <kind>')
    .description('have its offer taken on its server, where nothing nearer is')
    .option('--not', 'not any more')
    .action(
      withSession<[string, string], { not?: true }>(
        async ({ api, out }, { args: [instance, kind], options: { not: isNot } }) => {
          const address = `/v1/instances/${encodeURIComponent(instance)}/preferred-offer`
          const answer = await api.post<{ is_preferred: boolean }>(address, {
            kind,
            is_preferred: isNot !== true,
          })
          if (out.isJson) return out.json(answer)
          out.facts([
            ['instance', instance],
            ['kind', kind],
            ['preferred', answer.is_preferred ? 'yes' : 'no'],
          ])
        },
      ),
    )
}
