import type { Command } from 'commander'
import type { Finding, Instance, InstanceLoginLink, Repair } from './answers.ts'
import { addExport } from './compose-export.ts'
import { instantText } from './format.ts'
import { addInstanceCommands } from './instance-commands.ts'
import { limitOption, tellMore } from './list.ts'
import { registerInstanceConfiguration } from './instance-configuration.ts'
import { withSession, type Session } from './session.ts'

export function registerInstances(program: Command): void {
  const group = program
    .command('instances')
    .alias('instance')
    .summary('list what is deployed, repair and restart it, run its actions, read its logs')
    .description('Deployed applications, with what was seen of them and when.')
    .addHelpText(
      'before',
      `Examples
  npx clouder instances
  npx clouder instances ls --drift
  npx clouder instances repair inst_…
  npx clouder instances set inst_… --memory web=4096 --preview
  npx clouder instances diff inst_…
  npx clouder instances logs inst_… --level warning --since 2026-11-25T10:00:00Z
  npx clouder instances run inst_… clear_cache
`,
    )
  registerInstanceConfiguration(group)
  group
    .command('ls')
    .description('list instances, newest first (what the word alone does)')
    .option('--drift', 'what is not as it should be instead: drift, orphans, ghosts, foreign objects')
    .option('--subscription <subscription>', 'only those of this subscription')
    .addOption(limitOption())
    .action(
      withSession<[], { drift?: true; limit: number; subscription?: string }>(async (session, { options }) =>
        options.drift ? listDrift(session, options.limit) : list(session, options),
      ),
    )
  group
    .command('repair <instance>')
    .description('have one made as it should be: started, made again, or replaced; its volumes stay')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const repair = await api.post<Repair>(`/v1/instances/${encodeURIComponent(id)}/repair`, {})
        if (out.isJson) return out.json(repair)
        out.facts([
          ['instance', repair.instance],
          ['observed', repair.observed_state],
          ['left', repair.left.length === 0 ? 'nothing' : repair.left.join(', ')],
        ])
      }),
    )
  group
    .command('login <instance>')
    .description('make a link that logs into the application, once, within a minute')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const link = await api.post<InstanceLoginLink>(
          `/v1/instances/${encodeURIComponent(id)}/login-links`,
          {},
        )
        if (out.isJson) return out.json(link)
        out.print(link.url)
      }),
    )
  addExport(group, 'instances')
  addInstanceCommands(group)
}

async function list(
  { api, out }: Session,
  { limit, subscription }: { limit: number; subscription?: string },
): Promise<void> {
  const found = await api.list<Instance>('/v1/instances', { subscription }, limit)
  if (out.isJson) return out.json(found.rows)
  out.table(
    ['id', 'name', 'application', 'part of', 'state', 'observed', 'seen', 'server', 'address'],
    found.rows.map((row) => [
      row.id,
      row.name,
      row.application,
      row.parent,
      row.state,
      row.observed_state,
      row.observed_at === null ? null : instantText(row.observed_at),
      row.server,
      row.address,
    ]),
  )
  tellMore(out, found, 'An order makes the first: npx clouder order static-site --customer harbour-bakery')
}

async function listDrift({ api, out }: Session, limit: number): Promise<void> {
  const found = await api.list<Finding>('/v1/findings', {}, limit)
  if (out.isJson) return out.json(found.rows)
  out.table(
    ['found', 'what', 'object', 'instance', 'since', 'settled by'],
    found.rows.map((row) => [
      row.severity,
      row.kind,
      `${row.object_kind} ${row.object_name}`,
      row.instance,
      instantText(row.found_at),
      row.command,
    ]),
  )
  tellMore(out, found, 'Everything that was looked at is as it should be.')
}
