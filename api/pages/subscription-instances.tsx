import type { BackupRow } from '#db/read/backup.ts'
import type { LimitCommandRow } from '#db/read/instance.ts'
import { encodeId } from '#domain/identifier.ts'
import { spendLimit, type Hold } from '#domain/limit-hold.ts'
import { explainLink } from '../schemas/link.ts'
import { ApplicationIcon } from './application-icon.tsx'
import type { ConsoleView } from './console-page.tsx'
import { holdText } from './event-text.ts'
import { formatDuration, formatQuantity, plural } from './format.ts'
import { instanceAddress, nameOf } from './instance-content.ts'
import { Empty, Moment, Section, State, Table } from './parts.tsx'
import type { InstanceContent, SubscriptionContent } from './subscription-content.ts'

export function InstancesSection({ view, content }: { view: ConsoleView; content: SubscriptionContent }) {
  return (
    <Section id="instances" title="Instances" isLive>
      {content.instances.length === 0 ? (
        <Empty>None here: what was sold has no application to build.</Empty>
      ) : (
        <Table
          caption="Deployed applications"
          head={['Instance', 'State and what was seen', 'Server', 'Holds']}
        >
          {content.instances.map((instance) => (
            <Instance view={view} instance={instance} />
          ))}
        </Table>
      )}
      {content.backups.map((backup) => (
        <Backup view={view} backup={backup} />
      ))}
    </Section>
  )
}

/** What was saved before an instance was removed or restored in place, or why it could not be. */
function Backup({ view, backup }: { view: ConsoleView; backup: BackupRow }) {
  return (
    <p>
      {backup.reason === 'last' ? 'Last backup' : 'Backup before a restore'} of {backup.instance_name}:{' '}
      <State state={backup.state} /> <code>{encodeId('backup', backup.id)}</code>
      {backup.state === 'kept' && backup.expires_at !== null && (
        <>
          , until <Moment at={backup.expires_at} {...view} />
        </>
      )}
      {backup.failure_detail !== null && <span class="hint"> {backup.failure_detail}</span>}
    </p>
  )
}

function Instance({ view, instance }: { view: ConsoleView; instance: InstanceContent }) {
  return (
    <tr>
      <th scope="row">
        <ApplicationIcon of={instance.icon} />
        <a href={instanceAddress(instance.id)}>{instance.application_title}</a>
        <div class="hint">
          {nameOf(instance)}, version {instance.application_version}
        </div>
        {instance.images.map(({ service, digest }) => (
          <div class="hint">
            {service} runs <code title={digest}>{digest.slice(0, 19)}…</code>
          </div>
        ))}
        {instance.notice !== null && <div class="hint">{instance.notice}</div>}
      </th>
      <td>
        <State state={instance.state} />
        <div class="hint">
          <Moment at={instance.state_at} {...view} />
        </div>
        <Observed view={view} instance={instance} />
        {instance.observed_differences.length > 0 && (
          <div class="hint">
            <a href={instanceAddress(instance.id, 'settings')}>
              {plural(instance.observed_differences.length, 'difference')} from what is wanted
            </a>
          </div>
        )}
        {instance.links.map((link) => (
          <Link link={link} />
        ))}
      </td>
      <td>
        {instance.server_code}
        {instance.host_port !== null && <div class="hint">port {instance.host_port}</div>}
      </td>
      <td>
        {instance.resources.length === 0 ? (
          'nothing'
        ) : (
          <details id={`holds-${instance.name}`}>
            <summary>{plural(instance.resources.length, 'resource')}</summary>
            <ul class="plainlist">
              {instance.resources.map((resource) => (
                <li>
                  {resource.kind} <code>{resource.name}</code>
                </li>
              ))}
            </ul>
          </details>
        )}
      </td>
    </tr>
  )
}

/** Whose offer it has, and why that one; or what it waits for. */
function Link({ link }: { link: InstanceContent['links'][number] }) {
  return (
    <div class="hint">
      {link.name}: {link.offering_name ?? 'not linked'}, {explainLink(link)}
      {link.failure_detail !== null && <>; {link.failure_detail}</>}
    </div>
  )
}

/** What was seen, and how long ago; what is otherwise than wanted, with the command that settles it. */
export function Observed({
  view,
  instance,
}: {
  view: ConsoleView
  instance: Pick<InstanceContent, 'observed_state' | 'observed_at' | 'findings'>
}) {
  if (instance.observed_state === null || instance.observed_at === null) return null
  return (
    <>
      <div>
        <State state={instance.observed_state}>seen {instance.observed_state}</State>
      </div>
      <div class="hint">
        <Moment at={instance.observed_at} {...view} />
      </div>
      {instance.findings.map((finding) => (
        <div class="hint">
          {finding.detail} <code>{finding.command}</code>
        </div>
      ))}
    </>
  )
}

