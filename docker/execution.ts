import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { ExecuteRequest, ExecuteResult, RunnerContext } from '#domain/runner.ts'
import { call, withoutSecrets } from './engine.ts'
import { demultiplex } from './stream.ts'

const OUTPUT_BYTES_MAX = 64 * 1024
const DEADLINE_MS = 30_000

/** Runs a command inside a running container. No shell reads the arguments, unless the command is one. */
export async function execute(
  docker: Docker,
  request: ExecuteRequest,
  ctx: RunnerContext,
): Promise<ExecuteResult> {
  const { container, argv, input, environment = {}, deadlineMs = DEADLINE_MS } = request
  const startedAt = performance.now()
  const what = `execute ${argv[0] ?? ''} in ${container}`
  return await call(
    ctx,
    what,
    async (abortSignal) => {
      const execution = await docker.getContainer(container).exec({
        Cmd: [...argv],
        Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
        AttachStdout: true,
        AttachStderr: true,
        AttachStdin: input !== undefined,
        abortSignal,
      })
      const isFed = input !== undefined
      const stream = await execution.start({ hijack: isFed, stdin: isFed, abortSignal })
      if (isFed) stream.end(input)
      const { stdout, stderr } = demultiplex(await readBounded(stream, abortSignal))
      const { ExitCode: exitCode } = await execution.inspect({ abortSignal })
      if (exitCode === null) throw new Error('it has ended and has no exit code')
      const durationMs = Math.round(performance.now() - startedAt)
      const [out, err] = [withoutSecrets(ctx, stdout), withoutSecrets(ctx, stderr)]
      return { argv: [...argv], exitCode, stdout: out, stderr: err, durationMs }
    },
    deadlineMs,
  )
}

/** Reads on to the end so that the command is not blocked, but keeps no more than the most. */
async function readBounded(stream: Readable, abortSignal: AbortSignal): Promise<Buffer> {
  const kept: Buffer[] = []
  let bytes = 0
  const stop = (): void => void stream.destroy()
  abortSignal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of stream) {
      const part = Buffer.from(chunk)
      if (bytes < OUTPUT_BYTES_MAX) kept.push(part)
      bytes += part.length
    }
  } finally {
    abortSignal.removeEventListener('abort', stop)
  }
  return Buffer.concat(kept).subarray(0, OUTPUT_BYTES_MAX)
}
