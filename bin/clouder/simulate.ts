import type { Command } from 'commander'
import type { Simulation } from './answers.ts'
import { usageFailure } from './failure.ts'
import { moneyText } from './format.ts'
import { withSession, type Session } from './session.ts'

interface Options {
  readonly months: string
  readonly usage?: readonly string[]
}

export function addSimulate(program: Command): void {
  program
    .command('simulate <subscription>')
    .description(
      'the invoices of the next months with assumed usage, and what is crossed and ended on the way',
    )
    .option('--months <count>', 'how many, 1 to 36', '12')
    .option('--usage <metric=quantity...>', 'used in each whole period, or wanted of a limit')
    .addHelpText(
      'after',
      `
Examples
  npx clouder simulate sub_… --months 3 --usage network=40 users=7
`,
    )
    .action(
      withSession<[string], Options>(async (session, { args: [id], options }) =>
        simulate(session, id, options),
      ),
    )
}

async function simulate({ api, out }: Session, id: string, options: Options): Promise<void> {
  const body = { months: Number(options.months), usage: readUsage(options.usage ?? []) }
  const simulation = await api.post<Simulation>(
    `/v1/subscriptions/${encodeURIComponent(id)}/simulation`,
    body,
  )
  if (out.isJson) return out.json(simulation)
  out.table(
    ['on', 'reason', 'lines', 'net', 'tax', 'total'],
    simulation.invoices.map((invoice) => [
      invoice.on,
      invoice.reason,
      invoice.lines.length,
      moneyText(invoice.net),
      moneyText(invoice.tax),
      moneyText(invoice.total),
    ]),
  )
  out.print('')
  out.table(
    ['on', 'what', 'limit', 'quantity', 'sold'],
    simulation.turning_points.map((point) => [
      point.on,
      point.kind.replaceAll('_', ' '),
      point.limit,
      point.quantity,
      point.sold,
    ]),
  )
  out.say(`\n  From ${simulation.from} to ${simulation.until}: ${moneyText(simulation.total)}`)
}

function readUsage(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, metric, quantity] = /^([^=]+)=(.+)$/.exec(pair) ?? []
      if (metric !== undefined && quantity !== undefined) return [metric, quantity]
      throw usageFailure(`${pair} names no metric and quantity.`, 'write them as --usage network=40')
    }),
  )
}
