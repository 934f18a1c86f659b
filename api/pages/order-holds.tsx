import { z } from 'zod'
import { recordRefundSent } from '#db/balance-movement.ts'
import type { Tx } from '#db/database.ts'
import { decideOrder } from '#db/order-decision.ts'
import { cancelOrder } from '#db/order-end.ts'
import { getOrder, type OrderRow } from '#db/read/order.ts'
import { recordRequestPayment } from '#db/request-payment.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { sayHold } from '#domain/order-hold.ts'
import { resolveAddress } from '../addressing.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { answerOnce } from '../idempotency.ts'
import { dispatchOutbox } from '../relay.ts'
import { toOrderJson } from '../schemas/order.ts'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { PostForm, Refusal, TextField, type RefusedInput } from './form.tsx'
import { formatAmount } from './format.ts'
import { Empty, ExactMoment, Section, State, Table } from './parts.tsx'
import { refusedInput, saidOf } from './row-form.ts'
import { keyedForm, readForm, refusedStatus, type Values } from './sent-form.ts'

/** An order: how it stands, what it waits for before it is built, and the forms that settle that. */
export function registerOrderPage(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/orders/:id/holds', permission: 'orders:read' },
    async (view, ctx) => await orderBody(frame, view, ctx.req.param('id') ?? ''),
  )
  for (const name of Object.keys(actions)) {
    const permission = name === 'paid' || name === 'refund-sent' ? 'invoices:write' : 'orders:write'
    const path = `/orders/:id/holds/${name}`
    consolePage(frame, { method: 'post', path, permission }, async (view, ctx) => {
      const publicId = ctx.req.param('id') ?? ''
      const values = await readForm(ctx)
      try {
        return ctx.redirect(await carryOut(frame, ctx, { publicId, name, values }), 303)
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error
        const body = await orderBody(frame, view, publicId, refusedInput(name, values, error))
        return { ...body, title: `Refused: ${body.title}`, status: refusedStatus(error.code) }
      }
    })
  }
}

interface Asked {
  readonly orderId: string
  readonly actor: string
  readonly reason: string | null
  readonly reference: string | null
  readonly now: string
}

/** The same as the API's. */
const actions: Readonly<Record<string, (tx: Tx, asked: Asked) => Promise<void>>> = {
  accept: async (tx, asked) => decideOrder(tx, asked, 'released'),
  refuse: async (tx, asked) => decideOrder(tx, asked, 'refused'),
  cancel: cancelOrder,
  paid: async (tx, asked) => {
    const order = await getOrder(tx, asked.orderId)
    const request = order.payment_requests.find(({ state }) => state === 'open')
    if (!request) throw new BusinessError('payment_request_closed', 'The order asks for no money any more.')
    const { actor, reference, now } = asked
    const payment = { amountMinor: request.total_minor, currency: order.currency, actor, reference, now }
    await recordRequestPayment(tx, { ...payment, paymentRequestId: request.id })
  },
  'refund-sent': recordRefundSent,
}

async function carryOut(
  { deps, afterwards }: Frame,
  ctx: ApiContext,
  form: { publicId: string; name: string; values: Values },
): Promise<string> {
  const { request, fields } = keyedForm(ctx, form.values)
  const said = saidOf(fields)
  const asked = {
    orderId: decodeId('order', form.publicId),
    actor: requireOperator(ctx).name,
    reason: said['reason'] ?? null,
    reference: said['reference'] ?? null,
    now: deps.now(),
  }
  const { body } = await answerOnce(deps.db, request, async (tx) => {
    await actions[form.name]?.(tx, asked)
    return { status: 303, body: `/orders/${form.publicId}/holds` }
  })
  afterwards.begin(async () => void (await dispatchOutbox(deps)))
  return z.string().parse(body)
}

async function orderBody(
  { deps }: Frame,
  view: ConsoleView,
  address: string,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const row = await getOrder(deps.db, await resolveAddress(deps.db, 'order', address))
  return {
    title: `Order of ${row.customer_name}`,
    current: 'subscriptions',
    liveFilter: '',
    children: <OrderPage view={view} row={row} refused={refused} />,
  }
}

