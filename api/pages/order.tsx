import { readOrderDetail, type OrderDetail } from '#db/read/order-detail.ts'
import { placeAgain } from '#db/order-again.ts'
import { dateIn } from '#domain/calendar.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { sayHold } from '#domain/order-hold.ts'
import { orderStateOn } from '#domain/quote.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { PostForm, Refusal, type RefusedInput } from './form.tsx'
import { formatAmount } from './format.ts'
import { InvoiceTable } from './invoices.tsx'
import { OrderTimeline } from './order-timeline.tsx'
import { BuildState, Day, Empty, ExactMoment, Section, State, Table } from './parts.tsx'
import { priceInWords } from './price.ts'
import { UsageFilter } from './usage-filter.tsx'
import { registerRowForm } from './row-form.ts'

export function registerOrder(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/orders/:id', permission: 'orders:read' },
    async (view, ctx) => await orderBody(frame, view, ctx.req.param('id') ?? ''),
  )
  registerRowForm(frame, {
    path: '/orders/:id/place-again',
    permission: 'orders:write',
    form: () => 'place-again',
    carryOut: async (tx, { id, now, actor }) => {
      const asked = { actor, channel: 'console', now, expiresOn: undefined } as const
      const { draftId } = await placeAgain(tx, decodeId('order', id), asked)
      return `/orders/${encodeId('order', draftId)}`
    },
    showAgain: async (view, id, refused) => await orderBody(frame, view, id, refused),
  })
}

async function orderBody(
  { deps }: Frame,
  view: ConsoleView,
  address: string,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const detail = await readOrderDetail(deps.db, await resolveAddress(deps.db, 'order', address))
  return {
    title: `Order of ${detail.row.customer_name}`,
    current: 'customers',
    children: (
      <>
        <Header view={view} detail={detail} refused={refused} />
        <WaitsFor detail={detail} />
        <Lines detail={detail} />
        <Subscriptions detail={detail} />
        <Invoices view={view} detail={detail} />
        <OrderTimeline view={view} events={detail.events} />
      </>
    ),
  }
}

interface Shown {
  readonly detail: OrderDetail
}

function Header({ view, detail, refused }: Shown & { view: ConsoleView; refused: RefusedInput | undefined }) {
  const { row } = detail
  const publicId = encodeId('order', row.id)
  const marks = {
    confirmedAt: row.confirmed_at,
    cancelledAt: row.cancelled_at,
    expiredAt: row.expired_at,
    expiresOn: row.expires_on,
  }
  const state = orderStateOn(marks, dateIn(row.time_zone, row.test_clock_now_at ?? view.now))
  return (
    <header class="subject" id="subject">
      <div>
        <h1>Order</h1>
        <p>
          <State state={state} /> of{' '}
          <a href={`/customers/${encodeId('customer', row.customer_id)}`}>{row.customer_name}</a>{' '}
          <span class="hint">
            <code>{publicId}</code>
            {row.external_id !== null && ` · known elsewhere as ${row.external_id}`}
          </span>
        </p>
      </div>
      <Facts view={view} detail={detail} />
      {refused !== undefined && <Refusal refused={refused} />}
      <PostForm
        form="place-again"
        view={view}
        action={`/orders/${publicId}/place-again`}
        isInRow
        refused={refused}
      >
        <button type="submit">Place again</button>{' '}
        <span class="hint">Drafts it at the prices of today, and says what changed.</span>
      </PostForm>
    </header>
  )
}

function Facts({ view, detail: { row } }: Shown & { view: ConsoleView }) {
  return (
    <dl class="facts wide short">
      <dt>Confirmed</dt>
      <dd>
        {row.confirmed_at === null ? (
          'not yet'
        ) : (
          <ExactMoment at={row.confirmed_at} timeZone={view.timeZone} />
        )}
      </dd>
      {row.quote !== null && row.expires_on !== null && (
        <>
          <dt>Quoted</dt>
          <dd>
            {formatAmount(row.quote.totalNowMinor, row.currency)} now,{' '}
            {formatAmount(row.quote.totalPerPeriodMinor, row.currency)} each period; expires on{' '}
            <Day date={row.expires_on} />
          </dd>
        </>
      )}
      {row.environment !== null && (
        <>
          <dt>Environment</dt>
          <dd>{row.environment.name}</dd>
        </>
      )}
      {row.terms_accepted_at !== null && (
        <>
          <dt>Terms of service</dt>
          <dd>
            version {row.terms_version}, accepted by {row.terms_accepted_by},{' '}
            <ExactMoment at={row.terms_accepted_at} timeZone={view.timeZone} />
          </dd>
        </>
      )}
    </dl>
  )
}

/** What it waits for before it is built; the page that settles it says the rest. */
function WaitsFor({ detail: { row } }: Shown) {
  if (row.holds.length === 0) return null
  const open = row.holds.filter((hold) => hold.settled_at === null)
  return (
    <Section id="holds" title="What it waits for" isLive>
      {open.length === 0 && <p>Nothing any more.</p>}
      <ul class="plainlist">
        {open.map((hold) => (
          <li>
            {sayHold(hold.kind)}
            <div class="hint">{hold.detail}</div>
          </li>
        ))}
      </ul>
      <p>
        <a href={`/orders/${encodeId('order', row.id)}/holds`}>
          {open.length === 0 ? 'What it waited for' : 'Settle it'}
        </a>
      </p>
    </Section>
  )
}

/** What was asked, and once it is sold what was agreed. */
function Lines({ detail: { row, lines } }: Shown) {
  return (
    <Section id="lines" title="Lines">
      {lines.length === 0 ? (
        <ul class="plainlist">
          {row.lines.map((line) => (
            <li>
              {line.quantity} × {line.product_code ?? line.kit_code}
            </li>
          ))}
        </ul>
      ) : (
        <Table caption="Lines as agreed" head={['Line', 'Price as agreed']}>
          {lines.map((line) => (
            <tr>
              <th scope="row">{line.description}</th>
              <td>
                {priceInWords(line, row.currency)}
                <UsageFilter filter={line.terms.usageFilter} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  )
}

function Subscriptions({ detail: { row, builds } }: Shown) {
  return (
    <Section id="subscriptions" title="Subscriptions and builds">
      {row.subscriptions.length === 0 && <Empty>None: it was not sold, or its lines joined others.</Empty>}
      <ul class="plainlist">
        {row.subscriptions.map(({ id, title, phase }) => (
          <li>
            <a href={`/subscriptions/${encodeId('subscription', id)}`}>{title}</a> <State state={phase} />
            {builds
              .filter((build) => build.subscription_id === id)
              .map((build) => (
                <div class="hint">
                  {build.kind} {build.number}: <BuildState build={build} /> {build.done_count}/
                  {build.step_count} steps
                </div>
              ))}
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Invoices({ view, detail: { invoices, payments } }: Shown & { view: ConsoleView }) {
  return (
    <Section id="invoices" title="Invoices and payments">
      {invoices.length === 0 ? <Empty>None yet.</Empty> : <InvoiceTable rows={invoices} />}
      <ul class="plainlist">
        {payments.map((payment) => (
          <li>
            {formatAmount(payment.amount_minor, payment.currency)} received for {payment.number},{' '}
            <ExactMoment at={payment.allocated_at} timeZone={view.timeZone} />
          </li>
        ))}
      </ul>
    </Section>
  )
}
