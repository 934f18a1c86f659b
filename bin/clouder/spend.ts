import type { Command } from 'commander'
import type { Spend } from './answers.ts'
import { moneyText } from './format.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'
import { pathOf } from './subscription-changes.ts'

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
    .description('set the cap of the operator')
    .option('--effect <effect>', 'at the cap: alert or stop', 'alert')
    .action(
      withSession<[string, string], { effect: string }>(async ({ api, out }, { args, options }) => {
        const [id, amount] = args
        const body = { amount, effect: options.effect }
        tellSpend(out, await api.put<Spend>(`${pathOf(id)}/spend-caps/operator`, body))
      }),
    )
  group
    .command('uncap <subscription>')
    .description('take the cap of the operator away')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        await api.delete(`${pathOf(id)}/spend-caps/operator`)
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

function tellSpend(out: Output, spend: Spend): void {
  if (out.isJson) return out.json(spend)
  out.facts([['cost so far', moneyText(spend.cost)]])
  out.table(
    ['set by', 'a period', 'at the cap', 'held since'],
    spend.caps.map((cap) => [cap.set_by, moneyText(cap.amount), cap.effect, cap.held_since ?? 'not held']),
  )
}
