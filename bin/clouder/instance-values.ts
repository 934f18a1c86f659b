import type { Command } from 'commander'
import type { InstanceValues } from './answers.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

export function registerInstanceValues(program: Command): void {
  const group = program
    .command('values')
    .summary('what is recorded of instances: users, disk_gib')
    .description('Recorded values of an instance, which price grids look up by name.')
    .addHelpText(
      'before',
      `Examples
  npx clouder values show ins_…
  npx clouder values set ins_… users 12 --from 2026-05-01
`,
    )
  group
    .command('show <instance>')
    .description('list them with their history, by value')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [instance] }) => {
        tellValues(out, await api.get<InstanceValues>(`/v1/instances/${encodeURIComponent(instance)}/values`))
      }),
    )
  group
    .command('set <instance> <code> <value>')
    .description('record a value')
    .option('--from <date>', 'from which day on it is so; left out, today')
    .action(
      withSession<[string, string, string], { from?: string }>(async (session, { args, options }) => {
        const [instance, code, value] = args
        const path = `/v1/instances/${encodeURIComponent(instance)}/values/${encodeURIComponent(code)}`
        const body = { value, starts_on: options.from }
        tellValues(session.out, await session.api.put<InstanceValues>(path, body))
      }),
    )
}

function tellValues(out: Output, { values }: InstanceValues): void {
  if (out.isJson) return out.json(values)
  out.table(
    ['value', 'is', 'from', 'recorded by'],
    values.map((row) => [row.code, row.value, row.starts_on, row.recorded_by]),
  )
}
