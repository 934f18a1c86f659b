import type { UnsettledBuildRow } from '#db/read/home.ts'
import type { SubscriptionRow } from '#db/read/subscription.ts'
import type { TaskRow } from '#db/read/task.ts'
import { encodeId } from '#domain/identifier.ts'
import { isErrorCode, problemKinds } from '../errors.ts'
import type { ConsoleView } from './console-page.tsx'
import { plural } from './format.ts'
import { BuildState, Empty, Moment, Section, State, Table } from './parts.tsx'
import { refusedUsagePath } from './refused-usage-events.tsx'

/** What waits for a person: the cause, and what to do next. */
export function NeedsSection(props: {
  view: ConsoleView
  tasks: readonly TaskRow[]
  parked: readonly SubscriptionRow[]
  /** As many usage events as wait in the list of those that count nowhere. */
  refusedUsage: number
}) {
  const told = new Set(props.tasks.map((task) => task.subject_id))
  const untold = props.parked.filter((row) => !told.has(row.id))
  const count = props.tasks.length + untold.length + (props.refusedUsage > 0 ? 1 : 0)
  return (
    <Section id="needs" title="Needs you" isLive aside={count > 0 && <span class="count">{count}</span>}>
      {count === 0 ? (
        <Empty>
          Nothing waits for you. When something is stuck, its cause and the next step appear here.
        </Empty>
      ) : (
        <ul class="tasks">
          {props.tasks.map((task) => (
            <TaskItem view={props.view} task={task} />
          ))}
          {untold.map((row) => (
            <ParkedItem row={row} />
          ))}
          {props.refusedUsage > 0 && <RefusedUsage count={props.refusedUsage} />}
        </ul>
      )}
    </Section>
  )
}

function TaskItem({ view, task }: { view: ConsoleView; task: TaskRow }) {
  return (
    <li>
      <p>
        <State state="parked">{task.kind.replaceAll('_', ' ')}</State> <strong>{task.subject}</strong>{' '}
        <span class="hint">
          waiting since <Moment at={task.created_at} {...view} />
        </span>
      </p>
      <p>{task.detail}</p>
      {task.subject_kind === 'subscription' && (
        <p>
          <a href={`/subscriptions/${encodeId('subscription', task.subject_id)}#build`}>
            Open the subscription to retry<span class="visually-hidden">: {task.subject}</span>
          </a>
        </p>
      )}
      {task.subject_kind === 'order' && (
        <p>
          <a href={`/orders/${encodeId('order', task.subject_id)}/holds`}>
            Open the order<span class="visually-hidden">: {task.subject}</span>
          </a>
        </p>
      )}
      {task.subject_kind === 'server' && (
        <p>
          <a href="/servers">
            Look at the servers<span class="visually-hidden">: {task.subject}</span>
          </a>
        </p>
      )}
      {task.subject_kind === 'invoice' && (
        <p>
          <a href={`/invoices/${encodeId('invoice', task.subject_id)}#disputes`}>
            Open the invoice to answer<span class="visually-hidden">: {task.subject}</span>
          </a>
        </p>
      )}
      {task.subject_kind === 'supplier_invoice' && (
        <p>
          <a href={`/supplier-invoices/${encodeId('supplierInvoice', task.subject_id)}`}>
            Open the supplier invoice<span class="visually-hidden">: {task.subject}</span>
          </a>
        </p>
      )}
      {task.subject_kind === 'missing_supplier_invoice' && (
        <p>
          <a href="/expected-supplier-invoices">
            See what is expected of suppliers<span class="visually-hidden">: {task.subject}</span>
          </a>
        </p>
      )}
      {task.subject_kind === 'webhook' && (
        <p>
          <a href={`/settings/webhooks/${encodeId('webhook', task.subject_id)}`}>
            See what it answered<span class="visually-hidden">: {task.subject}</span>
          </a>
        </p>
      )}
      {task.subject_kind === 'change_request' && (
        <p>
          <a href={`/change-requests/${encodeId('changeRequest', task.subject_id)}`}>
            Apply or refuse it<span class="visually-hidden">: {task.subject}</span>
          </a>
        </p>
      )}
    </li>
  )
}

function ParkedItem({ row }: { row: SubscriptionRow }) {
  const reason = row.parked_reason ?? ''
  return (
    <li>
      <p>
        <State state="parked" /> <strong>{row.title}</strong> for {row.customer_name}: {reason}
      </p>
      {isErrorCode(reason) && <p>{problemKinds[reason].remedy}</p>}
      <p>
        <a href={`/subscriptions/${encodeId('subscription', row.id)}`}>
          Open the subscription<span class="visually-hidden">: {row.title}</span>
        </a>
      </p>
    </li>
  )
}

function RefusedUsage({ count }: { count: number }) {
  return (
    <li>
      <p>
        <strong>{plural(count, 'usage event')}</strong> {count === 1 ? 'was' : 'were'} refused and{' '}
        {count === 1 ? 'is' : 'are'} on no bill.
      </p>
      <p>
        <a href={refusedUsagePath}>See why, and send them again</a>
      </p>
    </li>
  )
}

export function BuildsSection({ view, builds }: { view: ConsoleView; builds: readonly UnsettledBuildRow[] }) {
  return (
    <Section id="builds" title="Builds under way" isLive>
      {builds.length === 0 ? (
        <Empty>
          No build runs or waits. Order something:{' '}
          <code>npx clouder order static-site --customer harbour-bakery --watch</code>
        </Empty>
      ) : (
        <Table
          caption="Builds that run, wait or failed"
          head={['Subscription', 'State', 'Step', { number: 'Steps done' }, 'Ordered']}
        >
          {builds.map((build) => (
            <BuildItem view={view} build={build} />
          ))}
        </Table>
      )}
    </Section>
  )
}

function BuildItem({ view, build }: { view: ConsoleView; build: UnsettledBuildRow }) {
  const isBusy = build.state === 'running' || build.state === 'planned'
  return (
    <tr data-busy={isBusy ? '' : undefined}>
      <th scope="row">
        <a href={`/subscriptions/${encodeId('subscription', build.subscription_id)}#build`}>{build.title}</a>
        <div class="hint">{build.customer_name}</div>
      </th>
      <td>
        {build.kind} <BuildState build={build} />
      </td>
      <td>{build.failure_detail ?? build.step_title ?? 'waits for the server’s worker'}</td>
      <td class="number">
        {build.done_count} of {plural(build.step_count, 'step')}
      </td>
      <td>
        <Moment at={build.created_at} {...view} />
      </td>
    </tr>
  )
}
