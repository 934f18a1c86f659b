import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { z } from 'zod'
import { addressOf, sellDemo } from '#bin/demo-sale.ts'
import { readConfiguration, startHelp } from '#bin/platform/configuration.ts'
import { ensureDataFolder, writePrivateFile } from '#bin/platform/data-folder.ts'
import { requirePort } from '#bin/platform/ports.ts'
import { PlatformProblem, describeProblem, isDiskFull } from '#bin/platform/problem.ts'
import { messageOf } from '#domain/errors.ts'
import { tailOf } from '#bin/platform/process.ts'
import { createProgress } from '#bin/platform/progress.ts'
import { claimRun } from '#bin/platform/run-state.ts'
import { findPlatform } from '#bin/platform/services.ts'
import { onStopRequest } from '#bin/platform/stop-request.ts'
import { supervise } from '#bin/platform/supervisor.ts'
import { projectFolder } from '#bin/platform/tools.ts'
import { dataFolderOf } from '#bin/clouder/settings.ts'
import { dryRunBanner, welcome } from '#bin/welcome.ts'
import type { DemoSale } from '#bin/demo-sale.ts'
import type { Configuration } from '#bin/platform/configuration.ts'
import type { Platform, StartContext } from '#bin/platform/services.ts'

const steps = 9
const readyTimeoutMs = 90_000
const demoCustomer = 'harbour-bakery'
const demoProduct = 'static-site'
const cliSchema = z.object({ apiUrl: z.string(), apiKey: z.string() })

async function prepareServices({ progress, configuration }: StartContext, platform: Platform): Promise<void> {
  await progress.step(
    'Database schema',
    {
      usually: '2 s',
      outcome: (applied) => (applied.length === 0 ? 'up to date' : `${applied.length} migrations`),
    },
    async () => {
      const { migrate } = await import('#db/migrate.ts')
      return migrate(platform.databaseUrl)
    },
  )
  await progress.step('Search attributes', { usually: '2 s' }, async () => {
    const { registerSearchAttributes } = await import('#bin/search-attributes.ts')
    const connection = await Connection.connect({ address: platform.temporalAddress })
    try {
      await registerSearchAttributes(connection, configuration.temporalNamespace)
    } finally {
      await connection.close()
    }
  })
}

/** The worker first: it is stopped after the API, so that nothing accepted waits for nobody. */
async function startOurs(ctx: StartContext, env: NodeJS.ProcessEnv): Promise<void> {
  await ctx.progress.step('API and worker', { usually: '10 s' }, async () => {
    for (const name of ['worker', 'api']) {
      const logFile = join(ctx.data.logs, `${name}.log`)
      // One earlier log is kept; the new one begins empty, so what it says was said by this start.
      if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`)
      supervise({ name, entry: join(projectFolder, 'bin', `${name}.ts`), env, logFile }, ctx)
    }
    const until = Date.now() + readyTimeoutMs
    while (!(await isReady(ctx))) {
      if (Date.now() > until) throw notReady(ctx)
      await sleep(150)
    }
  })
}

/** The API says so over HTTP, the worker in its log: it has no port. */
async function isReady({ apiUrl, data }: StartContext): Promise<boolean> {
  if (!tailOf(join(data.logs, 'worker.log'), 50).includes('worker ready')) return false
  const res = await fetch(`${apiUrl}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
  return res?.status === 200
}

function notReady({ apiUrl, data }: StartContext): PlatformProblem {
  const logs = ['api.log', 'worker.log'].map((name) => join(data.logs, name))
  const words = logs.map((log) => `${log}:\n${tailOf(log, 8)}`).join('\n')
  return new PlatformProblem({
    found: `API and worker are not ready after ${readyTimeoutMs / 1000} s. Their last words:\n${words}\n`,
    wanted: `${apiUrl}/readyz answers 200, and the worker says that it is ready.`,
    command: `tail -50 ${logs.join(' ')}`,
    stillWorks: 'The data is untouched; npm start again once the cause is gone.',
  })
}

function childEnv({ configuration, data, apiUrl }: StartContext, platform: Platform): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CLOUDER_DATABASE_URL: platform.databaseUrl,
    CLOUDER_TEMPORAL_ADDRESS: platform.temporalAddress,
    CLOUDER_TEMPORAL_NAMESPACE: configuration.temporalNamespace,
    CLOUDER_TEMPORAL_UI_URL: platform.temporalUiUrl ?? '',
    CLOUDER_HOST: configuration.host,
    CLOUDER_PORT: String(configuration.port),
    CLOUDER_PUBLIC_URL: apiUrl,
    CLOUDER_DATA: data.path,
    CLOUDER_KEY_FILE: data.keyFile,
    CLOUDER_RUNNER: platform.dockerHost === undefined ? 'dry-run' : 'docker',
    CLOUDER_BUSYBOX: platform.busybox ?? '',
    ...(platform.dockerHost === undefined ? {} : { DOCKER_HOST: platform.dockerHost }),
  }
}

/** The key is made and shown once; the file keeps it for `npx clouder`, whose address may change. */
function rememberKey({ data, apiUrl }: StartContext, newKey: string | undefined): string {
  const file = join(data.path, 'cli.json')
  const known = existsSync(file) ? cliSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).apiKey : undefined
  const apiKey = newKey ?? known
  if (apiKey === undefined) throw new Error(`${file} is gone, and a key is shown only once`)
  writePrivateFile(file, `${JSON.stringify({ apiUrl, apiKey }, undefined, 2)}\n`)
  return apiKey
}

