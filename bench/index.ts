import { parseArgs } from 'node:util'
import { describeProblem, PlatformProblem } from '#bin/platform/problem.ts'
import { messageOf } from '#domain/errors.ts'
import { createProgress, type Progress } from '#bin/platform/progress.ts'
import { onStopRequest } from '#bin/platform/stop-request.ts'
import { measureApiLatency } from './api-latency.ts'
import { measureBuilds } from './builds.ts'
import { measureBillingRun } from './billing-run.ts'
import { measureBillingWrite } from './billing-write.ts'
import { measureClosing } from './closing.ts'
import { measureIdle } from './idle.ts'
import { measureLargeDocument } from './large-document.ts'
import { measureOrderToReady } from './order-to-ready.ts'
import { measurePeerDocuments } from './peer-documents.ts'
import { measurePreview } from './preview.ts'
import { measureRating } from './rating.ts'
import { measureReconcile } from './reconcile.ts'
import { measureSampler } from './sampler.ts'
import { measureSimulate } from './simulate.ts'
import { measureUsageIntake } from './usage-intake.ts'
import { CannotMeasure, type Benchmark } from './support/benchmark.ts'
import { describeMachine, formatReport, toReportJson, type Report } from './support/report.ts'
import { startPlatform, type Defer, type Platform } from './support/platform.ts'
import type { Measurement, NotMeasured } from './support/measurement.ts'

const benchmarks: Readonly<Record<string, { title: string; usually: string; measure: Benchmark }>> = {
  'order-to-ready': { title: 'Order to ready', usually: '90 s', measure: measureOrderToReady },
  builds: { title: 'Builds at once', usually: '3 minutes', measure: measureBuilds },
  'api-latency': { title: 'API latency', usually: '90 s', measure: measureApiLatency },
  rating: { title: 'Rating', usually: '15 s', measure: measureRating },
  'billing-run': { title: 'Billing run', usually: '4 minutes', measure: measureBillingRun },
  'billing-write': { title: 'Billing, written by hand', usually: '2 minutes', measure: measureBillingWrite },
  'large-document': { title: 'Large document', usually: '20 s', measure: measureLargeDocument },
  preview: { title: 'Preview over HTTP', usually: '30 s', measure: measurePreview },
  simulate: { title: 'Simulation', usually: '15 s', measure: measureSimulate },
  reconcile: { title: 'Reconcile', usually: '20 s', measure: measureReconcile },
  'usage-intake': { title: 'Usage intake', usually: '90 s', measure: measureUsageIntake },
  'peer-documents': {
    title: 'Documents to a peer',
    usually: '2 minutes',
    measure: measurePeerDocuments,
  },
  sampler: { title: 'Sampler', usually: '60 s', measure: measureSampler },
  closing: { title: 'Closing a metered month', usually: '8 minutes', measure: measureClosing },
  idle: { title: 'Idle', usually: '10 minutes', measure: measureIdle },
}
const platformSteps = 3

const help = `
  npm run bench [-- --json] [names]

  Starts a PostgreSQL, a Temporal server and, where none is found, a Docker engine in a temporary folder on free ports,
  measures, prints one table, and removes everything again. A missed aim is told; it is no failure.

    npm run bench                      everything, about 25 minutes
    npm run bench -- order-to-ready    one of: ${Object.keys(benchmarks).join(', ')}
    npm run bench -- billing-run --size 100000   as many documents
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

async function runBenchmarks(
  { names, size }: { names: readonly string[]; size: number | undefined },
  progress: Progress,
): Promise<Report> {
  const machine = describeMachine()
  const platform = await startPlatform(progress, (cleanup) => void platformCleanups.push(cleanup))
  const measurements: Measurement[] = []
  const notMeasured: NotMeasured[] = []
  for (const name of names) {
    try {
      measurements.push(...(await runBenchmark(name, { platform, size }, progress)))
    } catch (error) {
      if (!(error instanceof CannotMeasure)) throw error
      notMeasured.push({ measure: name, reason: error.message })
    }
  }
  return { machine, measurements, notMeasured }
}

async function runBenchmark(
  name: string,
  ctx: { platform: Platform; size: number | undefined },
  progress: Progress,
): Promise<Measurement[]> {
  const benchmark = benchmarks[name]
  if (benchmark === undefined) throw new Error(`there is no benchmark ${name}`)
  const defer: Defer = (cleanup) => void benchmarkCleanups.push(cleanup)
  return await progress.step(benchmark.title, { usually: benchmark.usually }, async (note) => {
    try {
      return await benchmark.measure({ ...ctx, defer, note })
    } finally {
      await cleanUp(benchmarkCleanups)
    }
  })
}

type Request =
  | { kind: 'run'; names: readonly string[]; size: number | undefined; isJson: boolean }
  | { kind: 'help' }
  | { kind: 'refused'; reason: string }

function readRequest(args: string[]): Request {
  const options = {
    json: { type: 'boolean', default: false },
    size: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const known = Object.keys(benchmarks)
    const unknown = positionals.filter((name) => !known.includes(name))
    if (values.help) return { kind: 'help' }
    if (unknown.length > 0)
      return {
        kind: 'refused',
        reason: `There is no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}.`,
      }
    if (values.size !== undefined && !/^[1-9]\d{0,6}$/.test(values.size))
      return { kind: 'refused', reason: `--size ${values.size} is not a number of documents.` }
    return {
      kind: 'run',
      names: positionals.length === 0 ? known : positionals,
      size: values.size === undefined ? undefined : Number(values.size),
      isJson: values.json,
    }
  } catch (error) {
    return { kind: 'refused', reason: messageOf(error) }
  }
}

async function main(): Promise<number> {
  const request = readRequest(process.argv.slice(2))
  if (request.kind === 'help') console.log(help)
  if (request.kind === 'refused') console.error(request.reason)
  if (request.kind !== 'run') return request.kind === 'help' ? 0 : 2
  const { names, size, isJson } = request
  const progress = createProgress(platformSteps + names.length, isJson ? console.error : console.log)
  const stopped = new Promise<undefined>((resolve) => onStopRequest(() => resolve(undefined)))
  try {
    const report = await Promise.race([runBenchmarks({ names, size }, progress), stopped])
    if (report === undefined) return 130
    console.log(isJson ? JSON.stringify(toReportJson(report), undefined, 2) : `\n${formatReport(report)}\n`)
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
