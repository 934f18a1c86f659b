import type Docker from 'dockerode'
import { z } from 'zod'
import type { PlannedInstance } from '#domain/build-plan.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { call } from '../engine.ts'
import { inspectContainers } from '../observation.ts'
import { defineSource, type MetricPass, type SourceReading } from './source.ts'

/** What the engine has counted of a container since it was started. */
export interface ContainerCounters {
  /** The start belongs to the series: a restarted container counts from zero. */
  readonly series: string
  readonly counted: z.output<typeof countedSchema>
}

/** The parts of the engine's answer that are read. Which of the others are there depends on its version and on cgroups. */
const countedSchema = z.object({
  networks: z.record(z.string(), z.object({ rx_bytes: z.number(), tx_bytes: z.number() })).nullish(),
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({
    usage: z.number().optional(),
    stats: z.record(z.string(), z.number()).optional(),
  }),
  blkio_stats: z.object({
    io_service_bytes_recursive: z.array(z.object({ op: z.string(), value: z.number() })).nullish(),
  }),
})

export async function readCounters(
  docker: Docker,
  instance: PlannedInstance,
  ctx: RunnerContext,
): Promise<ContainerCounters[]> {
  const containers = await inspectContainers(docker, instance, ctx)
  const running = containers.filter((one) => one.State.Running)
  return await Promise.all(
    running.map(async (one) => {
      const answer: unknown = await call(ctx, `read the counters of ${one.Name}`, () =>
        docker.getContainer(one.Id).stats({ stream: false, 'one-shot': true }),
      )
      return {
        series: `container:${one.Id}@${one.State.StartedAt}`,
        counted: countedSchema.parse(answer),
      }
    }),
  )
}

const deadlineMs = 10_000

function ofEach(
  unit: string,
  value: (counted: ContainerCounters['counted']) => string,
): (pass: MetricPass) => Promise<SourceReading[]> {
  return async (pass) =>
    (await pass.counters()).map(({ series, counted }) => ({ series, unit, value: value(counted) }))
}

/** Bytes received and sent. */
export const engineNetwork = defineSource({
  type: 'engine-network',
  schema: z.strictObject({ type: z.literal('engine-network') }),
  imagined: 'each container',
  deadlineMs,
  read: ofEach('B', ({ networks }) => {
    const cards = Object.values(networks ?? {})
    return String(cards.reduce((sum, card) => sum + BigInt(card.rx_bytes) + BigInt(card.tx_bytes), 0n))
  }),
})

/** Seconds of one processor. */
export const engineCpu = defineSource({
  type: 'engine-cpu',
  schema: z.strictObject({ type: z.literal('engine-cpu') }),
  imagined: 'each container',
  deadlineMs,
  read: ofEach('second', ({ cpu_stats: { cpu_usage: usage } }) => fromNanoseconds(BigInt(usage.total_usage))),
})

function fromNanoseconds(nanoseconds: bigint): string {
  return `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`
}

/** Bytes held, without what the kernel caches of files and gives back at once, as `docker stats` counts them. */
export const engineMemory = defineSource({
  type: 'engine-memory',
  schema: z.strictObject({ type: z.literal('engine-memory') }),
  imagined: 'each container',
  deadlineMs,
  read: ofEach('B', ({ memory_stats: { usage = 0, stats = {} } }) => {
    const cached = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0
    return String(BigInt(Math.max(0, usage - cached)))
  }),
})

/** Bytes read from and written to disks. */
export const engineBlockIo = defineSource({
  type: 'engine-block-io',
  schema: z.strictObject({ type: z.literal('engine-block-io') }),
  imagined: 'each container',
  deadlineMs,
  read: ofEach('B', ({ blkio_stats: { io_service_bytes_recursive: entries } }) => {
    const moved = (entries ?? []).filter(({ op }) => /^(read|write)$/i.test(op))
    return String(moved.reduce((sum, { value }) => sum + BigInt(value), 0n))
  }),
})
