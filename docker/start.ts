import type Docker from 'dockerode'
import { BusinessError } from '#domain/errors.ts'
import { ContainerStuck, type RunnerContext } from '#domain/runner.ts'
import { callToEnd, EngineError, isStatus, pause } from './engine.ts'

const START_DEADLINE_MS = 60_000

/** What died with a killed engine, such as its proxies, may hold a port of the host for a moment yet. */
const PORT_TRIES = 5
const PORT_PAUSE_MS = 500

/**
 * Running already is a success.
 * @throws `port_taken_on_server` when it stays taken, `container_exited` for what cannot run, `ContainerStuck` for what only helps made anew
 */
export async function startContainer(docker: Docker, name: string, ctx: RunnerContext): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(docker, name, ctx)
    } catch (error) {
      const isTaken = error instanceof EngineError && HELD_BY_A_PROCESS.test(error.message)
      if (!isTaken || tries === PORT_TRIES) throw startError(name, error)
    }
    await pause(ctx, PORT_PAUSE_MS)
  }
}

async function startOnce(docker: Docker, name: string, ctx: RunnerContext): Promise<void> {
  try {
    const start = (abortSignal: AbortSignal): Promise<unknown> =>
      docker.getContainer(name).start({ abortSignal })
    await callToEnd(ctx, `start container ${name}`, start, START_DEADLINE_MS)
  } catch (error) {
    if (!isStatus(error, 304)) throw error
  }
}

const HELD_BY_A_PROCESS = /address already in use/i
/**
 * The engine has given the port away itself: to another container, or to half a start in which it was killed. The latter it takes up
 * when it comes back, and holds until it is started once more.
 */
const HELD_BY_THE_ENGINE = /port is already allocated/i
/** A start that its engine did not survive has left a task under the container's id, of which the engine knows nothing. */
const STUCK = /\btask [0-9a-f]{64}\b.*already exists/i
const NO_ADDRESS = /no available ip(v4)? addresses/i
const CANNOT_RUN =
  /executable file not found|no such file or directory|permission denied|OCI runtime create failed/i

function startError(name: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error
  if (STUCK.test(error.message)) return new ContainerStuck(name, error)
  if (HELD_BY_A_PROCESS.test(error.message) || HELD_BY_THE_ENGINE.test(error.message)) {
    const detail = `the port of container ${name} is held by something else on the server: ${error.message}`
    return new BusinessError('port_taken_on_server', detail, { cause: error })
  }
  if (NO_ADDRESS.test(error.message)) {
    const detail = `no address is left for container ${name} in its environment's network: ${error.message}`
    return new BusinessError('subnet_full', detail, { cause: error })
  }
  if (CANNOT_RUN.test(error.message) && error.status === 400) {
    const detail = `container ${name} cannot run, exit code 127: ${error.message}`
    return new BusinessError('container_exited', detail, { cause: error })
  }
  return error
}
