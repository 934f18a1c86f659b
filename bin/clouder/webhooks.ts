import type { Command } from 'commander'
import type { Webhook, WebhookDelivery, WebhookWithSecret } from './answers.ts'
import { instantText } from './format.ts'
import { gather, limitOption, tellMore } from './list.ts'
import { withSession } from './session.ts'

const pathOf = (id: string) => `/v1/webhooks/${encodeURIComponent(id)}`

export function registerWebhooks(program: Command): void {
  const group = program
    .command('webhooks')
    .alias('webhook')
    .summary('have events posted to other programs, and see what they answer')
    .description('Events are posted signed, after the Standard Webhooks, again until they are taken.')
    .addHelpText(
      'before',
      `Examples
  npx clouder webhooks
  npx clouder webhooks add https://hooks.example.com/clouder --kind 'limit.*' --kind invoice.finalized
  npx clouder webhooks deliveries whk_…
  npx clouder webhooks redeliver whk_… --from 2026-03-01T00:00:00Z
`,
    )
  addLists(group)
  addSecrets(group)
  addRedelivering(group)
  addCommands(group)
}

function addLists(group: Command): void {
  group
    .command('ls')
    .description('list webhooks (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Webhook>('/v1/webhooks', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['id', 'where', 'events', 'state', 'waiting', 'fails since'],
          found.rows.map((row) => [
            row.id,
            row.url,
            row.kinds?.join(' ') ?? 'all',
            row.state,
            String(row.waiting),
            row.failing_since === null ? '' : instantText(row.failing_since),
          ]),
        )
        tellMore(out, found, 'npx clouder webhooks add --help')
      }),
    )
  group
    .command('deliveries')
    .description('what was posted to a webhook, with its last answer')
    .argument('<webhook>', 'its id')
    .option('--state <state>', 'waiting, delivered or given_up')
    .addOption(limitOption())
    .action(
      withSession<[string], { state?: string; limit: number }>(
        async ({ api, out }, { args: [id], options }) => {
          const filter = options.state === undefined ? {} : { state: options.state }
          const found = await api.list<WebhookDelivery>(`${pathOf(id)}/deliveries`, filter, options.limit)
          if (out.isJson) return out.json(found.rows)
          out.table(
            ['event', 'kind', 'state', 'failed', 'last', 'answer'],
            found.rows.map(({ event, state, failures, attempts: [last] }) => [
              event.id,
              event.kind,
              state,
              String(failures),
              last === undefined ? '' : instantText(last.at),
              last === undefined ? '' : String(last.status ?? last.failure),
            ]),
          )
          tellMore(out, found, 'Nothing was posted yet.')
        },
      ),
    )
}

function addSecrets(group: Command): void {
  group
    .command('add')
    .description('have events posted to an address; its secret is shown once')
    .argument('<url>', 'by https')
    .option('--kind <kind>', 'such as limit.reached, or limit.*; may be repeated; left out, all', gather)
    .option('--description <text>', 'what it is for')
    .action(
      withSession<[string], { kind?: string[]; description?: string }>(
        async ({ api, out }, { args: [url], options: { kind: kinds, description } }) => {
          const made = await api.post<WebhookWithSecret>('/v1/webhooks', { url, kinds, description })
          if (out.isJson) return out.json(made)
          out.facts([
            ['webhook', made.id],
            ['secret, shown once', made.secret],
          ])
        },
      ),
    )
  group
    .command('rotate-secret')
    .description('give a webhook another secret; both sign for a day')
    .argument('<webhook>', 'its id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const made = await api.post<WebhookWithSecret>(`${pathOf(id)}/rotate-secret`, {})
        if (out.isJson) return out.json(made)
        out.facts([['secret, shown once', made.secret]])
      }),
    )
}

function addRedelivering(group: Command): void {
  group
    .command('redeliver')
    .description('post an event once more, or those of a time')
    .argument('<webhook>', 'its id')
    .option('--event <id>', 'one event')
    .option('--from <instant>', 'else those from here on')
    .option('--until <instant>', 'until here; left out, now')
    .option('--given-up', 'of them those that were given up')
    .action(
      withSession<[string], { event?: string; from?: string; until?: string; givenUp?: true }>(
        async ({ api, out }, { args: [id], options: { event, from, until, givenUp } }) => {
          const body = { event, from, until, given_up_only: givenUp }
          const answer = await api.post<{ count: number }>(`${pathOf(id)}/redeliver`, body)
          if (out.isJson) return out.json(answer)
          out.say(`  ${answer.count} posted once more`)
        },
      ),
    )
}

function addCommands(group: Command): void {
  for (const [word, said] of [
    ['enable', 'enable a webhook: what waits is posted at once'],
    ['disable', 'disable a webhook: what comes waits'],
    ['test', 'post a test event'],
  ] as const)
    group
      .command(word)
      .description(said)
      .argument('<webhook>', 'its id')
      .action(
        withSession<[string]>(async ({ api, out }, { args: [id] }) => {
          const answer = await api.post<Record<string, unknown>>(`${pathOf(id)}/${word}`, {})
          if (out.isJson) return out.json(answer)
          out.say(`  ${String(answer['state'] ?? answer['event'])}`)
        }),
      )
  group
    .command('rm')
    .description('delete a webhook, with its log')
    .argument('<webhook>', 'its id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        await api.delete(pathOf(id))
        if (out.isJson) return out.json({ deleted: id })
        out.facts([['deleted', id]])
      }),
    )
}
