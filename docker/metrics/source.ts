import type Docker from 'dockerode'
import type { z } from 'zod'
import type { MetricDefinition } from '#domain/application.ts'
import type { DataSourceKind, ReachedDataSource } from '#domain/data-source.ts'
import { BusinessError } from '#domain/errors.ts'
import type { EarlierReadings, InstanceRef, RunnerContext } from '#domain/runner.ts'
import type { DiskUsage } from './disk-usage.ts'
import type { ContainerCounters } from './engine-counters.ts'
import type { Endpoint, EndpointAnswer } from './http.ts'
import type { StampedLine } from './log-lines.ts'

/** One look at one instance. What several metrics need of it is asked once. */
export interface MetricPass {
  /** Up to when each metric was read before, for sources that keep history; without it only the present is asked. */
  readonly since?: ReadonlyMap<string, string> | undefined
  /** What was stored before, for sources that go on from there. */
  readonly earlier: EarlierReadings
  readonly docker: Docker
  readonly ref: InstanceRef
  readonly ctx: RunnerContext
  readonly diskUsage: DiskUsage
  /** Of every container that runs. */
  readonly counters: () => Promise<readonly ContainerCounters[]>
  /** Undefined when the container does not run. */
  readonly answer: (endpoint: Endpoint) => Promise<EndpointAnswer | undefined>
  /** A database elsewhere, of one of the kinds. @throws why it was not reached */
  readonly dataSource: (code: string, kinds: readonly DataSourceKind[]) => ReachedDataSource
  /** Lines of a container's log, from an instant on; null: from its first one on. */
  readonly log: (
    container: Docker.ContainerInspectInfo,
    since: string | null,
  ) => Promise<readonly StampedLine[]>
}

/** One value of one series; see `MetricReading`. */
export interface SourceReading {
  readonly series: string
  /** Decimal. */
  readonly value: string
  readonly unit: string
  /** The instant it is of, where a source keeps history; left out, it is of now. */
  readonly at?: string
}

/** What the dry run has one value of: each container that runs, the source's volume, or its service's container, or an answer from elsewhere. */
export type Imagined = 'each container' | 'volume' | 'service' | 'elsewhere'

interface SourceOf<Schema extends z.ZodType> {
  readonly type: string
  /** Of the source's block in `x-clouder`. */
  readonly schema: Schema
  readonly imagined: Imagined
  readonly deadlineMs: number
  /** It counts things one by one: its metric is a counter, in a unit of such things. */
  readonly counts?: true
  /** @throws an `Error` that says why there is no value; what does not run has no values, and is none */
  read(pass: MetricPass, metric: MetricDefinition, source: z.output<Schema>): Promise<SourceReading[]>
}

/** An adapter from somewhere a number stands to readings. A new one is a module and its line in `sources.ts`. */
export interface Source {
  readonly type: string
  readonly imagined: Imagined
  readonly deadlineMs: number
  readonly counts?: true
  read(pass: MetricPass, metric: MetricDefinition): Promise<SourceReading[]>
}

/** Gives an adapter its block as its own schema reads it. */
export function defineSource<Schema extends z.ZodObject>(
  source: SourceOf<Schema>,
): Source & { readonly schema: Schema } {
  return {
    ...source,
    read: async (pass, metric) => await source.read(pass, metric, source.schema.parse(metric.source)),
  }
}

/** A source that answers, and says no value. */
export function withoutValue(detail: string): BusinessError {
  return new BusinessError('reading_without_value', detail)
}

/** A number as people and programs write it, exact: `1.5e3` is 1500. */
export const plainNumber = /^\d{1,30}(?:\.\d{1,20})?$/
