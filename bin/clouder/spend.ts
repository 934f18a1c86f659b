import { Option, type Command } from 'commander'
import { readAlert, spendCapOwners, spendEffects } from '#domain/spend.ts'
import type { Spend } from './answers.ts'
import { moneyText } from './format.ts'
import { gather } from './list.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'
import { pathOf } from './subscription-changes.ts'

interface CapOptions {
  readonly effect: string
  readonly for: string
  readonly alert?: readonly string[]
}

/** What usage costs in the period that runs, and what it may cost. */
export function registerSpend(program: Command): void {
  const group = program
    .command('spend')
    .summary('what usage may cost: caps, early invoices')
    .description('What usage of a subscription costs in this period, and what it may cost.')
    .addHelpText(
      'before',
      `Examples
  npx clouder spend show sub_…
  npx clouder spend cap sub_… 20.00 --effect stop
  npx clouder spend cap sub_… 50.00 --for customer --alert 80% --alert 45.00
  npx clouder spend uncap sub_…
  npx clouder spend invoice-early sub_… 200.00
`,
    )
  group
    .command('show <subscription>')
    .description('the cost so far, and the caps')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        tellSpend(out, await api.get<Spend>(`${pathOf(id)}/spend-caps`))
      }),
    )
  group
    .command('cap <subscription> <amount>')
    .description('set a cap, in place of what was said before')
    .addOption(new Option('--effect <effect>', 'at the cap').choices(spendEffects).default('alert'))
    .addOption(ownerOption())
    .option(
      '--alert <share>',
      'when it is told: 80% of the cap, or an amount; may be repeated; left out, 50, 75, 100 and 150 %',
      gather,
    )
    .action(
      withSession<[string, string], CapOptions>(async ({ api, out }, { args, options }) => {
        const [id, amount] = args
        const { effect, alert } = options
        const body = { amount, effect, ...(alert && { alerts: alert.map(readAlert) }) }
        tellSpend(out, await api.put<Spend>(capPath(id, options), body))
      }),
    )
  group
    .command('uncap <subscription>')
    .description('take a cap away')
    .addOption(ownerOption())
    .action(
      withSession<[string], Pick<CapOptions, 'for'>>(async ({ api, out }, { args: [id], options }) => {
        await api.delete(capPath(id, options))
        tellSpend(out, await api.get<Spend>(`${pathOf(id)}/spend-caps`))
      }),
    )
  group
    .command('invoice-early <subscription> [amount]')
    .description('invoice usage once so much is not billed; without an amount, with its period only')
    .action(
      withSession<[string, string | undefined]>(async ({ api, out }, { args: [id, amount = null] }) => {
        const set = await api.put<{ amount: string | null }>(`${pathOf(id)}/early-invoice`, { amount })
        if (out.isJson) return out.json(set)
        out.facts([['invoiced early', set.amount === null ? 'no' : `at ${set.amount} that are not billed`]])
      }),
    )
}

function ownerOption(): Option {
  return new Option('--for <whom>', 'whose cap it is').choices(spendCapOwners).default('operator')
}

function capPath(id: string, { for: setBy }: Pick<CapOptions, 'for'>): string {
  return `${pathOf(id)}/spend-caps/${setBy}`
}

function tellSpend(out: Output, spend: Spend): void {
  if (out.isJson) return out.json(spend)
  out.facts([['cost so far', moneyText(spend.cost)]])
  out.table(
    ['set by', 'a period', 'at the cap', 'told at', 'held since'],
    spend.caps.map((cap) => [
      cap.set_by,
      moneyText(cap.amount),
      cap.effect,
      cap.alerts
        .map(({ percent, amount }) => (amount === undefined ? `${percent} %` : moneyText(amount)))
        .join(', '),
      cap.held_since ?? 'not held',
    ]),
  )
}
