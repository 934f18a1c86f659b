import { parseArgs } from 'node:util'
import { describeProblem, PlatformProblem } from '#bin/platform/problem.ts'
import { createProgress, type Progress } from '#bin/platform/progress.ts'
import { onStopRequest } from '#bin/platform/stop-request.ts'
import { measureApiLatency } from './api-latency.ts'
import { measureIdle } from './idle.ts'
import { measureOrderToReady } from './order-to-ready.ts'
import { CannotMeasure, type Benchmark } from './support/benchmark.ts'
import { describeMachine, formatReport, toReportJson, type Report } from './support/report.ts'
import { startPlatform, type Defer, type Platform } from './support/platform.ts'
import type { Measurement, NotMeasured } from './support/measurement.ts'

const benchmarks: Readonly<Record<string, { title: string; usually: string; measure: Benchmark }>> = {
  'order-to-ready': { title: 'Order to ready', usually: '90 s', measure: measureOrderToReady },
  'api-latency': { title: 'API latency', usually: '90 s', measure: measureApiLatency },
  idle: { title: 'Idle', usually: '10 minutes', measure: measureIdle },
}
const platformSteps = 3

const help = `
  npm run bench [-- --json] [names]

  Starts a PostgreSQL, a Temporal server and, where none is found, a Docker engine in a temporary folder on free ports,
  measures, prints one table, and removes everything again. A missed aim is told; it is no failure.

    npm run bench                      everything, about a quarter of an hour
    npm run bench -- order-to-ready    one of: ${Object.keys(benchmarks).join(', ')}
    npm run bench --silent -- --json   for programs, with every repetition; progress goes to stderr
`

/** What was started, in order; it is stopped the other way round. */
const platformCleanups: (() => unknown)[] = []
const benchmarkCleanups: (() => unknown)[] = []

async function cleanUp(cleanups: (() => unknown)[]): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) {
    try {
      await cleanup()
    } catch (error) {
      // What comes after must be stopped all the same.
      console.error('could not clean up:', error)
    }
  }
}

async function runBenchmarks(names: readonly string[], progress: Progress): Promise<Report> {
  const machine = describeMachine()
  const platform = await startPlatform(progress, (cleanup) => void platformCleanups.push(cleanup))
  const measurements: Measurement[] = []
  const notMeasured: NotMeasured[] = []
  for (const name of names) {
    try {
      measurements.push(...(await runBenchmark(name, platform, progress)))
    } catch (error) {
      if (!(error instanceof CannotMeasure)) throw error
      notMeasured.push({ measure: name, reason: error.message })
    }
  }
  return { machine, measurements, notMeasured }
}

async function runBenchmark(name: string, platform: Platform, progress: Progress): Promise<Measurement[]> {
  const benchmark = benchmarks[name]
  if (benchmark === undefined) throw new Error(`there is no benchmark ${name}`)
  const defer: Defer = (cleanup) => void benchmarkCleanups.push(cleanup)
  return await progress.step(benchmark.title, { usually: benchmark.usually }, async (note) => {
    const measured = await benchmark.measure({ platform, defer, note })
    await cleanUp(benchmarkCleanups)
    return measured
  })
}

/** The names that were given, or all; undefined after a word about what is wrong. */
function readNames(given: readonly string[]): readonly string[] | undefined {
  const unknown = given.filter((name) => !(name in benchmarks))
  if (unknown.length === 0) return given.length === 0 ? Object.keys(benchmarks) : given
  console.error(
    `There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}.`,
  )
  return undefined
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowPositionals: true,
  })
  if (values.help) {
    console.log(help)
    return 0
  }
  const names = readNames(positionals)
  if (names === undefined) return 2
  const progress = createProgress(platformSteps + names.length, values.json ? console.error : console.log)
  const stopped = new Promise<undefined>((resolve) => onStopRequest(() => resolve(undefined)))
  try {
    const report = await Promise.race([runBenchmarks(names, progress), stopped])
    if (report === undefined) return 130
    console.log(
      values.json ? JSON.stringify(toReportJson(report), undefined, 2) : `\n${formatReport(report)}\n`,
    )
    return 0
  } catch (error) {
    console.error(error instanceof PlatformProblem ? `\n${describeProblem(error.facts)}\n` : error)
    return 1
  } finally {
    await cleanUp(benchmarkCleanups)
    await cleanUp(platformCleanups)
  }
}

process.exit(await main())
