import type Docker from 'dockerode'
import { BusinessError } from '#domain/errors.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { callToEnd, EngineError, isStatus, pause } from './engine.ts'

const START_DEADLINE_MS = 60_000

/** An engine that was killed and came back holds its containers' ports for a moment yet, itself or through what died with it. */
const PORT_TRIES = 5
const PORT_PAUSE_MS = 500

/** Running already is a success. @throws `port_taken_on_server` when it stays taken, `container_exited` for what cannot run */
export async function startContainer(docker: Docker, name: string, ctx: RunnerContext): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(docker, name, ctx)
    } catch (error) {
      const isTaken = error instanceof EngineError && PORT_TAKEN.test(error.message)
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

const PORT_TAKEN = /port is already allocated|address already in use/i
const NO_ADDRESS = /no available ip(v4)? addresses/i
const CANNOT_RUN =
  /executable file not found|no such file or directory|permission denied|OCI runtime create failed/i

function startError(name: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error
  if (PORT_TAKEN.test(error.message)) {
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
