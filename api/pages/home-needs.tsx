import type { UnsettledBuildRow } from '#db/read/home.ts'
import type { SubscriptionRow } from '#db/read/subscription.ts'
import type { TaskRow } from '#db/read/task.ts'
import { encodeId } from '#domain/identifier.ts'
import { isErrorCode, problemKinds } from '../errors.ts'
import type { ConsoleView } from './console-page.tsx'
import { plural } from './format.ts'
import { BuildState, Empty, Moment, Section, State, Table } from './parts.tsx'
import { peersPath } from './peer-frame.tsx'
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
      <Way task={task} />
    </li>
  )
}

/** Where the subject of a task is seen and settled; the detail of any other says a command. */
const ways: Readonly<Record<string, (id: string) => readonly [href: string, text: string]>> = {
  subscription: (id) => [
    `/subscriptions/${encodeId('subscription', id)}#build`,
    'Open the subscription to retry',
  ],
  order: (id) => [`/orders/${encodeId('order', id)}/holds`, 'Open the order'],
  server: () => ['/servers', 'Look at the servers'],
  invoice: (id) => [`/invoices/${encodeId('invoice', id)}#disputes`, 'Open the invoice to answer'],
  supplier_invoice: (id) => [
    `/supplier-invoices/${encodeId('supplierInvoice', id)}`,
    'Open the supplier invoice',
  ],
  missing_supplier_invoice: () => ['/expected-supplier-invoices', 'See what is expected of suppliers'],
  webhook: (id) => [`/settings/webhooks/${encodeId('webhook', id)}`, 'See what it answered'],
  change_request: (id) => [`/change-requests/${encodeId('changeRequest', id)}`, 'Apply or refuse it'],
  peer: () => [peersPath, 'See what waits, and go on'],
  deployer: () => ['/settings/deployers', 'Look at the deployers'],
  instance: (id) => [`/instances/${encodeId('instance', id)}`, 'Open the instance'],
  customer: (id) => [`/customers/${encodeId('customer', id)}`, 'Open the customer'],
}

function Way({ task }: { task: TaskRow }) {
  const way = ways[task.subject_kind]?.(task.subject_id)
  if (way === undefined) return null
  const [href, text] = way
  return (
    <p>
      <a href={href}>
        {text}
        <span class="visually-hidden">: {task.subject}</span>
      </a>
    </p>
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
