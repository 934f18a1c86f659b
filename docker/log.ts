import type Docker from 'dockerode'
import { containerName } from '#domain/build-plan.ts'
import { chooseLines, levelOf, type LogLine, type LogRequest } from '#domain/log-line.ts'
import type { InstanceRef, RunnerContext } from '#domain/runner.ts'
import { call, withoutSecrets } from './engine.ts'
import { findContainer } from './observation.ts'
import { frames } from './stream.ts'

/** So many of the newest lines of a container are looked through; the rest is for a log store to keep. */
const TAIL_LINES = 5_000
const LINE_CHARACTERS_MAX = 4_000
const DEADLINE_MS = 30_000

/** Lines of an instance's containers, without its secrets. A container that is not there has none. */
export async function readLog(
  docker: Docker,
  { definition, instance }: InstanceRef,
  request: LogRequest,
  ctx: RunnerContext,
): Promise<LogLine[]> {
  const lines: LogLine[] = []
  for (const { name: service } of definition.services) {
    if (request.service !== null && request.service !== service) continue
    const container = containerName(instance, service)
    ctx.onProgress(`reading the log of ${container}`)
    lines.push(...(await readContainer(docker, { service, container }, request, ctx)))
  }
  return chooseLines(lines, request)
}

async function readContainer(
  docker: Docker,
  { service, container }: { service: string; container: string },
  { since }: LogRequest,
  ctx: RunnerContext,
): Promise<LogLine[]> {
  const found = await findContainer(docker, container, ctx)
  if (found === undefined) return []
  const options = {
    stdout: true,
    stderr: true,
    timestamps: true,
    tail: TAIL_LINES,
    ...(since === null ? {} : { since: Math.floor(Date.parse(since) / 1_000) }),
  }
  const raw = await call(
    ctx,
    `read the log of ${container}`,
    (abortSignal) => docker.getContainer(found.Id).logs({ ...options, abortSignal }),
    DEADLINE_MS,
  )
  const written = found.Config.Tty
    ? [{ stream: 'stdout' as const, text: Buffer.from(raw).toString('utf8') }]
    : frames(Buffer.from(raw))
  return written.flatMap(({ stream, text }) =>
    text.split('\n').flatMap((line) => toLine(line, { service, stream }, ctx) ?? []),
  )
}

/** `2026-11-25T10:00:00.123456789Z what it wrote`: the engine puts the instant before each line. */
function toLine(
  line: string,
  of: Pick<LogLine, 'service' | 'stream'>,
  ctx: RunnerContext,
): LogLine | undefined {
  const [, at, written = ''] = /^(\d{4}-\S+Z) ?(.*?)\r?$/s.exec(line) ?? []
  if (at === undefined) return undefined
  // Escape sequences and other control characters would act on the terminal of whoever reads.
  const text = withoutSecrets(ctx, written.replaceAll(/\p{Cc}\[[0-9;]*[A-Za-z]|(?!\t)\p{Cc}/gu, ''))
  return { ...of, at, level: levelOf(text), text: text.slice(0, LINE_CHARACTERS_MAX) }
}
