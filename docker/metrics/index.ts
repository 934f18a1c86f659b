import type Docker from 'dockerode'
import type { MetricDefinition } from '#domain/application.ts'
import type { DataSources } from '#domain/data-source.ts'
import { BusinessError } from '#domain/errors.ts'
import type {
  EarlierReadings,
  InstanceRef,
  MetricReading,
  MetricsRead,
  RunnerContext,
} from '#domain/runner.ts'
import { untilAborted, withoutSecrets } from '../engine.ts'
import type { DiskUsage } from './disk-usage.ts'
import { readCounters, type ContainerCounters } from './engine-counters.ts'
import { askEndpoint, ENDPOINT_DEADLINE_MS, type EndpointAnswer } from './http.ts'
import { LOG_DEADLINE_MS, readLines, type StampedLine } from './log-lines.ts'
import type { MetricPass, Source } from './source.ts'
import { sources } from './sources.ts'

/**
 * Raw readings of all metrics of an instance, side by side. A source that fails, or has no value in its time, is told and
 * stops no other. A container that does not run has no values; its volumes and its log are looked at whether it runs or not.
 */
export async function readMetrics(
  docker: Docker,
  diskUsage: DiskUsage,
  ref: InstanceRef,
  ctx: RunnerContext,
  before: {
    readonly since?: ReadonlyMap<string, string> | undefined
    readonly earlier?: EarlierReadings | undefined
    readonly dataSources?: DataSources | undefined
  },
): Promise<MetricsRead> {
  const { since, earlier = { sampledAt: new Date().toISOString(), newest: new Map() } } = before
  const dataSource = pickDataSource(before.dataSources)
  const pass = { ...beginPass(docker, diskUsage, ref, { ctx, earlier }), since, dataSource }
  const { metrics } = ref.definition
  const read = await Promise.allSettled(metrics.map(async (metric) => await readMetric(pass, metric)))
  ctx.abortSignal.throwIfAborted()
  return {
    readings: read.flatMap((of) => (of.status === 'fulfilled' ? of.value : [])),
    failures: read.flatMap((of, index) =>
      of.status === 'fulfilled'
        ? []
        : [
            {
              metric: metrics[index]?.code ?? '',
              detail: withoutSecrets(ctx, describe(of.reason)).slice(0, 500),
              ...(of.reason instanceof BusinessError ? { code: of.reason.code } : {}),
            },
          ],
    ),
  }
}

/** What is shared ends by no deadline of a single metric: one that is late would fail the others. */
function beginPass(
  docker: Docker,
  diskUsage: DiskUsage,
  ref: InstanceRef,
  { ctx, earlier }: Pick<MetricPass, 'ctx' | 'earlier'>,
): Omit<MetricPass, 'since' | 'dataSource'> {
  let counters: Promise<readonly ContainerCounters[]> | undefined
  const answers = new Map<string, Promise<EndpointAnswer | undefined>>()
  const logs = new Map<string, Promise<readonly StampedLine[]>>()
  return {
    docker,
    ref,
    ctx,
    earlier,
    diskUsage,
    counters: async () => await (counters ??= readCounters(docker, ref.instance, ctx)),
    answer: async ({ service, port, path }) => {
      const key = `${service}:${port}${path}`
      const asked =
        answers.get(key) ??
        withinDeadline(
          ctx,
          ENDPOINT_DEADLINE_MS,
          async (own) => await askEndpoint(docker, ref, { service, port, path }, own),
        )
      answers.set(key, asked)
      return await asked
    },
    log: async (container, since) => {
      const key = `${container.Id} ${since}`
      const of = { container, since, sampledAt: earlier.sampledAt }
      const asked =
        logs.get(key) ?? withinDeadline(ctx, LOG_DEADLINE_MS, async (own) => await readLines(docker, of, own))
      logs.set(key, asked)
      return await asked
    },
  }
}

function pickDataSource(reached: DataSources = new Map()): MetricPass['dataSource'] {
  return (code, kinds) => {
    const source = reached.get(code)
    if (source === undefined)
      throw new BusinessError('data_source_unknown', `There is no data source ${code}.`)
    if (source instanceof Error) throw source
    if (kinds.includes(source.kind)) return source
    throw new BusinessError(
      'data_source_unknown',
      `The data source ${code} is of another kind: ${source.kind}.`,
    )
  }
}

async function readMetric(pass: MetricPass, metric: MetricDefinition): Promise<MetricReading[]> {
  const source = sourceOf(metric)
  const values = await withinDeadline(
    pass.ctx,
    source.deadlineMs,
    async (ctx) => await source.read({ ...pass, ctx }, metric),
  )
  const readAt = new Date().toISOString()
  return values.map((value) => ({ metric: metric.code, ...value, source: source.type, readAt }))
}

async function withinDeadline<T>(
  ctx: RunnerContext,
  deadlineMs: number,
  work: (ctx: RunnerContext) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(deadlineMs)
  const abortSignal = AbortSignal.any([ctx.abortSignal, deadline])
  try {
    return await untilAborted(work({ ...ctx, abortSignal }), abortSignal)
  } catch (error) {
    if (!deadline.aborted) throw error
    throw new Error(`no value within ${deadlineMs / 1000} s`, { cause: error })
  }
}

function sourceOf(metric: MetricDefinition): Source {
  const source = sources.find(({ type }) => type === metric.source.type)
  if (source === undefined) throw new Error(`there is no source ${metric.source.type}`)
  return source
}

/** A request that failed says why in its cause only. */
function describe(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason)
  const { cause } = reason
  return reason.message === 'fetch failed' && cause instanceof Error
    ? `not reached: ${cause.message}`
    : reason.message
}
