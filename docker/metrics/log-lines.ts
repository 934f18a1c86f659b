import Big from 'big.js'
import type Docker from 'dockerode'
import { z } from 'zod'
import { containerName } from '#domain/build-plan.ts'
import { matchesPattern } from '#domain/log-line.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { objectName } from '../compose/object-name.ts'
import { ask, call, pause } from '../engine.ts'
import { findContainer } from '../observation.ts'
import { frames } from '../stream.ts'
import { defineSource, type MetricPass } from './source.ts'

/** So far into a line the pattern is looked for. */
const LINE_CHARACTERS_MAX = 4_000
export const LOG_DEADLINE_MS = 30_000
/** A line is stamped before it is written; so long after an instant all lines that are stamped before it can be read. */
const SETTLING_MS = 100
const MOST_BEHIND_MS = 5_000

const pattern = z
  .string()
  .regex(/^\P{Cc}{1,200}$/u, 'is not 1 to 200 characters of one line')
  .regex(/[^*\s]/u, 'names no text; write what the lines hold, with * for what may stand between')

/**
 * Lines of a service's log that hold a pattern, both streams, each counted exactly once: a look adds the lines that the engine
 * stamped after the instant of the look before it, up to its own instant, to what was stored with that one. So a sampler that was
 * away, was started anew, or looks twice at a time comes to the same counts. Lines of a container that stopped or is started
 * again are counted as well; of a new container of the instance from its first line on. Counting begins with the first look.
 *
 * Exact as long as the engine still has what was written between two looks: it keeps the last 30 MB of containers that are
 * built here. What a container writes after the last look before it is removed is not counted, as of every source.
 */
export const logLines = defineSource({
  type: 'log-lines',
  schema: z.strictObject({ type: z.literal('log-lines'), service: objectName, pattern }),
  imagined: 'service',
  deadlineMs: LOG_DEADLINE_MS,
  counts: true,
  async read({ docker, ref, ctx, earlier, log }, metric, source) {
    const found = await findContainer(docker, containerName(ref.instance, source.service), ctx)
    if (found === undefined) return []
    const series = `log:${found.Id}`
    const before = countedBefore(earlier.newest.get(metric.code), series)
    if (before === undefined) return [{ series, value: '0', unit: metric.unit }]
    const lines = await log(found, before.until)
    const [after, until] = [before.until && stampOf(before.until), stampOf(earlier.sampledAt)]
    const count = lines.filter(
      ({ stamp, text }) =>
        (after === null || stamp > after) && stamp <= until && matchesPattern(text, source.pattern),
    ).length
    return [{ series, value: new Big(before.value).plus(count).toFixed(), unit: metric.unit }]
  },
})

interface Counted {
  readonly value: string
  /** Instant; null: nothing was counted of this container. */
  readonly until: string | null
}

/** Undefined where the metric was never read: its counting begins now. */
function countedBefore(
  readings: NonNullable<ReturnType<MetricPass['earlier']['newest']['get']>> = [],
  series: string,
): Counted | undefined {
  if (readings.length === 0) return undefined
  const [newest] = readings
    .filter((reading) => reading.series === series)
    .toSorted((first, second) => (first.sampledAt < second.sampledAt ? 1 : -1))
  return newest ? { value: newest.value, until: newest.sampledAt } : { value: '0', until: null }
}

/** What a container wrote since an instant, once all that was written up to the look can be read. */
export async function readLines(
  docker: Docker,
  {
    container,
    since,
    sampledAt,
  }: { container: Docker.ContainerInspectInfo; since: string | null; sampledAt: string },
  ctx: RunnerContext,
): Promise<StampedLine[]> {
  await untilEngineIsPast(docker, sampledAt, ctx)
  const log = await readSince(docker, container.Id, since, ctx)
  return container.Config.Tty ? linesOfTerminal(log) : linesOf(log)
}

/** Lines are stamped by the engine's clock: one that is behind would stamp lines of a time that was counted already. */
async function untilEngineIsPast(docker: Docker, instant: string, ctx: RunnerContext): Promise<void> {
  const info: unknown = await call(ctx, 'ask for the time', (abortSignal) => ask(docker, 'info', abortSignal))
  const { SystemTime: time } = z.object({ SystemTime: z.string() }).parse(info)
  const behindMs = Date.parse(instant) - Date.parse(time)
  if (behindMs > MOST_BEHIND_MS)
    throw new Error(`the engine's clock is ${Math.round(behindMs / 1_000)} s behind: set it right`)
  if (behindMs + SETTLING_MS > 0) await pause(ctx, behindMs + SETTLING_MS)
}

/** From a second earlier on: the beginning of a line whose later parts are stamped after the instant is seen as well. */
async function readSince(
  docker: Docker,
  id: string,
  since: string | null,
  ctx: RunnerContext,
): Promise<Buffer> {
  const options = {
    stdout: true,
    stderr: true,
    timestamps: true,
    ...(since === null ? {} : { since: Math.floor(Date.parse(since) / 1_000) - 1 }),
  }
  const raw = await call(
    ctx,
    'read a log',
    (abortSignal) => docker.getContainer(id).logs({ ...options, abortSignal }),
    LOG_DEADLINE_MS,
  )
  return Buffer.from(raw)
}

export interface StampedLine {
  readonly stamp: string
  readonly text: string
}

/** The engine hands on a long line in parts, each stamped, of which the last one ends the line: the first one stands for it. */
export function linesOf(log: Buffer): StampedLine[] {
  const isWithin = { stdout: false, stderr: false }
  return frames(log).flatMap(({ stream, text }) => {
    const isRest = isWithin[stream]
    isWithin[stream] = !text.endsWith('\n')
    return isRest ? [] : stamped(text)
  })
}

function linesOfTerminal(log: Buffer): StampedLine[] {
  return log.toString('utf8').split('\n').flatMap(stamped)
}

/** `2026-11-25T10:00:00.123456789Z what it wrote`: the engine puts the instant before each line. */
function stamped(line: string): StampedLine[] {
  const [all = '', stamp] = /^(\d{4}-\S+Z) ?/.exec(line) ?? []
  return stamp === undefined ? [] : [{ stamp, text: line.slice(all.length).slice(0, LINE_CHARACTERS_MAX) }]
}

/** As the engine writes it, with nine digits: such stamps come in the order of their characters. */
function stampOf(instant: string): string {
  return new Date(instant).toISOString().replace('Z', '000000Z')
}
