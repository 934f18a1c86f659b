import type Docker from 'dockerode'
import { BusinessError } from '#domain/errors.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { call, withoutSecrets } from './engine.ts'
import { demultiplex } from './stream.ts'

const LOG_LINES = 20
const LOG_CHARACTERS_MAX = 2_000

/** The refusal for a container that ended by itself: its exit code and the last lines it wrote. */
export async function containerExited(
  docker: Docker,
  found: Docker.ContainerInspectInfo,
  ctx: RunnerContext,
): Promise<BusinessError> {
  const name = found.Name.replace(/^\//, '')
  const why = found.State.OOMKilled ? ' (out of memory)' : ''
  const log = await logTail(docker, found.Id, ctx)
  return new BusinessError(
    'container_exited',
    `container ${name} ended with exit code ${found.State.ExitCode}${why}. Its last lines:\n${log || '(none)'}`,
  )
}

/** Says what happened even when the log cannot be read: the exit code alone is worth more than a failed call. */
async function logTail(docker: Docker, id: string, ctx: RunnerContext): Promise<string> {
  try {
    const raw = await call(ctx, 'read the log', (abortSignal) =>
      docker.getContainer(id).logs({ stdout: true, stderr: true, tail: LOG_LINES, abortSignal }),
    )
    const { stdout, stderr } = demultiplex(Buffer.from(raw))
    return withoutSecrets(ctx, `${stdout}${stderr}`.trim().slice(-LOG_CHARACTERS_MAX))
  } catch (error) {
    return `(the log could not be read: ${error instanceof Error ? error.message : String(error)})`
  }
}
