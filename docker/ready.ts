import type Docker from 'dockerode'
import type { Dependency } from '#domain/application.ts'
import type { ReadyStep } from '#domain/build-plan.ts'
import type { ReadyObservation, RunnerContext, StepOutcome } from '#domain/runner.ts'
import { isElsewhere, pause, withoutSecrets } from './engine.ts'
import { containerExited, notReady } from './failure.ts'
import { startContainer } from './start.ts'
import { findContainer, isJob } from './observation.ts'

/** A container may fail a few times while another one gets ready; more often than this it will not come up. */
const RESTARTS_MAX = 3
const POLL_FIRST_MS = 100
const POLL_MAX_MS = 1_000
const REQUEST_DEADLINE_MS = 5_000

interface Wait {
  readonly names: readonly string[]
  readonly condition: Dependency['condition']
  readonly timeoutS: number
}

/** Waits until all containers run, are healthy and the public port answers. */
export async function ensureReady(docker: Docker, step: ReadyStep, ctx: RunnerContext): Promise<StepOutcome> {
  const detail = await waitFor(docker, { ...step, names: step.containers }, ctx, async () =>
    checkReady(docker, step, ctx, startAgain(docker, ctx)),
  )
  return { externalId: step.labels['io.clouder.instance'] ?? step.name, isAdopted: false, detail }
}

export async function checkReady(
  docker: Docker,
  step: ReadyStep,
  ctx: RunnerContext,
  onEngineEnded?: OnEngineEnded,
): Promise<ReadyObservation> {
  const { containers: names } = step
  const running = await checkRunning(docker, { names, condition: 'healthy', onEngineEnded }, ctx)
  if (!running.isReady || step.request === null) return running
  if (isElsewhere(docker)) {
    const detail = `${running.detail}; ${step.request.path} is not asked: its port is on another host`
    return { isReady: true, detail }
  }
  return await checkAnswer(step.request, ctx)
}

/**
 * Waits until containers run, are healthy, or have ended well.
 * @throws `container_exited` or `not_ready_in_time`
 */
export async function waitUntil(docker: Docker, wait: Wait, ctx: RunnerContext): Promise<void> {
  const onEngineEnded = startAgain(docker, ctx)
  await waitFor(docker, wait, ctx, async () => checkRunning(docker, { ...wait, onEngineEnded }, ctx))
}

/** Told of a container that ended with its engine. */
type OnEngineEnded = ((name: string) => Promise<void>) | undefined

/** An engine that was killed may forget to start what it should. */
function startAgain(docker: Docker, ctx: RunnerContext): OnEngineEnded {
  return async (name) => await startContainer(docker, name, ctx)
}

async function waitFor(
  docker: Docker,
  { names, timeoutS }: Pick<Wait, 'names' | 'timeoutS'>,
  ctx: RunnerContext,
  look: () => Promise<ReadyObservation>,
): Promise<string> {
  const endsAt = performance.now() + timeoutS * 1000
  let pollMs = POLL_FIRST_MS
  for (;;) {
    const { isReady, detail } = await look()
    if (isReady) return detail
    if (performance.now() >= endsAt) {
      throw await notReady(docker, { names, why: `not ready within ${timeoutS} s: ${detail}` }, ctx)
    }
    ctx.onProgress(`waiting: ${detail}`)
    await pause(ctx, pollMs)
    pollMs = Math.min(pollMs * 1.5, POLL_MAX_MS)
  }
}

/** The first container that is not there yet, or not as it should be. */
async function checkRunning(
  docker: Docker,
  { names, condition, onEngineEnded }: Omit<Wait, 'timeoutS'> & { onEngineEnded: OnEngineEnded },
  ctx: RunnerContext,
): Promise<ReadyObservation> {
  const all = await Promise.all(names.map((name) => findContainer(docker, name, ctx)))
  for (const [index, found] of all.entries()) {
    const name = names[index] ?? ''
    if (found === undefined) return { isReady: false, detail: `container ${name} is not there` }
    const { State: state } = found
    if (isJob(found) && state.Status === 'exited' && state.ExitCode === 0) continue
    const isRestartedInVain = state.Status === 'restarting' && found.RestartCount >= RESTARTS_MAX
    const hasEnded = state.Status === 'exited' && !isEngineToRestart(found)
    if (state.Status === 'exited' && !hasEnded) await onEngineEnded?.(name)
    const hasGivenUp = hasEnded || state.Status === 'dead' || isRestartedInVain
    if (hasGivenUp) throw await containerExited(docker, found, ctx)
    if (state.Status !== 'running') return { isReady: false, detail: `container ${name} is ${state.Status}` }
    if (condition === 'completed') return { isReady: false, detail: `container ${name} has not ended yet` }
    const health = state.Health
    if (
      condition === 'healthy' &&
      health !== undefined &&
      health.Status !== 'healthy' &&
      health.Status !== 'none'
    ) {
      const said = withoutSecrets(ctx, health.Log?.at(-1)?.Output.trim().slice(0, 300) ?? '')
      return { isReady: false, detail: `container ${name} is ${health.Status}${said ? `: ${said}` : ''}` }
    }
  }
  return { isReady: true, detail: `${names.length} container(s) run` }
}

/**
 * One that is always restarted is never seen ended because of itself: it ended with its engine, or was stopped by hand. What does not
 * come back is waited for as long as anything else.
 */
function isEngineToRestart({ HostConfig: { RestartPolicy: policy } }: Docker.ContainerInspectInfo): boolean {
  return policy?.Name === 'always' || policy?.Name === 'unless-stopped'
}

async function checkAnswer(
  request: NonNullable<ReadyStep['request']>,
  ctx: RunnerContext,
): Promise<ReadyObservation> {
  const url = `http://127.0.0.1:${request.hostPort}${request.path}`
  const abortSignal = AbortSignal.any([ctx.abortSignal, AbortSignal.timeout(REQUEST_DEADLINE_MS)])
  try {
    const res = await fetch(url, { redirect: 'manual', signal: abortSignal })
    await res.body?.cancel()
    const isReady = res.status >= 200 && res.status < 400
    return { isReady, detail: `${request.path} answers ${res.status}` }
  } catch (error) {
    ctx.abortSignal.throwIfAborted()
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return {
      isReady: false,
      detail: `${request.path} does not answer: ${cause instanceof Error ? cause.message : 'no'}`,
    }
  }
}
