import { Argument, Option, type Command } from 'commander'
import { disputeOutcomes, disputeStates, type DisputeOutcome, type DisputeState } from '#domain/dispute.ts'
import type { Dispute } from './answers.ts'
import { usageFailure } from './failure.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

interface ListOptions {
  readonly limit: number
  readonly state?: DisputeState
  readonly raised?: 'here' | 'there'
}

export function registerDisputes(program: Command): void {
  const group = program
    .command('disputes')
    .alias('dispute')
    .summary('what is said to be wrong of documents between installations, and the answers')
    .description(
      'Who is billed raises a dispute and may withdraw it; who bills answers it. Nothing is credited by that.',
    )
    .addHelpText(
      'before',
      `Examples
  npx clouder disputes raise sinv_01kb… --reason "Billed twice" --line 3
  npx clouder disputes --raised there --state open
  npx clouder disputes answer dsp_01kb… rejected --text "It is of two servers"
`,
    )
  registerList(group)
  registerCommands(group)
}

function registerList(group: Command): void {
  group
    .command('ls')
    .description('list them, newest first (what the word alone does)')
    .addOption(new Option('--state <state>', 'that stand so').choices(disputeStates))
    .addOption(
      new Option('--raised <side>', 'here of suppliers, or there by customers').choices(['here', 'there']),
    )
    .addOption(limitOption())
    .action(
      withSession<[], ListOptions>(async ({ api, out }, { options: { limit, state, raised } }) => {
        const found = await api.list<Dispute>('/v1/disputes', { state, raised }, limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['id', 'number', 'with', 'raised', 'since', 'state', 'reason', 'answer'],
          found.rows.map((row) => [
            row.id,
            row.number,
            row.peer_name,
            row.raised,
            instantText(row.raised_at),
            row.state,
            row.reason,
            row.answer,
          ]),
        )
        tellMore(out, found, 'None. npx clouder disputes raise')
      }),
    )
}

function registerCommands(group: Command): void {
  group
    .command('raise')
    .description('say to its supplier that a supplier invoice is wrong')
    .argument('<invoice>', 'the id of the supplier invoice')
    .requiredOption('--reason <text>', 'what is wrong; the supplier reads it')
    .option('--line <position>', 'a line that is meant, counted from 1; may be given again', addLine, [])
    .action(
      withSession<[string], { reason: string; line: readonly number[] }>(
        async ({ api, out }, { args: [id], options: { reason, line } }) => {
          const path = `/v1/supplier-invoices/${encodeURIComponent(id)}/disputes`
          const body = line.length === 0 ? { reason } : { reason, lines: line }
          show(out, await api.post<Dispute>(path, body))
        },
      ),
    )
  group
    .command('answer')
    .description('answer what a customer says against an invoice')
    .argument('<dispute>', 'its id')
    .addArgument(
      new Argument('<outcome>', 'accepted: a credit note follows, made by hand').choices(disputeOutcomes),
    )
    .option('--text <text>', 'what the customer is told; needed to reject')
    .action(
      withSession<[string, DisputeOutcome], { text?: string }>(
        async ({ api, out }, { args: [id, outcome], options: { text } }) => {
          show(out, await api.post<Dispute>(`${addressOf(id)}/answer`, { outcome, text }))
        },
      ),
    )
  group
    .command('withdraw')
    .description('withdraw a dispute that was raised here')
    .argument('<dispute>', 'its id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        show(out, await api.post<Dispute>(`${addressOf(id)}/withdraw`, {}))
      }),
    )
}

function addLine(text: string, before: readonly number[]): readonly number[] {
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw usageFailure('A line is named by its place.', 'Give --line 1 for the first line.')
  return [...before, Number(text)]
}

function addressOf(id: string): string {
  return `/v1/disputes/${encodeURIComponent(id)}`
}

function show(out: Output, row: Dispute): void {
  if (out.isJson) return out.json(row)
  out.facts([
    ['dispute', row.id],
    ['of', row.number],
    ['state', row.state],
    ['reason', row.reason],
    ['answer', row.answer ?? ''],
  ])
}
