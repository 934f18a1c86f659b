import type { Command } from 'commander'
import type { PriceGrids } from './answers.ts'
import { usageFailure } from './failure.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

interface Row {
  readonly bound: string
  readonly amount: string
  readonly kind?: 'times_value'
  readonly value?: string
}

interface SetOptions {
  readonly application?: true
  readonly bounds?: string
  readonly fixed?: string
  readonly currency?: string
  readonly from?: string
}

const ofApplication = ['--application', 'it is an application, by code or id, and not an instance'] as const

export function registerPriceGrids(program: Command): void {
  const group = program
    .command('price-grids')
    .alias('price-grid')
    .summary('what instances cost by a value, such as their users')
    .description('Price grids of an application, or of one instance for itself.')
    .addHelpText(
      'before',
      `Examples
  npx clouder price-grids show ins_…
  npx clouder price-grids set ins_… --bounds lower 0=10:users 11=30:users 51=100:users
  npx clouder price-grids set odoo --application --currency USD --bounds lower 0=0.5x:disk_gib
`,
    )
  group
    .command('show <of>')
    .description('list the grids, oldest first')
    .option(...ofApplication)
    .action(
      withSession<[string], { application?: true }>(async ({ api, out }, { args: [of], options }) => {
        tellGrids(out, await api.get<PriceGrids>(pathOf(of, options)))
      }),
    )
  group
    .command('set <of> <steps...>')
    .description('give it a grid: each step is bound=amount, with x for times the value, and :value')
    .requiredOption('--bounds <form>', 'lower, or upper with 0 for above all')
    .option(...ofApplication)
    .option('--fixed <amount>', 'comes on top, whatever the value')
    .option('--currency <currency>', 'of an application’s grid')
    .option('--from <date>', 'for the periods that begin on this day or later; left out, today')
    .action(
      withSession<[string, string[]], SetOptions>(async ({ api, out }, { args: [of, steps], options }) => {
        const { bounds, fixed, currency, from } = options
        const body = { bounds, rows: steps.map(toRow), fixed_amount: fixed, currency, starts_on: from }
        tellGrids(out, await api.post<PriceGrids>(pathOf(of, options), body))
      }),
    )
}

/** `11=30:users` is 30 from 11 users on, `0=0.5x:disk_gib` is 0.5 for each GiB. */
function toRow(text: string): Row {
  const [, bound, amount, times, value] = /^([\d.]+)=([\d.]+)(x?)(?::(\w+))?$/.exec(text) ?? []
  if (bound === undefined || amount === undefined)
    throw usageFailure(`A step is bound=amount, and not ${text}.`, 'such as 11=30, or 11=2x:users')
  return {
    bound,
    amount,
    ...(times === 'x' ? { kind: 'times_value' } : {}),
    ...(value === undefined ? {} : { value }),
  }
}

function pathOf(of: string, { application }: { application?: true }): string {
  return `/v1/${application ? 'applications' : 'instances'}/${encodeURIComponent(of)}/price-grids`
}

function tellGrids(out: Output, { grids }: PriceGrids): void {
  if (out.isJson) return out.json(grids)
  out.table(
    ['from', 'currency', 'price'],
    grids.map((grid) => [grid.starts_on, grid.currency, grid.price_sentence]),
  )
}