/** Sold is what is billed, in force is what the instance said when it was asked. */
export function LimitsSection({
  view,
  content,
}: {
  view: ConsoleView
  content: Pick<SubscriptionContent, 'instances'>
}) {
  const limited = content.instances.filter((instance) => instance.limits.length > 0)
  if (limited.length === 0) return null
  const commands = limited.flatMap((instance) => instance.commands)
  return (
    <Section id="limits" title="Limits" isLive>
      <Table
        caption="Limits, sold and in force"
        head={['Limit', { number: 'Sold' }, { number: 'In force' }, { number: 'Used' }, 'Standing']}
      >
        {limited.flatMap((instance) =>
          instance.limits.map((limit) => <Limit instance={instance} limit={limit} />),
        )}
      </Table>
      {commands.length > 0 && (
        <details id="limit-log">
          <summary>{plural(commands.length, 'command')} sent to the instance</summary>
          <Table
            caption="Commands that set limits, newest first"
            head={['Sent', 'Command', 'Answer', { number: 'Exit' }]}
          >
            {commands.map((command) => (
              <LimitCommand view={view} command={command} />
            ))}
          </Table>
        </details>
      )}
    </Section>
  )
}

function Limit(props: { instance: InstanceContent; limit: InstanceContent['limits'][number] }) {
  const { instance, limit } = props
  if (limit.code === spendLimit) return <SpendLimit instance={instance} limit={limit} />
  const inForce = limit.in_force_quantity
  const isHeld = inForce !== null && formatQuantity(inForce) === formatQuantity(limit.sold_quantity)
  return (
    <tr>
      <th scope="row">{limit.code}</th>
      <td class="number">{formatQuantity(limit.sold_quantity)}</td>
      <td class="number">{inForce === null ? 'not set yet' : formatQuantity(inForce)}</td>
      <td class="number">
        {limit.used_quantity === null ? 'not measured' : formatQuantity(limit.used_quantity)}
      </td>
      <td>
        {instance.destroyed_at === null ? (
          <LimitStanding limit={limit} isHeld={isHeld} />
        ) : (
          <State state="destroyed" />
        )}
      </td>
    </tr>
  )
}

/** What usage costs has come to a cap that stops: how much may be used is said there, and nothing is set in the instance. */
function SpendLimit(props: { instance: InstanceContent; limit: InstanceContent['limits'][number] }) {
  const { hold, held_at: heldAt, hold_failure: failure } = props.limit
  const caps = `/subscriptions/${encodeId('subscription', props.instance.subscription_id)}#spend`
  return (
    <tr>
      <th scope="row">{spendLimit}</th>
      <td colspan={3}>
        <a href={caps}>What usage may cost</a>
      </td>
      <td>
        <State state="limited">cap reached</State>
        {hold !== null && <div class="hint">{failure ?? sayHold(hold, heldAt !== null)}</div>}
      </td>
    </tr>
  )
}

function LimitStanding({ limit, isHeld }: { limit: InstanceContent['limits'][number]; isHeld: boolean }) {
  const { enforcement, reached_at: reachedAt, hold, held_at: heldAt, hold_failure: failure } = limit
  if (reachedAt !== null)
    return (
      <>
        <State state="limited">limit reached</State>
        <div class="hint">
          {failure ?? (hold === null ? howHeld[enforcement] : sayHold(hold, heldAt !== null))}
        </div>
      </>
    )
  if (enforcement === 'soft') return <State state="done">warns only</State>
  return <State state={isHeld ? 'done' : 'planned'}>{isHeld ? 'enforced' : 'not in force yet'}</State>
}

const howHeld = { hard: 'nothing more is given', throttle: 'slower', soft: 'a warning only' } as const

function sayHold(hold: Hold, isSeen: boolean): string {
  return isSeen ? holdText(hold) : `${holdText(hold)}: under way`
}

function LimitCommand({ view, command }: { view: ConsoleView; command: LimitCommandRow }) {
  return (
    <tr>
      <td>
        <Moment at={command.sent_at} {...view} />
        {command.duration_ms !== null && <div class="hint">{formatDuration(command.duration_ms)}</div>}
      </td>
      <td>
        <code>{command.command.join(' ')}</code>
      </td>
      <td>
        <code>{command.answer}</code>
        {command.read_back !== null && <div class="hint">read back {command.read_back}</div>}
      </td>
      <td class="number">{command.exit_code}</td>
    </tr>
  )
}
