import type { Command } from 'commander'
import type { Margins, SupplierDetail } from './answers.ts'
import { usageFailure } from './failure.ts'
import { moneyText } from './format.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

export function registerMargins(program: Command): void {
  program
    .command('margins')
    .summary('cost against revenue of a month')
    .description('By product, subscription or customer; costs that are matched to nothing stand apart.')
    .argument('<month>', 'such as 2026-03')
    .option('--by <what>', 'product, subscription or customer', 'product')
    .action(
      withSession<[string], { by: string }>(async ({ api, out }, { args: [month], options }) => {
        const found = await api.get<Margins>('/v1/margins', { month, by: options.by })
        if (out.isJson) return out.json(found)
        const idle = found.idle.map((row) => [`server ${row.name}, idle`, '', moneyText(row.amount), ''])
        const unmatched = found.unmatched.map((line) => [
          `${line.number}, ${line.description}: matched to nothing`,
          '',
          moneyText(line.amount),
          '',
        ])
        out.table(
          [found.by, 'earned', 'cost', 'margin'],
          [
            ...found.margins.map((row) => [
              row.name ?? 'none',
              moneyText(row.revenue),
              moneyText(row.cost),
              moneyText(row.margin),
            ]),
            ...idle,
            ...unmatched,
            ...found.totals.map((row) => [
              `all in ${row.currency}`,
              moneyText(row.revenue),
              moneyText(row.cost),
              moneyText(row.margin),
            ]),
          ],
        )
      }),
    )
}

interface RuleOptions {
  readonly subscription?: string
  readonly product?: string
  readonly description?: string
  readonly server?: string
  readonly ourSubscription?: string
  readonly ourProduct?: string
  readonly nothing?: true
}

/** `npx clouder suppliers pays-for`. */
export function addCostRules(group: Command): void {
  group
    .command('pays-for')
    .description('say which server, subscription or product lines of a supplier pay for')
    .argument('<supplier>', 'its id or code')
    .option('--subscription <id>', 'lines of this subscription of the supplier')
    .option('--product <code>', 'lines of this product, as the supplier calls it')
    .option('--description <text>', 'lines of this whole text')
    .option('--server <server>', 'they pay for this server')
    .option('--our-subscription <subscription>', 'they pay for this subscription of ours')
    .option('--our-product <product>', 'they pay for this product of ours')
    .option('--nothing', 'it is said no more')
    .action(
      withSession<[string], RuleOptions>(async ({ api, out }, { args: [id], options }) => {
        const { server, ourSubscription: subscription, ourProduct: product, nothing } = options
        const isSaid = [server, subscription, product].some((one) => one !== undefined)
        if (isSaid === (nothing === true))
          throw usageFailure(
            'Say what they pay for.',
            'Give --server, --our-subscription or --our-product, or --nothing.',
          )
        const body = {
          supplier_subscription: options.subscription,
          product_code: options.product,
          description: options.description,
          pays_for: nothing === true ? null : { server, subscription, product },
        }
        const address = `/v1/suppliers/${encodeURIComponent(id)}/cost-rules`
        const supplier = await api.put<SupplierDetail>(address, body)
        if (out.isJson) return out.json(supplier)
        tellCostRules(out, supplier)
      }),
    )
}

export function tellCostRules(out: Output, { cost_rules: rules }: SupplierDetail): void {
  out.table(
    ['lines by', 'which', 'pay for', 'which'],
    rules.map((row) => [row.matches, row.value, row.pays_for.kind, row.pays_for.name]),
  )
}
