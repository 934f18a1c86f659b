import type { Command } from 'commander'
import type { Order } from './answers.ts'
import { moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { addOrderDetail } from './order-detail.ts'
import { addOrderHolds } from './order-holds.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

export function registerOrders(program: Command): void {
  const group = program
    .command('orders')
    .summary('list and show orders, place them again; confirm or cancel one, settle what it waits for')
    .description('Orders. One that is a quote is sold when it is confirmed.')
    .addHelpText(
      'before',
      `Examples
  npx clouder orders --customer north-clinic
  npx clouder order odoo-config-2 --customer north-clinic --quote-until 2026-12-31
  npx clouder orders confirm ord_…
  npx clouder orders place-again ord_…
  npx clouder orders accept ord_… --reason 'known by phone'
  npx clouder orders paid ord_… --reference 'bank, 1 March'
`,
    )
  group
    .command('ls')
    .description('list orders, newest first (what the word alone does)')
    .option('--customer <customer>', 'only those of this customer: code or id')
    .addOption(limitOption())
    .action(
      withSession<[], { customer?: string; limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Order>('/v1/orders', { customer: options.customer }, options.limit)
        if (out.isJson) return out.json(found.rows)
        showAll(out, found.rows)
        tellMore(out, found, 'npx clouder order --help')
      }),
    )
  addOrderDetail(group)
  group
    .command('confirm <order>')
    .description('sell a quote, at what it was quoted')
    .option('--accept-terms <version>', 'the terms of service that the customer accepts')
    .action(
      withSession<[string], { acceptTerms?: string }>(async ({ api, out }, { args: [id], options }) => {
        const { acceptTerms: version } = options
        const body = version === undefined ? {} : { accepted_terms: { version: Number(version) } }
        showOne(out, await api.post<Order>(`/v1/orders/${encodeURIComponent(id)}/confirm`, body))
      }),
    )
  group
    .command('cancel <order>')
    .description('take back a quote, or an order of which nothing is active; a build that runs is undone')
    .option('--reason <text>', 'for the timeline')
    .action(
      withSession<[string], { reason?: string }>(async ({ api, out }, { args: [id], options }) => {
        showOne(
          out,
          await api.post<Order>(`/v1/orders/${encodeURIComponent(id)}/cancel`, { reason: options.reason }),
        )
      }),
    )
  addOrderHolds(group)
}

export function showOne(out: Output, order: Order): void {
  if (out.isJson) return out.json(order)
  showAll(out, [order])
}

function showAll(out: Output, orders: readonly Order[]): void {
  out.table(
    ['id', 'state', 'customer', 'quoted now', 'quoted a period', 'until', 'subscriptions'],
    orders.map((order) => [
      order.id,
      order.state,
      order.customer.code,
      order.quoted && moneyText(order.quoted.total_now),
      order.quoted && moneyText(order.quoted.total_per_period),
      order.expires_on,
      order.subscriptions.map(({ id }) => id).join(' '),
    ]),
  )
}
