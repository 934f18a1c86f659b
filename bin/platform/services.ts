import { join } from 'node:path'
import { ensureBusybox } from './busybox.ts'
import { ensureDebootstrap } from './package-archive.ts'
import { ensureDocker } from './docker.ts'
import { portNear, requirePort } from './ports.ts'
import { ensurePostgres } from './postgres.ts'
import { PlatformProblem } from './problem.ts'
import { isAlive, tailOf } from './process.ts'
import { ensureTemporal } from './temporal.ts'
import { dryRunBanner } from '#bin/welcome.ts'
import type { Configuration } from './configuration.ts'
import type { DataFolder } from './data-folder.ts'
import type { DockerEngine } from './docker.ts'
import type { PostgresServer } from './postgres.ts'
import type { Note, Progress } from './progress.ts'
import type { Run } from './run-state.ts'
import type { TemporalServer } from './temporal.ts'

/** What is known after PostgreSQL, Temporal and Docker are there. */
export type Platform = {
  databaseUrl: string
  temporalAddress: string
  temporalUiUrl: string | undefined
  dockerHost: string | undefined
  busybox: string | undefined
}

/** What every part of a start needs. */
export type StartContext = {
  configuration: Configuration
  data: DataFolder
  run: Run
  progress: Progress
  apiUrl: string
  /** Aborted when the stop begins: from then on no process of ours is started again. */
  ending: AbortSignal
  /** Ends the whole start: something that cannot be helped has happened. */
  giveUp: (reason: string) => void
}

/** PostgreSQL, Temporal and a Docker engine: what is there is used, what is missing is got. */
export async function findPlatform(ctx: StartContext): Promise<Platform> {
  const postgres = await findPostgres(ctx)
  const temporal = await findTemporal(ctx)
  const engine = await findEngine(ctx)
  ctx.run.addFacts({
    postgres: withoutPassword(postgres.url),
    temporal: temporal.address,
    temporalUi: temporal.uiUrl,
    docker: engine.dockerHost,
  })
  return {
    databaseUrl: postgres.url,
    temporalAddress: temporal.address,
    temporalUiUrl: temporal.uiUrl,
    ...engine,
  }
}

function withoutPassword(url: string): string {
  const changed = new URL(url)
  changed.password = ''
  return changed.href
}

function findPostgres(ctx: StartContext): Promise<PostgresServer> {
  const { data, configuration } = ctx
  return ctx.progress.step(
    'PostgreSQL',
    { usually: 'under 5 s', outcome: ({ origin, url }) => `${origin}, port ${new URL(url).port}` },
    async (note) =>
      ensurePostgres({
        folder: join(data.path, 'postgres'),
        port: await choosePort(configuration.postgresPort, 'CLOUDER_POSTGRES_PORT', 15_432),
        password: data.postgresPassword,
        database: 'clouder',
        logFile: join(data.logs, 'postgres.log'),
        note,
        onProcess: (pid) => watch(ctx, 'postgres', pid),
      }),
  )
}

function findTemporal(ctx: StartContext): Promise<TemporalServer> {
  const { data, configuration } = ctx
  return ctx.progress.step(
    'Temporal',
    {
      usually: '5 s, 6 minutes when it must be built',
      outcome: ({ origin, address }) => `${origin}, ${address}`,
    },
    async (note) =>
      ensureTemporal({
        port: await choosePort(configuration.temporalPort, 'CLOUDER_TEMPORAL_PORT', 7233),
        uiPort: await choosePort(configuration.temporalUiPort, 'CLOUDER_TEMPORAL_UI_PORT', 8233),
        namespace: configuration.temporalNamespace,
        databaseFile: join(data.path, 'temporal.db'),
        logFile: join(data.logs, 'temporal.log'),
        note,
        onProcess: (pid) => watch(ctx, 'temporal', pid),
      }),
  )
}

function choosePort(named: number | undefined, variable: string, usual: number): Promise<number> {
  return named === undefined ? portNear(usual) : requirePort(named, variable)
}

type EngineParts = { engine: DockerEngine | undefined; busybox: string | undefined }

async function findEngine(ctx: StartContext): Promise<Pick<Platform, 'dockerHost' | 'busybox'>> {
  const { progress, configuration } = ctx
  const outcome = ({ engine }: EngineParts) =>
    engine === undefined ? 'none: dry run' : `${engine.version}, ${engine.host}`
  const usually = '1 s, 2 minutes when it is installed'
  const { engine, busybox } = await progress.step('Docker', { usually, outcome }, (note) =>
    findEngineParts(ctx, note),
  )
  if (engine === undefined && configuration.runner === 'docker') throw noEngine()
  if (engine === undefined) progress.line(dryRunBanner)
  return { dockerHost: engine?.host, busybox }
}

async function findEngineParts({ data, configuration }: StartContext, note: Note): Promise<EngineParts> {
  if (configuration.runner === 'dry-run') return { engine: undefined, busybox: undefined }
  const engine = await ensureDocker({ logFolder: data.logs, note })
  if (engine === undefined) return { engine, busybox: undefined }
  await ensureDebootstrap(note)
  return { engine, busybox: await ensureBusybox(note) }
}

function noEngine(): PlatformProblem {
  return new PlatformProblem({
    found: 'CLOUDER_RUNNER is docker, and there is no Docker engine and no way to get one.',
    wanted: 'A Docker engine: one that answers, or root on Debian or Ubuntu, where one is installed.',
    command: 'sudo apt-get install docker.io   # or: DOCKER_HOST=unix:///… npm start',
    stillWorks: 'CLOUDER_RUNNER=dry-run npm start: ordering and billing without containers.',
  })
}

/** A database or workflow server that dies takes the ground from under everything: stop in order and say so. */
function watch(
  { run, data, progress, giveUp }: StartContext,
  name: 'postgres' | 'temporal',
  pid: number,
): void {
  run.addProcess(name, pid)
  const timer = setInterval(() => {
    if (isAlive(pid)) return
    clearInterval(timer)
    const logFile = join(data.logs, `${name}.log`)
    progress.line(`\n  The last words of ${name}, from ${logFile}:\n${tailOf(logFile, 8)}`)
    giveUp(`${name} ended unexpectedly`)
  }, 1_000)
  timer.unref()
}
