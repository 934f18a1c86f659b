import { Option, type Command } from 'commander'
import { logLevels } from '#domain/log-line.ts'
import type { InstanceCommand, Log, ShownSecret } from './answers.ts'
import { gatherPair } from './list.ts'
import { withSession, type Session } from './session.ts'

interface LogOptions {
  readonly service?: string
  readonly since?: string
  readonly level?: string
  readonly search?: string
  readonly limit: string
}

/** What is asked of one instance. */
export function addInstanceCommands(group: Command): void {
  group
    .command('restart <instance>')
    .description('stop its containers, start them again, and see it ready')
    .action(
      withSession<[string]>(async (session, { args: [id] }) => ask(session, `${pathOf(id)}/restart`, {})),
    )
  group
    .command('run <instance> <action>')
    .description('run an action of its application')
    .option('--field <code=answer>', 'what the action asks, as often as there is something', gatherPair, {})
    .action(
      withSession<[string, string], { field: Readonly<Record<string, string>> }>(
        async (session, { args: [id, action], options: { field: fields } }) =>
          ask(session, `${pathOf(id)}/actions/${encodeURIComponent(action)}`, { fields }),
      ),
    )
  group
    .command('rotate-secret <instance> <secret>')
    .description('give a secret another value; what uses it is replaced')
    .action(
      withSession<[string, string]>(async (session, { args: [id, secret] }) =>
        ask(session, `${pathOf(id)}/secrets/${encodeURIComponent(secret)}/rotate`, {}),
      ),
    )
  group
    .command('show-secret <instance> <secret>')
    .description('show a secret: once')
    .action(
      withSession<[string, string]>(async ({ api, out }, { args: [id, secret] }) => {
        const path = `${pathOf(id)}/secrets/${encodeURIComponent(secret)}/show`
        const shown = await api.post<ShownSecret>(path, {})
        if (out.isJson) return out.json(shown)
        out.facts([[shown.name, shown.value]])
      }),
    )
  group
    .command('logs <instance>')
    .description('what its containers wrote, without its secrets')
    .option('--service <service>', 'only of this service')
    .option('--since <instant>', 'from then on, such as 2026-11-25T10:00:00Z')
    .addOption(new Option('--level <level>', 'that urgent, or more').choices(logLevels))
    .option('--search <text>', 'only lines that hold this text')
    .option('--limit <lines>', 'so many of the newest', '200')
    .action(
      withSession<[string], LogOptions>(async ({ api, out }, { args: [id], options }) => {
        const { service, since, level, search, limit } = options
        const log = await api.get<Log>(`${pathOf(id)}/logs`, { service, since, level, search, limit })
        if (out.isJson) return out.json(log.data)
        for (const line of log.data) out.print(`${line.at.slice(0, 19)}Z ${line.service} ${line.text}`)
      }),
    )
}

async function ask({ api, out }: Session, path: string, body: object): Promise<void> {
  const command = await api.post<InstanceCommand>(path, body)
  if (out.isJson) return out.json(command)
  out.facts([
    [command.kind, command.subject],
    ['state', command.state],
    ['exit code', command.exit_code === null ? null : String(command.exit_code)],
  ])
  if (command.output !== null && command.output !== '') out.print(command.output)
}

function pathOf(id: string): string {
  return `/v1/instances/${encodeURIComponent(id)}`
}
