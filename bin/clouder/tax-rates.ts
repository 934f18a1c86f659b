import type { Command } from 'commander'
import type { TaxRate } from './answers.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession } from './session.ts'

interface NewRate {
  readonly country: string
  readonly region?: string
  readonly category?: string
  readonly name: string
  readonly from?: string
}

export function registerTaxRates(program: Command): void {
  const group = program
    .command('tax-rates')
    .alias('tax-rate')
    .summary('list, add and end tax rates')
    .description('Rates by country, region and category. The service date selects the rate.')
    .addHelpText(
      'before',
      `Examples
  npx clouder tax-rates
  npx clouder tax-rates add 19 --country DE --name USt
  npx clouder tax-rates end tax_… 2026-07-01
`,
    )
  group
    .command('ls')
    .description('list rates, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<TaxRate>('/v1/tax-rates', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['id', 'country', 'region', 'category', 'name', 'percent', 'from', 'until'],
          found.rows.map((row) => [
            row.id,
            row.country,
            row.region,
            row.category,
            row.name,
            row.rate_percent,
            row.starts_on,
            row.ends_on,
          ]),
        )
        tellMore(out, found, 'Without rates no tax is charged. npx clouder tax-rates add --help')
      }),
    )
  registerChanges(group)
}

function registerChanges(group: Command): void {
  group
    .command('add')
    .description('add a rate')
    .argument('<percent>', 'such as 19 or 5.5')
    .requiredOption('--country <country>', 'two letters')
    .requiredOption('--name <name>', 'as it is printed')
    .option('--region <region>', 'of that country alone')
    .option('--category <category>', 'as products have it (standard)')
    .option('--from <date>', 'the first day on which it is in force')
    .action(
      withSession<[string], NewRate>(async ({ api, out }, { args: [percent], options }) => {
        const { country, region, category, name, from: startsOn } = options
        const body = { country, region, category, name, rate_percent: percent, starts_on: startsOn }
        const rate = await api.post<TaxRate>('/v1/tax-rates', body)
        if (out.isJson) return out.json(rate)
        out.say(`  ${rate.name} of ${rate.rate_percent} % in ${rate.country}: ${rate.id}`)
      }),
    )
  group
    .command('end')
    .description('let a rate end')
    .argument('<rate>', 'its id')
    .argument('<date>', 'the first day on which it is not in force any more')
    .action(
      withSession<[string, string]>(async ({ api, out }, { args: [id, date] }) => {
        const rate = await api.patch<TaxRate>(`/v1/tax-rates/${encodeURIComponent(id)}`, { ends_on: date })
        if (out.isJson) return out.json(rate)
        out.say(`  ${rate.name} of ${rate.rate_percent} % in ${rate.country} ends on ${date}`)
      }),
    )
}
