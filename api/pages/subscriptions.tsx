import { listSubscriptions, type SubscriptionRow } from '#db/read/subscription.ts'
import { encodeId } from '#domain/identifier.ts'
import { subscriptionPhases, type SubscriptionPhase } from '#domain/subscription.ts'
import { z } from 'zod'
import type { Frame } from '../frame.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { parse } from '../validation.ts'
import { consolePage } from './console-page.tsx'
import { toListPage, type ListPage } from './page-links.ts'
import { Day, Empty, Pages, Section, State, Table } from './parts.tsx'

const query = z.object({
  ...pageQuery,
  phase: z.enum([...subscriptionPhases, 'limited', 'parked', '']).optional(),
})
type Filter = SubscriptionPhase | 'limited' | 'parked' | null

export function registerSubscriptions(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/subscriptions', permission: 'subscriptions:read' },
    async (_view, ctx) => {
      const asked = parse(query, ctx.req.query(), 'query')
      const filter = asked.phase === undefined || asked.phase === '' ? null : asked.phase
      const request = toPageRequest(asked)
      const rows = await listSubscriptions(frame.deps.db, {
        ...request,
        phase: filter === 'parked' || filter === 'limited' ? null : filter,
        isParked: filter === 'parked' ? true : null,
        isLimited: filter === 'limited' ? true : null,
        customerId: null,
        productId: null,
        kitId: null,
      })
      const address = { path: '/subscriptions', filter: filter === null ? {} : { phase: filter } }
      return {
        title: 'Subscriptions',
        current: 'subscriptions',
        liveFilter: '',
        children: <SubscriptionList page={toListPage(rows, request, address)} filter={filter} />,
      }
    },
  )
}

function SubscriptionList({ page, filter }: { page: ListPage<SubscriptionRow>; filter: Filter }) {
  return (
    <>
      <h1>Subscriptions</h1>
      <PhaseFilter filter={filter} />
      <Section id="list" title={filter === null ? 'All, newest first' : `${filter}, newest first`} isLive>
        {page.rows.length === 0 ? (
          <NothingFound filter={filter} />
        ) : (
          <SubscriptionTable rows={page.rows} hasCustomer />
        )}
        <Pages label="Pages of subscriptions" {...page} />
      </Section>
    </>
  )
}

/** Links, not a form: each filter has an address, and one press is enough. */
function PhaseFilter({ filter }: { filter: Filter }) {
  const choices: readonly Filter[] = [null, ...subscriptionPhases, 'limited', 'parked']
  return (
    <nav class="filter" aria-label="Filter by phase">
      {choices.map((choice) => (
        <a
          href={choice === null ? '/subscriptions' : `/subscriptions?phase=${choice}`}
          aria-current={choice === filter ? 'true' : undefined}
        >
          {choice ?? 'all'}
        </a>
      ))}
    </nav>
  )
}

function NothingFound({ filter }: { filter: Filter }) {
  if (filter !== null) {
    return (
      <Empty>
        No subscription is {filter} now. <a href="/subscriptions">Show all</a>
      </Empty>
    )
  }
  return (
    <Empty>
      Nothing is sold yet. Place the first order:{' '}
      <code>npx clouder order static-site --customer harbour-bakery --watch</code>, or{' '}
      <a href="/docs">by the API</a>.
    </Empty>
  )
}

interface Listed {
  readonly hasCustomer?: boolean
}

export function SubscriptionTable({ rows, hasCustomer }: Listed & { rows: readonly SubscriptionRow[] }) {
  const customer = hasCustomer ? ['Customer'] : []
  return (
    <Table caption="Subscriptions" head={['Subscription', ...customer, 'Phase', 'Since', 'Next invoice']}>
      {rows.map((row) => (
        <SubscriptionItem row={row} {...(hasCustomer ? { hasCustomer } : {})} />
      ))}
    </Table>
  )
}

function SubscriptionItem({ row, hasCustomer }: Listed & { row: SubscriptionRow }) {
  return (
    <tr>
      <th scope="row">
        <a href={`/subscriptions/${encodeId('subscription', row.id)}`}>{row.title}</a>
        <div class="hint">{row.kit_code ?? row.product_code}</div>
      </th>
      {hasCustomer && (
        <td>
          <a href={`/customers/${encodeId('customer', row.customer_id)}`}>{row.customer_name}</a>
        </td>
      )}
      <td>
        <State state={row.phase} />{' '}
        {row.parked_reason !== null && <State state="parked">{row.parked_reason}</State>}
        {row.limits_reached.length > 0 && (
          <State state="limited">limit reached: {row.limits_reached.join(', ')}</State>
        )}
        {row.cancel_requested_at !== null && row.phase !== 'ended' && row.ends_on !== null && (
          <div class="hint">
            ends <Day date={row.ends_on} />
          </div>
        )}
      </td>
      <td>
        {row.activated_at === null || row.starts_on === null ? (
          'not active yet'
        ) : (
          <Day date={row.starts_on} />
        )}
      </td>
      <td>{row.next_invoice_on === null ? 'none' : <Day date={row.next_invoice_on} />}</td>
    </tr>
  )
}
