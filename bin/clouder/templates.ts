import type { Command } from 'commander'
import type { SubscriptionTemplate } from './answers.ts'
import { withSession } from './session.ts'
import { readRecurrence } from './subscription-changes.ts'

interface NewTemplate {
  readonly tag?: readonly string[]
  readonly notes?: string
  readonly term?: string
  readonly every?: string
  readonly trialDays?: string
}

export function registerTemplates(program: Command): void {
  const group = program
    .command('templates')
    .alias('template')
    .summary('list and name defaults of subscriptions')
    .description('What is agreed with a subscription, by name: npx clouder order … --template <code>.')
    .addHelpText(
      'before',
      `Examples
  npx clouder templates
  npx clouder templates add yearly-partner "Partners, by the year" --term "1 year" --tag partner
`,
    )
  group
    .command('ls')
    .description('list them by code (what the word alone does)')
    .action(
      withSession(async ({ api, out }) => {
        const { data } = await api.get<{ data: SubscriptionTemplate[] }>('/v1/subscription-templates')
        if (out.isJson) return out.json(data)
        out.table(
          ['code', 'name', 'tags', 'notes'],
          data.map(({ code, name, tags, notes }) => [code, name, tags?.join(', ') ?? null, notes ?? null]),
        )
      }),
    )
  group
    .command('add <code> <name>')
    .description('name defaults; terms other than these by the API')
    .option('--tag <tag...>', 'tags of the subscription')
    .option('--notes <text>', 'for operators')
    .option('--term <length>', 'a fixed term that is renewed, such as "1 year"')
    .option('--every <interval>', 'sold by this recurrence, such as "1 quarter"')
    .option('--trial-days <number>', 'days from the start that cost nothing')
    .action(
      withSession<[string, string], NewTemplate>(async ({ api, out }, { args: [code, name], options }) => {
        const { tag: tags, notes, term, every, trialDays } = options
        const body = {
          code,
          name,
          tags,
          notes,
          term: term === undefined ? undefined : { length: readRecurrence(term) },
          recurrence: every === undefined ? undefined : readRecurrence(every),
          terms: trialDays === undefined ? undefined : { trial_days: Number(trialDays) },
        }
        const made = await api.post<SubscriptionTemplate>('/v1/subscription-templates', body)
        if (out.isJson) return out.json(made)
        out.say(`  ${made.code}: ${made.id}`)
      }),
    )
}
