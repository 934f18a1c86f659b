import type Docker from 'dockerode'
import { BusinessError, messageOf } from '#domain/errors.ts'
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

/** The refusal for containers that run and do not get ready: what is missing, and the last lines that they wrote. */
export async function notReady(
  docker: Docker,
  { names, why }: { names: readonly string[]; why: string },
  ctx: RunnerContext,
): Promise<BusinessError> {
  const logs = await Promise.all(
    names.map(
      async (name) => `container ${name} wrote:\n${(await logTail(docker, name, ctx)) || '(nothing)'}`,
    ),
  )
  return new BusinessError('not_ready_in_time', `${why}. Its last lines:\n${logs.join('\n')}`)
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
    return `(the log could not be read: ${messageOf(error)})`
  }
}
