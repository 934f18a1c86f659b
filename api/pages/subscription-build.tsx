import type { BuildStepRow } from '#db/read/build.ts'
import { refuseBuildCommand } from '#domain/build-command.ts'
import { isErrorCode, problemKinds } from '../errors.ts'
import { buildStandingOf, canRetry, stepDurationMs } from '../schemas/build.ts'
import { CancelBuild, StepActions } from './build-actions.tsx'
import type { ConsoleView } from './console-page.tsx'
import type { RefusedInput } from './form.tsx'
import { formatDuration, plural } from './format.ts'
import { BuildState, Empty, Moment, Section, State, Table } from './parts.tsx'
import type { BuildContent, SubscriptionContent } from './subscription-content.ts'
import { ActionForm } from './subscription-form.tsx'

/** The newest build with its steps as they go; the ones before it are folded away. */
export function BuildSection(props: {
  view: ConsoleView
  content: SubscriptionContent
  refused: RefusedInput | undefined
}) {
  const { view, content, refused } = props
  const [newest, ...earlier] = content.builds
  return (
    <Section
      id="build"
      title={newest ? buildTitle(newest) : 'Build'}
      isLive
      aside={newest && <BuildState build={newest} />}
    >
      {newest ? (
        <Build view={view} content={content} build={newest} refused={refused} />
      ) : content.instances.length === 0 ? (
        <Empty>Nothing is to be built: what was sold has no application.</Empty>
      ) : (
        <Empty>Not planned yet. {queueText(content)}</Empty>
      )}
      {earlier.length > 0 && (
        <details id="earlier-builds">
          <summary>{plural(earlier.length, 'earlier build')}</summary>
          {earlier.map((build) => (
            <>
              <h3>
                {buildTitle(build)} <BuildState build={build} />
              </h3>
              <Steps view={view} content={content} build={build} refused={undefined} />
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

interface BuildProps {
  readonly view: ConsoleView
  readonly content: SubscriptionContent
  readonly build: BuildContent
  readonly refused: RefusedInput | undefined
}

function Build(props: BuildProps) {
  const { view, build, content } = props
  return (
    <>
      <Progress view={view} content={content} build={build} />
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
      {refuseBuildCommand('cancel', buildStandingOf(build), null) === undefined && <CancelBuild {...props} />}
      {/* Done and unremarkable is folded, so that the page begins with what matters. */}
      {build.state === 'done' ? (
        <details id="build-steps">
          <summary>{plural(build.steps.length, 'step')}</summary>
          <Steps {...props} />
        </details>
      ) : (
        <Steps {...props} />
      )}
    </>
  )
}

/** A failure is told once: by the step that failed, else by the build. */
function isToldByStep(build: BuildContent): boolean {
  return build.steps.some((step) => step.state === 'failed' && step.failure_code === build.failure_code)
}

/** Where what was sold stands in the queue of its server. */
function queueText({ queue }: SubscriptionContent): string {
  return queue === null
    ? 'The workflow plans the steps in a moment.'
    : `Queued on server ${queue.server}, ${queue.ahead} ahead.`
}

function Progress({ view, content, build }: Omit<BuildProps, 'refused'>) {
  const isBusy = build.state === 'planned' || build.state === 'running'
  const since = build.begun_at ?? build.created_at
  const end = build.finished_at ?? view.now
  const duration = formatDuration(Date.parse(end) - Date.parse(since))
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
        {build.state === 'planned' ? '' : `, ${duration}`}. {build.state === 'planned' && queueText(content)}{' '}
        <span class="hint">
          {build.begun_at === null ? 'Planned' : 'Begun'} <Moment at={since} {...view} />.
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

function Steps(props: BuildProps) {
  const { build } = props
  const caption = `Steps of ${buildTitle(build).toLowerCase()}`
  return (
    <Table
      caption={caption}
      head={[{ number: 'No.' }, 'Step', 'State', { number: 'Took' }, { number: 'Attempt' }, 'What happened']}
    >
      {build.steps.map((step) => (
        <Step {...props} step={step} />
      ))}
    </Table>
  )
}

function Step({ step, ...props }: BuildProps & { step: BuildStepRow }) {
  const { view } = props
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
          {isRetrying ? retryState(step) : step.decision === 'skip' ? 'skipped' : step.state}
        </State>
      </td>
      <td class="number">{stepDuration(step, view.now)}</td>
      <td class="number">{step.attempt === 0 ? '' : step.attempt}</td>
      <td>
        {step.progress}
        {step.state === 'running' && step.progress_at !== null && (
          <span class="hint">
            {' '}
            <Moment at={step.progress_at} {...view} />
          </span>
        )}
        {step.failure_code !== null && (step.state === 'failed' || isRetrying) && (
          <Failure code={step.failure_code} detail={step.failure_detail} />
        )}
        {step.decision !== null && step.state !== 'done' && (
          <p class="hint">
            To be {step.decision === 'skip' ? 'skipped' : 'taken as done'}, by {step.decided_by}:{' '}
            {step.decision_reason}
          </p>
        )}
        <StepActions {...props} step={step} />
      </td>
    </tr>
  )
}

/** A step that told of nothing for too long was ended: it is seen as that. */
function retryState(step: BuildStepRow): string {
  return step.failure_code === 'no_progress' ? 'no progress' : 'retrying'
}

function stepDuration(step: BuildStepRow, now: string): string {
  const tookMs = stepDurationMs(step, now)
  return tookMs === null ? '' : formatDuration(tookMs)
}
