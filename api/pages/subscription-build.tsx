import type { BuildStepRow } from '#db/read/build.ts'
import { isErrorCode, problemKinds } from '../errors.ts'
import { canRetry } from '../schemas/build.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatDuration, plural } from './format.ts'
import { BuildState, Empty, Moment, Section, State, Table } from './parts.tsx'
import type { BuildContent, SubscriptionContent } from './subscription-content.ts'
import { ActionForm } from './subscription-form.tsx'

/** The newest build with its steps as they go; the ones before it are folded away. */
export function BuildSection({ view, content }: { view: ConsoleView; content: SubscriptionContent }) {
  const [newest, ...earlier] = content.builds
  return (
    <Section
      id="build"
      title={newest ? buildTitle(newest) : 'Build'}
      isLive
      aside={newest && <BuildState build={newest} />}
    >
      {newest ? (
        <Build view={view} content={content} build={newest} />
      ) : content.instances.length === 0 ? (
        <Empty>Nothing is to be built: what was sold has no application.</Empty>
      ) : (
        <Empty>Not planned yet. The workflow plans the steps in a moment.</Empty>
      )}
      {earlier.length > 0 && (
        <details id="earlier-builds">
          <summary>{plural(earlier.length, 'earlier build')}</summary>
          {earlier.map((build) => (
            <>
              <h3>
                {buildTitle(build)} <BuildState build={build} />
              </h3>
              <Steps view={view} build={build} />
            </>
          ))}
        </details>
      )}
    </Section>
  )
}

function buildTitle(build: BuildContent): string {
  const name = build.kind === 'build' ? 'Build' : 'Unbuild'
  return build.number === 1 ? name : `${name} ${build.number}`
}

function Build(props: { view: ConsoleView; content: SubscriptionContent; build: BuildContent }) {
  const { view, build, content } = props
  return (
    <>
      <Progress view={view} build={build} />
      {build.failure_code !== null && !isToldByStep(build) && (
        <Failure code={build.failure_code} detail={build.failure_detail} />
      )}
      {canRetry(build) && (
        <ActionForm view={view} publicId={content.publicId} action="retry-build">
          <button type="submit" class="primary">
            Retry the {build.kind}
          </button>
          <span class="hint">It finds what is there already and goes on from it.</span>
        </ActionForm>
      )}
      {/* Done and unremarkable is folded, so that the page begins with what matters. */}
      {build.state === 'done' ? (
        <details id="build-steps">
          <summary>{plural(build.steps.length, 'step')}</summary>
          <Steps view={view} build={build} />
        </details>
      ) : (
        <Steps view={view} build={build} />
      )}
    </>
  )
}

/** A failure is told once: by the step that failed, else by the build. */
function isToldByStep(build: BuildContent): boolean {
  return build.steps.some((step) => step.state === 'failed' && step.failure_code === build.failure_code)
}

function Progress({ view, build }: { view: ConsoleView; build: BuildContent }) {
  const isBusy = build.state === 'planned' || build.state === 'running'
  const end = build.finished_at ?? view.now
  const duration = formatDuration(Date.parse(end) - Date.parse(build.created_at))
  const server = build.steps[0]?.server_code ?? 'the server'
  return (
    <div class="progress" data-busy={isBusy ? '' : undefined}>
      <progress
        value={build.done_count}
        max={Math.max(1, build.step_count)}
        aria-label={`Steps of the ${build.kind}`}
      >
        {build.done_count} of {build.step_count}
      </progress>
      <p>
        {build.done_count} of {plural(build.step_count, 'step')} done
        {build.state === 'planned'
          ? `, queued: waits for the worker of server ${server}, ${plural(build.buildsAhead, 'build')} before it`
          : `, ${duration}`}
        .{' '}
        <span class="hint">
          Begun <Moment at={build.created_at} {...view} />.
        </span>
      </p>
    </div>
  )
}

function Failure({ code, detail }: { code: string; detail: string | null }) {
  return (
    <div class="failure">
      <p>
        <strong>Cause:</strong> {detail ?? code} (
        {isErrorCode(code) ? <a href={`/docs/errors/${code}`}>{code}</a> : <code>{code}</code>})
      </p>
      {isErrorCode(code) && (
        <p>
          <strong>Remedy:</strong> {problemKinds[code].remedy}
        </p>
      )}
    </div>
  )
}

function Steps({ view, build }: { view: ConsoleView; build: BuildContent }) {
  const caption = `Steps of ${buildTitle(build).toLowerCase()}`
  return (
    <Table
      caption={caption}
      head={[{ number: 'No.' }, 'Step', 'State', { number: 'Took' }, { number: 'Attempt' }, 'What happened']}
    >
      {build.steps.map((step) => (
        <Step view={view} step={step} />
      ))}
    </Table>
  )
}

function Step({ view, step }: { view: ConsoleView; step: BuildStepRow }) {
  const isRetrying = step.state === 'running' && step.failure_code !== null
  return (
    <tr class={step.state === 'running' ? 'current' : undefined}>
      <td class="number">{step.position + 1}</td>
      <th scope="row">
        {step.title}
        <div class="hint">
          {step.name} on {step.server_code}
        </div>
      </th>
      <td>
        <State state={step.state} isWork>
          {isRetrying ? 'retrying' : step.state}
        </State>
      </td>
      <td class="number">{stepDuration(step, view.now)}</td>
      <td class="number">{step.attempt === 0 ? '' : step.attempt}</td>
      <td>
        {step.progress}
        {step.failure_code !== null && (step.state === 'failed' || isRetrying) && (
          <Failure code={step.failure_code} detail={step.failure_detail} />
        )}
      </td>
    </tr>
  )
}

function stepDuration(step: BuildStepRow, now: string): string {
  if (step.started_at === null) return ''
  return formatDuration(Date.parse(step.finished_at ?? now) - Date.parse(step.started_at))
}
