import type { BuildRow, BuildStepRow } from '#db/read/build.ts'
import type { MetricStateRow } from '#db/read/instance.ts'
import type { SeenContainer } from '#domain/repair.ts'
import { stepDurationMs } from '../schemas/build.ts'
import { explainLink } from '../schemas/link.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatDuration, formatQuantity, plural } from './format.ts'
import { instanceAddress, nameOf, type InstancePageContent } from './instance-content.ts'
import { BuildState, Empty, Moment, Section, State, Table } from './parts.tsx'
import type { InstanceContent } from './subscription-content.ts'

interface PartProps {
  readonly view: ConsoleView
  readonly content: InstancePageContent
}

/** Its containers as they were seen, its images, and what else it has on the server. */
export function ContainersSection({ view, content }: PartProps) {
  const { instance, deployed } = content
  const seen = new Map(instance.observed_containers.map((one) => [one.service, one]))
  const images = new Map(instance.images.map((image) => [image.service, image]))
  const others = instance.resources.filter(({ kind }) => kind !== 'container' && kind !== 'image')
  return (
    <Section id="containers" title="Containers" isLive>
      <Table
        caption="Containers of the instance, as they were seen"
        head={['Service', 'State', 'Since', 'Image']}
      >
        {deployed.definition.services.map(({ name }) => (
          <tr>
            <th scope="row">
              {name}
              <div class="hint">{seen.get(name)?.name}</div>
            </th>
            <td>
              <ContainerState seen={seen.get(name)} />
            </td>
            <td>
              <Since view={view} seen={seen.get(name)} />
            </td>
            <td>
              {images.get(name)?.reference ?? '–'}
              {images.has(name) && (
                <div class="hint">
                  <code title={images.get(name)?.digest}>{images.get(name)?.digest.slice(0, 19)}…</code>
                </div>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {others.length > 0 && (
        <details id="holds">
          <summary>{plural(others.length, 'object')} on the server besides</summary>
          <ul class="plainlist">
            {others.map((resource) => (
              <li>
                {resource.kind} <code>{resource.name}</code>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Section>
  )
}

/** What it is a part of, and its own parts, in the order in which they are started. */
export function PartsSection({ content }: Pick<PartProps, 'content'>) {
  const { parent_instance_id: parentId, parent_name: parentName, parts } = content.instance
  if (parentId === null && parts.length === 0) return null
  return (
    <Section id="parts" title="Parts" isLive>
      {parentId !== null && (
        <p>
          It is a part of <a href={instanceAddress(parentId)}>{parentName}</a>, and is started before it.
        </p>
      )}
      {parts.length > 0 && (
        <Table caption="Its parts, in the order in which they are started" head={['Part', 'State', 'Seen']}>
          {parts.map((part) => (
            <tr>
              <th scope="row">
                <a href={instanceAddress(part.id)}>{nameOf(part)}</a>
              </th>
              <td>
                <State state={part.state} />
              </td>
              <td>{part.observed_state === null ? '–' : <State state={part.observed_state} />}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  )
}

function ContainerState({ seen }: { seen: SeenContainer | undefined }) {
  if (seen === undefined) return <State state="absent">not seen</State>
  const { state, health, exitCode } = seen
  const shown = state === 'running' && health === 'unhealthy' ? 'degraded' : stateNames[state]
  return (
    <>
      <State state={shown}>{state}</State>
      {health !== 'none' && <div class="hint">{health}</div>}
      {exitCode !== null && <div class="hint">exit code {exitCode}</div>}
    </>
  )
}

/** The engine's words by what they mean here. */
const stateNames = {
  created: 'starting',
  running: 'running',
  paused: 'stopped',
  restarting: 'degraded',
  exited: 'stopped',
  dead: 'absent',
} as const satisfies Readonly<Record<SeenContainer['state'], string>>

function Since({ view, seen }: { view: ConsoleView; seen: SeenContainer | undefined }) {
  if (seen?.startedAt == null) return '–'
  return (
    <>
      <Moment at={seen.startedAt} {...view} />
      {seen.restartCount > 0 && (
        <div class="hint">started again {plural(seen.restartCount, 'time')} by its engine</div>
      )}
    </>
  )
}

/** What each metric was at last, and why one cannot be read. */
export function MetricsSection({ view, metrics }: { view: ConsoleView; metrics: readonly MetricStateRow[] }) {
  if (metrics.length === 0) return null
  return (
    <Section id="metrics" title="Metrics" isLive>
      <Table
        caption="Metrics, as they were read last"
        head={['Metric', { number: 'Last value' }, 'Read', 'Next']}
      >
        {metrics.map((row) => (
          <tr>
            <th scope="row">{row.metric}</th>
            <td class="number">
              {row.value === null ? '–' : `${formatQuantity(row.value)} ${row.unit ?? ''}`}
            </td>
            <td>
              {row.read_at === null ? 'not yet' : <Moment at={row.read_at} {...view} />}
              {row.failing_since !== null && (
                <div class="failure">
                  Not read since <Moment at={row.failing_since} {...view} />: {row.failure}
                </div>
              )}
            </td>
            <td>
              {row.next_reading_at === null ? '–' : <Moment at={row.next_reading_at} {...view} />}
              <div class="hint">each {row.interval_seconds} s</div>
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}

/** Whose offer it has, and why that one; or what it waits for. */
export function LinksSection({ links }: { links: InstanceContent['links'] }) {
  if (links.length === 0) return null
  return (
    <Section id="links" title="Links" isLive>
      <ul class="plainlist">
        {links.map((link) => (
          <li>
            <strong>{link.name}</strong>:{' '}
            {link.offering_instance_id === null ? (
              'not linked'
            ) : (
              <a href={instanceAddress(link.offering_instance_id)}>{link.offering_name}</a>
            )}
            <div class="hint">{explainLink(link)}</div>
            {link.failure_detail !== null && <div class="failure">{link.failure_detail}</div>}
          </li>
        ))}
      </ul>
    </Section>
  )
}

type BuildOfInstance = BuildRow & { readonly steps: readonly BuildStepRow[] }

/** Of the newest build or unbuild of its subscription, the steps that are about this instance. */
export function BuildStepsSection({
  view,
  content,
  build,
}: PartProps & { build: BuildOfInstance | undefined }) {
  if (build === undefined) return null
  return (
    <Section
      id="build"
      title={build.kind === 'build' ? 'Last build' : 'Its unbuild'}
      isLive
      aside={<BuildState build={build} />}
    >
      {build.steps.length === 0 ? (
        <Empty>No step of it is about this instance.</Empty>
      ) : (
        <Table caption="Steps" head={['Step', 'State', { number: 'Took' }, 'What happened']}>
          {build.steps.map((step) => (
            <Step view={view} step={step} />
          ))}
        </Table>
      )}
      <p class="hint">
        <a href={`/subscriptions/${content.subscriptionId}#build`}>The whole build</a>, and what can be
        decided of it.
      </p>
    </Section>
  )
}

function Step({ view, step }: { view: ConsoleView; step: BuildStepRow }) {
  const tookMs = stepDurationMs(step, view.now)
  return (
    <tr class={step.state === 'running' ? 'current' : undefined}>
      <th scope="row">{step.title}</th>
      <td>
        <State state={step.state} isWork />
        {step.attempt > 1 && <div class="hint">attempt {step.attempt}</div>}
      </td>
      <td class="number">{tookMs === null ? '' : formatDuration(tookMs)}</td>
      <td>
        {step.progress}
        {step.failure_detail !== null && step.state !== 'done' && (
          <div class="failure">{step.failure_detail}</div>
        )}
      </td>
    </tr>
  )
}