async function sellFirst(ctx: StartContext, apiKey: string): Promise<DemoSale | undefined> {
  if (!ctx.configuration.hasDemo) return undefined
  const { progress, apiUrl } = ctx
  return progress.step(
    'Demo subscription',
    { usually: '10 s, a minute when images are pulled', outcome: tellSale },
    () => sellDemo({ apiUrl, apiKey, customer: demoCustomer, product: demoProduct, write: progress.line }),
  )
}

/** As a person in this folder would type it. */
function shortPath(path: string): string {
  const short = relative('', path)
  return short.startsWith('..') ? path : `./${short}`
}

function tellSale({ phase, parked_reason: reason }: DemoSale): string {
  return reason === null ? phase : `${phase}, and waits for you: ${reason}`
}

/** Everything from an empty folder, or from what an earlier start left, to a Clouder that is in use. */
async function bringUp(ctx: StartContext, startedAt: number): Promise<void> {
  const dependencies = process.env['CLOUDER_DEPENDENCIES'] ?? 'as locked'
  await ctx.progress.step(
    'Dependencies',
    { usually: '80 s', outcome: () => dependencies },
    async () => undefined,
  )
  const platform = await findPlatform(ctx)
  await prepareServices(ctx, platform)
  await startOurs(ctx, childEnv(ctx, platform))
  const seeded = await ctx.progress.step('Demo catalog', { usually: '5 s' }, async () => {
    const { seed } = await import('#bin/seed.ts')
    return seed({ databaseUrl: platform.databaseUrl, apiUrl: ctx.apiUrl })
  })
  const apiKey = rememberKey(ctx, seeded.apiKey)
  const demo = await sellFirst(ctx, apiKey)
  ctx.run.addFacts({ console: ctx.apiUrl })
  ctx.progress.line(
    welcome({
      consoleUrl: ctx.apiUrl,
      loginUrl: seeded.loginUrl,
      // Shown once; afterwards only where to find it.
      apiKey: seeded.apiKey ?? `in ${shortPath(join(ctx.data.path, 'cli.json'))}`,
      temporalUiUrl: platform.temporalUiUrl,
      subscriptionId: demo?.id,
      // A dry run deploys nothing, so nothing answers at the address that was planned.
      appUrl: platform.dockerHost === undefined ? undefined : addressOf(demo),
      customer: demoCustomer,
      dataFolder: shortPath(ctx.data.path),
      toldFolder: ctx.data.path === dataFolderOf({}) ? undefined : ctx.data.path,
      seconds: Math.round((Date.now() - startedAt) / 1000),
    }),
  )
  if (platform.dockerHost === undefined) ctx.progress.line(dryRunBanner)
}

/** Runs until somebody asks to stop or something cannot be helped; then stops what was started, in order. */
async function run(configuration: Configuration): Promise<number> {
  const startedAt = Date.now()
  const ended = Promise.withResolvers<{ code: number; reason: string }>()
  const ending = new AbortController()
  onStopRequest((reason) => ended.resolve({ code: 130, reason }))
  const data = ensureDataFolder(configuration.dataFolder)
  const claimed = await claimRun(data.path, (names) =>
    console.log(`  An earlier start ended without stopping; ended what it left: ${names.join(', ')}.`),
  )
  const ctx: StartContext = {
    configuration,
    data,
    run: claimed,
    // What is still being brought up when the stop begins may fail, and nobody wants to read about it.
    progress: createProgress(steps, (line) => ending.signal.aborted || console.log(line)),
    apiUrl: apiUrlOf(configuration),
    ending: ending.signal,
    giveUp: (reason) => ended.resolve({ code: 1, reason }),
  }
  try {
    await requirePort(configuration.port, 'CLOUDER_PORT')
    await Promise.race([bringUp(ctx, startedAt), ended.promise])
    const { code, reason } = await ended.promise
    console.log(`\n  ${reason}: stopping API, worker, Temporal, PostgreSQL, in this order …`)
    return code
  } finally {
    ending.abort()
    const stoppingAt = Date.now()
    const stopped = await claimed.stopAll()
    const seconds = ((Date.now() - stoppingAt) / 1000).toFixed(1)
    const names = stopped.join(', ')
    if (stopped.length > 0)
      console.log(`  Stopped ${names} in ${seconds} s. Deployed containers keep running.`)
  }
}

function apiUrlOf({ host, port }: Configuration): string {
  if (['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost'].includes(host)) return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** A problem of the machine is explained; anything else is a bug and shows its stack. */
function reportFailure(error: unknown): void {
  if (error instanceof PlatformProblem) return console.error(`\n${describeProblem(error.facts)}\n`)
  if (!isDiskFull(error)) return console.error(error)
  const facts = {
    found: `The disk is full: ${messageOf(error)}.`,
    wanted: '1 GiB or more where the data folder is.',
    command: 'CLOUDER_DATA=/a/bigger/disk/clouder npm start   # or make room and start again',
    stillWorks: 'What was deployed keeps running; the data is as it was.',
  }
  return console.error(`\n${describeProblem(facts)}\n`)
}

async function main(): Promise<number> {
  const read = readConfiguration(process.argv.slice(2), process.env)
  if (read.kind === 'help') {
    console.log(startHelp)
    return 0
  }
  if (read.kind === 'refused') {
    const reasons = read.reasons.map((reason) => `    ${reason}`).join('\n')
    console.error(
      `\n  This cannot be started:\n${reasons}\n\n  npm start -- --help explains every option and variable.\n`,
    )
    return 2
  }
  try {
    return await run(read.configuration)
  } catch (error) {
    reportFailure(error)
    return 1
  }
}

process.exit(await main())
