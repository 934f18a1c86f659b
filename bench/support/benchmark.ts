import type { Note } from '#bin/platform/progress.ts'
import type { Measurement } from './measurement.ts'
import type { Defer, Platform } from './platform.ts'

export interface BenchContext {
  readonly platform: Platform
  /** Done when this benchmark is over, newest first, before the next one begins. */
  readonly defer: Defer
  readonly note: Note
  /** How much of what it measures, where a benchmark lets one say: documents of a run. */
  readonly size: number | undefined
}

export type Benchmark = (ctx: BenchContext) => Promise<Measurement[]>

/** This machine lacks what the benchmark needs; the others go on. */
export class CannotMeasure extends Error {}
