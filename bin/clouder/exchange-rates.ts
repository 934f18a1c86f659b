import type { Command } from 'commander'
import type { ExchangeRate } from './answers.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession } from './session.ts'

interface NewRate {
  readonly base: string
  readonly quote: string
  readonly source: string
  readonly on: string
}

export function registerExchangeRates(program: Command): void {
  const group = program
    .command('exchange-rates')
    .alias('exchange-rate')
    .summary('list and record exchange rates')
    .description(
      'Rates between two currencies, each with its source. A rate holds until that of a later day.',
    )
    .addHelpText(
      'before',
      `Examples
  npx clouder exchange-rates
  npx clouder exchange-rates add 1.0842 --base EUR --quote USD --source ECB --on 2026-02-27
`,
    )
  group
    .command('ls')
    .description('list rates, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<ExchangeRate>('/v1/exchange-rates', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['id', 'base', 'quote', 'rate', 'on', 'source'],
          found.rows.map((row) => [row.id, row.base, row.quote, row.rate, row.valid_on, row.source]),
        )
        tellMore(out, found, 'None is recorded. npx clouder exchange-rates add --help')
      }),
    )
  group
    .command('add')
    .description('record a rate; a wrong one is corrected by recording it anew')
    .argument('<rate>', '1 of the base is so many of the quote, such as 1.0842')
    .requiredOption('--base <currency>', 'such as EUR')
    .requiredOption('--quote <currency>', 'such as USD')
    .requiredOption('--source <name>', 'who says so, as documents name it')
    .requiredOption('--on <date>', 'the day from which it holds')
    .action(
      withSession<[string], NewRate>(async ({ api, out }, { args: [rate], options }) => {
        const { base, quote, source, on } = options
        const body = { base, quote, rate, source, valid_on: on }
        const made = await api.post<ExchangeRate>('/v1/exchange-rates', body)
        if (out.isJson) return out.json(made)
        out.say(`  1 ${made.base} = ${made.rate} ${made.quote} from ${made.valid_on}: ${made.id}`)
      }),
    )
}
