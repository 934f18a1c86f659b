import type Docker from 'dockerode'
import { z } from 'zod'
import type { MetricDefinition } from '#domain/application.ts'
import { containerName, volumeName } from '#domain/build-plan.ts'
import type { InstanceRef, MetricReading, RunnerContext } from '#domain/runner.ts'
import { call, EngineError, pause } from './engine.ts'
import { execute } from './execution.ts'
import { findContainer, inspectContainers } from './observation.ts'

const DISK_DEADLINE_MS = 120_000
const DISK_TRIES_MAX = 10

/** Bytes by volume name, as the engine counts them. */
export type DiskUsage = () => Promise<ReadonlyMap<string, number>>

/**
 * Raw readings of all metrics of an instance. A container that does not run has no counter and yields no reading; its volumes are
 * measured whether it runs or not.
 */
export async function readMetrics(
  docker: Docker,
  diskUsage: DiskUsage,
  ref: InstanceRef,
  ctx: RunnerContext,
): Promise<MetricReading[]> {
  const readings = ref.definition.metrics.map(async (metric) => {
    const { source } = metric
    if (source.type === 'engine-network') return await readNetwork(docker, ref, metric, ctx)
    if (source.type === 'volume-disk')
      return await readDisk(diskUsage, volumeName(ref.instance, source.volume), metric)
    return await readCommand(docker, containerName(ref.instance, source.service), source.command, metric, ctx)
  })
  return (await Promise.all(readings)).flat()
}

async function readNetwork(
  docker: Docker,
  ref: InstanceRef,
  metric: MetricDefinition,
  ctx: RunnerContext,
): Promise<MetricReading[]> {
  const containers = await inspectContainers(docker, ref.instance, ctx)
  const running = containers.filter((one) => one.State.Running)
  return await Promise.all(
    running.map(async (one) => {
      const stats = await call(ctx, `read the counters of ${one.Name}`, () =>
        docker.getContainer(one.Id).stats({ stream: false, 'one-shot': true }),
      )
      const bytes = Object.values(stats.networks ?? {}).reduce(
        (sum, card) => sum + BigInt(card.rx_bytes) + BigInt(card.tx_bytes),
        0n,
      )
      // The start belongs to the series: a restarted container counts from zero in a network space of its own.
      const series = `container:${one.Id}@${one.State.StartedAt}`
      return reading(metric, series, String(bytes), 'B', 'engine-network')
    }),
  )
}

async function readDisk(
  diskUsage: DiskUsage,
  volume: string,
  metric: MetricDefinition,
): Promise<MetricReading[]> {
  const bytes = (await diskUsage()).get(volume)
  if (bytes === undefined) return []
  return [reading(metric, `volume:${volume}`, String(bytes), 'B', 'volume-disk')]
}

async function readCommand(
  docker: Docker,
  container: string,
  command: readonly string[],
  metric: MetricDefinition,
  ctx: RunnerContext,
): Promise<MetricReading[]> {
  const found = await findContainer(docker, container, ctx)
  if (found === undefined || !found.State.Running) return []
  const { exitCode, stdout, stderr } = await execute(docker, { container, argv: command }, ctx)
  const value = stdout.trim()
  if (exitCode !== 0 || !/^\d{1,30}(\.\d{1,20})?$/.test(value)) {
    throw new Error(`metric ${metric.code}: ${command[0]} ended with ${exitCode}: ${stderr || value}`)
  }
  return [reading(metric, `command:${found.Id}`, value, metric.unit, 'command')]
}

function reading(
  metric: MetricDefinition,
  series: string,
  value: string,
  unit: string,
  source: MetricReading['source'],
): MetricReading {
  return { metric: metric.code, series, value, unit, source, readAt: new Date().toISOString() }
}

/**
 * The engine measures all its volumes at once and refuses to do it twice at a time, so callers at the same moment share one
 * answer. The API's filter for volumes alone exists from 1.42 on only; older engines answer with everything.
 */
export function createDiskUsage(docker: Docker): (ctx: RunnerContext) => DiskUsage {
  let underWay: Promise<ReadonlyMap<string, number>> | undefined
  return (ctx) => async () => {
    underWay ??= measureDisk(docker, ctx).finally(() => (underWay = undefined))
    return await underWay
  }
}

async function measureDisk(docker: Docker, ctx: RunnerContext): Promise<ReadonlyMap<string, number>> {
  for (let tries = 1; ; tries++) {
    try {
      const answer: unknown = await call(ctx, 'measure volumes', () => docker.df(), DISK_DEADLINE_MS)
      return volumeSizes(answer)
    } catch (error) {
      const isBusy = error instanceof EngineError && /already running/.test(error.message)
      if (!isBusy || tries >= DISK_TRIES_MAX) throw error
      await pause(ctx, 200 * tries)
    }
  }
}

const diskAnswer = z.object({
  Volumes: z
    .array(z.object({ Name: z.string(), UsageData: z.object({ Size: z.number() }).nullish() }))
    .nullish(),
})

/** A size of -1 says that the engine could not measure the volume: no reading is better than a wrong one. */
function volumeSizes(answer: unknown): ReadonlyMap<string, number> {
  const volumes = diskAnswer.parse(answer).Volumes ?? []
  const sized = volumes.map(({ Name: name, UsageData: usage }) => [name, usage?.Size ?? -1] as const)
  return new Map(sized.filter(([, bytes]) => bytes >= 0))
}