interface OrderProps {
  readonly view: ConsoleView
  readonly row: OrderRow
  readonly refused: RefusedInput | undefined
}

function OrderPage({ view, row, refused }: OrderProps) {
  return (
    <>
      <header class="subject" id="subject" data-live>
        <div>
          <h1>Order of {row.customer_name}</h1>
          <p>
            <State state={toOrderJson(row, view.now).state} />{' '}
            <span class="hint">
              <code>{encodeId('order', row.id)}</code>
            </span>
          </p>
        </div>
      </header>
      {refused && <Refusal refused={refused} />}
      <HoldSection view={view} row={row} refused={refused} />
      <Section id="sold" title="What was sold" isLive>
        {row.subscriptions.map(({ id, title, phase }) => (
          <p>
            <a href={`/subscriptions/${encodeId('subscription', id)}`}>{title}</a> <State state={phase} />
          </p>
        ))}
      </Section>
      <OrderActions view={view} row={row} refused={refused} />
    </>
  )
}

/** What it waits for, and has waited for. */
function HoldSection({ view, row }: OrderProps) {
  const { timeZone } = view
  return (
    <Section id="holds" title="What it waits for" isLive>
      {row.holds.length === 0 ? (
        <Empty>Nothing: it is built by itself.</Empty>
      ) : (
        <Table caption="What the order waits for" head={['Hold', 'Why', 'Since', 'Until', 'Outcome']}>
          {row.holds.map((hold) => (
            <tr>
              <td>{sayHold(hold.kind)}</td>
              <td>{hold.detail}</td>
              <td>
                <ExactMoment at={hold.opened_at} timeZone={timeZone} />
              </td>
              <td>{hold.expires_at !== null && <ExactMoment at={hold.expires_at} timeZone={timeZone} />}</td>
              <td>
                {hold.outcome ?? 'open'}
                {hold.reason !== null && `: ${hold.reason}`}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  )
}

/** What can be done now; what cannot is not offered. */
function OrderActions(props: OrderProps) {
  const { row } = props
  const open = row.holds.filter((hold) => hold.settled_at === null).map(({ kind }) => kind)
  const request = row.payment_requests.find(({ state }) => state === 'open')
  const isBegun = row.subscriptions.every(({ phase }) => phase === 'ordered' || phase === 'building')
  const hasEnded = row.cancelled_at !== null || row.expired_at !== null
  const isDecided = !open.includes('acceptance') && !open.includes('review')
  return (
    <Section id="actions" title="Actions" isLive>
      {!isDecided && <OrderForm {...props} name="accept" field="reason" button="Accept, and build it" />}
      {!isDecided && <OrderForm {...props} name="refuse" field="reason" button="Refuse" />}
      {request && (
        <OrderForm
          {...props}
          name="paid"
          field="reference"
          button={`Record that ${formatAmount(request.total_minor, row.currency)} came in`}
        />
      )}
      {hasEnded && row.payment_requests.some(({ state }) => state === 'paid') && (
        <OrderForm {...props} name="refund-sent" field="reference" button="Record that it was sent back" />
      )}
      {isBegun && !hasEnded && row.subscriptions.length > 0 && (
        <OrderForm {...props} name="cancel" field="reason" button="Cancel the order" />
      )}
    </Section>
  )
}

function OrderForm({
  view,
  row,
  refused,
  name,
  field,
  button,
}: OrderProps & { name: string; field: 'reason' | 'reference'; button: string }) {
  const place = { form: name, refused }
  return (
    <PostForm view={view} {...place} action={`/orders/${encodeId('order', row.id)}/holds/${name}`}>
      <TextField
        {...place}
        name={field}
        label={field === 'reason' ? 'Reason, for the timeline' : 'Reference, as the bank has it'}
      />
      <button type="submit">{button}</button>
    </PostForm>
  )
}
