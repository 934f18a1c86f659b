import type { Command } from 'commander'
import type { Order } from './answers.ts'
import { usageFailure } from './failure.ts'
import { instantText, moneyText } from './format.ts'
import { withSession, type Session } from './session.ts'

interface Said {
  readonly reason?: string
  readonly reference?: string
}

/** What an order waits for before it is built, and who settles it. */
export function addOrderHolds(group: Command): void {
  group
    .command('waits <order>')
    .description('show how it stands and what it waits for')
    .action(withSession<[string]>(async (session, { args: [id] }) => show(session, await read(session, id))))
  for (const [name, description] of [
    ['accept', 'accept it: it is built once nothing else is waited for'],
    ['refuse', 'refuse it: nothing of it is built'],
  ] as const) {
    group
      .command(`${name} <order>`)
      .description(description)
      .option('--reason <text>', 'for the timeline')
      .action(
        withSession<[string], Said>(async (session, { args: [id], options: { reason } }) =>
          ask(session, `${pathOf(id)}/${name}`, { reason }),
        ),
      )
  }
  addMoney(group)
}

function addMoney(group: Command): void {
  group
    .command('paid <order>')
    .description('record that what was asked for before the build came in')
    .option('--reference <text>', 'as the bank statement has it')
    .action(
      withSession<[string], Said>(async (session, { args: [id], options: { reference } }) => {
        const { payment_requests: requests } = await read(session, id)
        const request = requests.find(({ state }) => state === 'open')
        if (!request) throw usageFailure('The order asks for no money.', `npx clouder orders waits ${id}`)
        await ask(session, `/v1/payment-requests/${request.id}/payments`, { ...request.total, reference })
      }),
    )
  group
    .command('refund-sent <order>')
    .description('record that the money of an order that was not built was sent back')
    .option('--reference <text>', 'as the bank statement has it')
    .action(
      withSession<[string], Said>(async (session, { args: [id], options: { reference } }) =>
        ask(session, `${pathOf(id)}/refund-sent`, { reference }),
      ),
    )
}

function pathOf(id: string): string {
  return `/v1/orders/${encodeURIComponent(id)}`
}

async function read({ api }: Session, id: string): Promise<Order> {
  return await api.get<Order>(pathOf(id))
}

async function ask(session: Session, path: string, body: object): Promise<void> {
  show(session, await session.api.post<Order>(path, body))
}

function show({ out }: Session, order: Order): void {
  if (out.isJson) return out.json(order)
  out.facts([
    ['order', order.id],
    ['customer', order.customer.name],
    ['state', order.state],
    ['waits for', order.waits_for.join(', ') || 'nothing'],
  ])
  out.table(
    ['hold', 'detail', 'since', 'until', 'outcome'],
    order.holds.map((hold) => [
      hold.kind.replace('_', ' '),
      hold.detail,
      instantText(hold.since),
      hold.until === null ? '' : instantText(hold.until),
      hold.outcome === null ? '' : `${hold.outcome}${hold.reason === null ? '' : `: ${hold.reason}`}`,
    ]),
  )
  out.table(
    ['payment request', 'amount', 'state', 'until'],
    order.payment_requests.map((request) => [
      request.id,
      moneyText(request.total),
      request.state,
      instantText(request.expires_at),
    ]),
  )
}
