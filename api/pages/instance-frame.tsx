import type { Child } from 'hono/jsx'
import { encodeId } from '#domain/identifier.ts'
import type { ConsoleBody, ConsoleView } from './console-page.tsx'
import { ApplicationIcon } from './application-icon.tsx'
import { instanceAddress, nameOf, type InstancePageContent } from './instance-content.ts'
import { Moment, Places, State } from './parts.tsx'

const parts = [
  { part: '', title: 'Overview' },
  { part: 'logs', title: 'Logs' },
  { part: 'actions', title: 'Actions' },
  { part: 'secrets', title: 'Secrets' },
  { part: 'settings', title: 'Settings' },
  { part: 'backups', title: 'Backups' },
] as const
export type InstancePart = (typeof parts)[number]['part']

interface InstancePage {
  readonly part: InstancePart
  /** It changes by itself while it is looked at. */
  readonly isLive?: boolean
  readonly status?: ConsoleBody['status']
  readonly children: Child
}

/** One part of the page of an instance, under the head that all of them have. */
export function instanceBody(
  view: ConsoleView,
  content: InstancePageContent,
  { part, isLive = false, status, children }: InstancePage,
): ConsoleBody {
  const title = parts.find((one) => one.part === part)?.title ?? ''
  const name = nameOf(content.instance)
  return {
    title: `${part === '' ? '' : `${title} of `}${name}`,
    current: 'instances',
    ...(isLive ? { liveFilter: `subscription=${content.subscriptionId}` } : {}),
    ...(status === undefined ? {} : { status }),
    children: (
      <>
        <Head view={view} content={content} isLive={isLive} />
        <Places
          label="Parts of this page"
          places={parts.map((one) => ({ href: instanceAddress(content.id, one.part), title: one.title }))}
          current={instanceAddress(content.id, part)}
        />
        {children}
      </>
    ),
  }
}

/** What it is, whose it is, how it stands and what was seen of it. */
function Head({
  view,
  content,
  isLive,
}: {
  view: ConsoleView
  content: InstancePageContent
  isLive: boolean
}) {
  const { instance, subscription, subscriptionId, publicId } = content
  return (
    <>
      <p class="trail">
        <a href="/instances">← All instances</a>
      </p>
      <header class="subject" id="subject" data-live={isLive ? '' : undefined}>
        <div>
          <h1>
            <ApplicationIcon of={instance.icon} isLarge />
            {nameOf(instance)}
          </h1>
          <p>
            <State state={instance.state} />{' '}
            <span class="hint">
              <Moment at={instance.state_at} {...view} />
            </span>
            {instance.observed_state !== null && instance.observed_at !== null && (
              <>
                {' '}
                <State state={instance.observed_state}>seen {instance.observed_state}</State>{' '}
                <span class="hint">
                  <Moment at={instance.observed_at} {...view} />
                </span>
              </>
            )}
          </p>
          <p>
            {instance.application_title}, of{' '}
            <a href={`/subscriptions/${subscriptionId}`}>{subscription.title}</a> for{' '}
            <a href={`/customers/${encodeId('customer', subscription.customer_id)}`}>
              {subscription.customer_name}
            </a>{' '}
            <span class="hint">
              <code>{publicId}</code>
            </span>
          </p>
        </div>
        <OpenInstance view={view} content={content} />
        {instance.notice !== null && (
          <p class="banner note" role="note">
            {instance.notice}
          </p>
        )}
      </header>
    </>
  )
}

/** Its address, to press while something answers there. */
function OpenInstance({ view, content }: { view: ConsoleView; content: InstancePageContent }) {
  const { instance } = content
  if (instance.host_port === null || view.dryRunServers.includes(instance.server_code)) return null
  if (instance.state !== 'running' && instance.state !== 'limited') return null
  const address = `http://localhost:${instance.host_port}/`
  return (
    <p class="open">
      <a class="button primary" href={address} rel="noreferrer">
        Open {instance.application_title}
      </a>
      <span class="hint">{address}</span>
    </p>
  )
}
