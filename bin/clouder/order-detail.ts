import type { Command } from 'commander'
import type { OrderDetail, PlacedAgain } from './answers.ts'
import { instantText, moneyText } from './format.ts'
import { withSession, type Session } from './session.ts'

/** What came of an order, and the same order again. */
export function addOrderDetail(group: Command): void {
  group
    .command('show <order>')
    .description('one order: lines as agreed, subscriptions, invoices, payments')
    .action(
      withSession<[string]>(async (session, { args: [id] }) => {
        const detail = await session.api.get<OrderDetail>(`/v1/orders/${encodeURIComponent(id)}`)
        return session.out.isJson ? session.out.json(detail) : show(session, detail)
      }),
    )
  group
    .command('place-again <order>')
    .description('draft it anew at the prices of today, and say what changed')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const again = await api.post<PlacedAgain>(`/v1/orders/${encodeURIComponent(id)}/place-again`, {})
        if (out.isJson) return out.json(again)
        out.say(`  Drafted: ${again.order.id}, until ${again.order.expires_on ?? ''}`)
        for (const { product, before, now } of again.changes) {
          const [former, present] = [before, now].map((line) => line?.price_sentence ?? 'not sold')
          out.print(`${product}: ${former ?? ''} before, ${present ?? ''} now`)
        }
        if (again.changes.length === 0) out.say('  Nothing changed.')
      }),
    )
}

function show({ out }: Session, detail: OrderDetail): void {
  out.facts([
    ['order', detail.id],
    ...(detail.external_id === null ? [] : [['external id', detail.external_id] as const]),
    ['customer', `${detail.customer.name} (${detail.customer.code})`],
    ['state', detail.state],
    ['confirmed', instantText(detail.confirmed_at)],
    ['environment', detail.environment?.name ?? null],
    ...(detail.accepted_terms === null
      ? []
      : [
          [
            'terms of service',
            `version ${detail.accepted_terms.version}, ${detail.accepted_terms.by}`,
          ] as const,
        ]),
    ...detail.subscriptions.map(
      ({ id, title, phase }) => ['subscription', `${id}  ${title}, ${phase}`] as const,
    ),
    ...detail.payments.map(
      ({ amount, received_at: at }) => ['payment', `${moneyText(amount)}, ${at}`] as const,
    ),
  ])
  out.print('')
  out.table(
    ['product', 'quantity', 'price as agreed'],
    detail.agreed_lines.map((line) => [line.product, `${line.quantity} ${line.unit}`, line.price_sentence]),
  )
}
