import type { Command } from 'commander'
import type { Task } from './answers.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession } from './session.ts'

export function registerTasks(program: Command): void {
  program
    .command('tasks')
    .alias('task')
    .summary('list what waits for a person')
    .description('Lists the open tasks: what happened, and what to do.')
    .option('--all', 'the closed ones too')
    .addOption(limitOption())
    .addHelpText('before', 'Example\n  npx clouder tasks\n')
    .action(
      withSession<[], { all?: true; limit: number }>(async ({ api, out }, { options }) => {
        const open = options.all ? undefined : 'true'
        const found = await api.list<Task>('/v1/tasks', { open }, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['since', 'about', 'what to do', 'state'],
          found.rows.map((row) => [
            instantText(row.created_at),
            row.subject_id,
            `${row.subject}: ${row.detail}`,
            row.closed_at === null ? 'open' : `closed: ${row.closed_reason ?? ''}`,
          ]),
        )
        tellMore(out, found, 'Nothing waits for you.')
      }),
    )
}
