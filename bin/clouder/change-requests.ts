import { Option, type Command } from 'commander'
import { changeRequestStates } from '#domain/change-request.ts'
import type { ChangeRequest } from './answers.ts'
import { instantText, moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession, type Session } from './session.ts'

/** What customers asked for, and the two answers to it. */
export function registerChangeRequests(program: Command): void {
  const group = program
    .command('change-requests')
    .alias('change-request')
    .summary('what customers asked for: list, show, apply, refuse')
    .description(
      'Changes that customers asked for. Of a product with upgrade mode manual, each waits for you.',
    )
    .addHelpText(
      'before',
      `Examples
  npx clouder change-requests --state open
  npx clouder change-requests apply chg_…
  npx clouder change-requests refuse chg_… --reason "The next size is sold from June on."
`,
    )
  group
    .command('ls')
    .description('list them, newest first (what the word alone does)')
    .addOption(new Option('--state <state>', 'only those in this state').choices(changeRequestStates))
    .option('--subscription <subscription>', 'only those of this subscription')
    .addOption(limitOption())
    .action(
      withSession<[], { state?: string; subscription?: string; limit: number }>(
        async ({ api, out }, { options: { limit, state, subscription } }) => {
          const filter = { state, subscription }
          const found = await api.list<ChangeRequest>('/v1/change-requests', filter, limit)
          if (out.isJson) return out.json(found.rows)
          out.table(
            ['request', 'subscription', 'what', 'asked by', 'since', 'state'],
            found.rows.map((row) => [
              row.id,
              row.subscription,
              whatOf(row),
              row.requested_by,
              instantText(row.created_at),
              row.state,
            ]),
          )
          tellMore(out, found, 'Nobody asked for anything.')
        },
      ),
    )
  group
    .command('show <request>')
    .description('one of them: what it means and costs, and what became of it')
    .action(
      withSession<[string]>(async (session, { args: [id] }) =>
        show(session, await session.api.get<ChangeRequest>(addressOf(id))),
      ),
    )
  addDecisions(group)
}

function addDecisions(group: Command): void {
  group
    .command('apply <request>')
    .description('make the change')
    .action(
      withSession<[string]>(async (session, { args: [id] }) =>
        show(session, await session.api.post<ChangeRequest>(`${addressOf(id)}/apply`, {})),
      ),
    )
  group
    .command('refuse <request>')
    .description('change nothing, and tell the customer why')
    .requiredOption('--reason <text>', 'why; the customer reads it')
    .action(
      withSession<[string], { reason: string }>(async (session, { args: [id], options: { reason } }) =>
        show(session, await session.api.post<ChangeRequest>(`${addressOf(id)}/refuse`, { reason })),
      ),
    )
}

function addressOf(id: string): string {
  return `/v1/change-requests/${encodeURIComponent(id)}`
}

function whatOf({ preview }: ChangeRequest): string {
  return `${preview.product} from ${preview.from} to ${preview.to}`
}

export function show({ out }: Session, request: ChangeRequest): void {
  if (out.isJson) return out.json(request)
  const { preview } = request
  const next = preview.next_invoice
  out.facts([
    ['request', request.id],
    ['subscription', request.subscription],
    ['what', whatOf(request)],
    ['asked by', request.requested_by],
    ['message', request.message],
    ['takes effect', preview.effective_on],
    ['credit', moneyText(preview.credit)],
    ['charge', moneyText(preview.charge)],
    ['next invoice', next === null ? null : `${next.on}: ${moneyText(next.total)}`],
    ['state', request.state],
    ['decided by', request.decided_by],
    ['refused because', request.refused_reason],
  ])
  if (request.state === 'open') out.say(`\n  Next  npx clouder change-requests apply ${request.id}`)
}
