import { chmodSync, existsSync, globSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Connection } from '@temporalio/client'
import { ensureBusybox } from '#bin/platform/busybox.ts'
import { ensureChromium } from '#bin/platform/chromium.ts'
import { ensureDockerRegistry } from '#bin/platform/docker-registry.ts'
import { requireFreeDisk } from '#bin/platform/data-folder.ts'
import { ensureDebootstrap, listPackageTargets } from '#bin/platform/package-archive.ts'
import { ensureDocker } from '#bin/platform/docker.ts'
import { ensureMariadb } from '#bin/platform/mariadb.ts'
import { linkToMemory } from '#bin/platform/memory-folder.ts'
import { freePort } from '#bin/platform/ports.ts'
import { ensurePostgres } from '#bin/platform/postgres.ts'
import { PlatformProblem, describeProblem } from '#bin/platform/problem.ts'
import { createProgress } from '#bin/platform/progress.ts'
import { claimRun, endLeftover, isRunAlive } from '#bin/platform/run-state.ts'
import { stopProcess } from '#bin/platform/process.ts'
import { onStopRequest } from '#bin/platform/stop-request.ts'
import { createTemplateDatabase } from '#bin/platform/template-database.ts'
import { ensureTemporal } from '#bin/platform/temporal.ts'
import { removeTestObjects } from '#bin/platform/test-objects.ts'
import { planBatches, writeBatches } from '#bin/platform/test-batches.ts'
import { findTestFiles } from '#bin/platform/test-files.ts'
import { exitCodeOf, loaderFlags, runTool } from '#bin/platform/tools.ts'
import { registerSearchAttributes } from '#bin/search-attributes.ts'
import type { Progress } from '#bin/platform/progress.ts'
import type { Run } from '#bin/platform/run-state.ts'

const folderPrefix = 'clouder-test-'
const namespace = 'default'
const testTimeoutMs = 10 * 60_000

const help = `
  npm test [-- files, folders or flags of node --test]

  Starts a PostgreSQL, a Temporal server and, where none is found, a Docker engine in a temporary folder on free
  ports, runs the tests against them, and removes everything again.

    npm test -- test/domain                        one folder
    npm test -- test/domain/money.test.ts          one file
    npm test -- --test-name-pattern='gapless'      by name
`

/** What was started, in order; it is stopped the other way round. */
const cleanups: (() => unknown)[] = []

/** An earlier run that was killed could not clean up after itself: this one does. */
async function sweepLeftovers(): Promise<void> {
  for (const name of globSync(`${folderPrefix}*`, { cwd: tmpdir() })) {
    const folder = join(tmpdir(), name)
    if (!existsSync(join(folder, 'run.json')) || isRunAlive(folder)) continue
    const { postgres, docker } = await endLeftover(folder, 'tests')
    // Its database may be gone already; then nobody knows any more what it made on the engine.
    if (postgres && docker) await removeTestObjects(docker, postgres, basename(folder)).catch(() => undefined)
    await claimRun(folder)
    removeFolder(folder)
  }
}

function removeFolder(folder: string): void {
  const postgres = join(folder, 'postgres')
  // The cluster may live elsewhere, with only a link here.
  if (existsSync(postgres)) rmSync(realpathSync(postgres), { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true })
}

async function startServices(folder: string, run: Run, progress: Progress): Promise<Record<string, string>> {
  const logs = join(folder, 'logs')
  // Each file of tests has a database, of more than a thousand files: on a disk their making is most of its cost.
  linkToMemory(join(folder, 'postgres'))
  const postgres = await progress.step('PostgreSQL', { usually: '3 s' }, async (note) =>
    ensurePostgres({
      folder: join(folder, 'postgres'),
      port: await freePort(),
      password: 'test',
      database: 'postgres',
      logFile: join(logs, 'postgres.log'),
      isDurable: false,
      note,
      onProcess: (pid) => run.addProcess('postgres', pid),
      // A DATABASE_URL or TEMPORAL_ADDRESS of the shell may be somebody's real one: tests never touch it.
      env: without('DATABASE_URL'),
    }),
  )
  await progress.step('Template database', { usually: '2 s' }, () => createTemplateDatabase(postgres.url))
  const temporal = await progress.step(
    'Temporal',
    { usually: '5 s; 6 minutes if it must be built' },
    async (note) =>
      ensureTemporal({
        port: await freePort(),
        uiPort: await freePort(),
        namespace,
        logFile: join(logs, 'temporal.log'),
        note,
        onProcess: (pid) => run.addProcess('temporal', pid),
        env: without('TEMPORAL_ADDRESS'),
      }),
  )
  await progress.step('Search attributes', { usually: '1 s' }, () => registerAt(temporal.address))
  return {
    CLOUDER_TEST_POSTGRES_URL: postgres.url,
    CLOUDER_TEST_TEMPORAL_ADDRESS: temporal.address,
    CLOUDER_TEST_TEMPORAL_UI_URL: temporal.uiUrl ?? '',
  }
}

async function registerAt(address: string): Promise<void> {
  const connection = await Connection.connect({ address })
  try {
    await registerSearchAttributes(connection, namespace)
  } finally {
    await connection.close()
  }
}

async function findLocalParts(folder: string, progress: Progress): Promise<Record<string, string>> {
  const docker = await progress.step('Docker', { usually: '1 s; 2 minutes if it is installed' }, (note) =>
    ensureDocker({ logFolder: join(folder, 'logs'), note }),
  )
  if (docker !== undefined) cleanups.push(() => docker.stop())
  const busybox = await progress.step('Busybox', { usually: '1 s' }, (note) => ensureBusybox(note))
  await progress.step(
    'Debootstrap',
    { usually: '1 s', outcome: (isHere) => (isHere ? 'found' : 'none: images of packages need a registry') },
    (note) => ensureDebootstrap(note),
  )
  const chromium = await progress.step('Chromium', { usually: '1 s; 2 minutes if it is installed' }, (note) =>
    ensureChromium(note),
  )
  const registry = await progress.step('Registry', { usually: '1 s; 20 s if it is installed' }, (note) =>
    ensureDockerRegistry(note),
  )
  const mariadb = await progress.step('MariaDB', { usually: '1 s; 10 s if it is installed' }, (note) =>
    ensureMariadb(note),
  )
  return {
    CLOUDER_TEST_REGISTRY: registry ?? '',
    CLOUDER_TEST_MARIADB: mariadb ?? '',
    DOCKER_HOST: docker?.host ?? '',
    CLOUDER_BUSYBOX: busybox ?? '',
    CLOUDER_PACKAGE_TARGETS: await listPackageTargets(),
    // What tests start sets nothing on the machine that would outlive them.
    CLOUDER_HOST_RULES: 'leave',
    CLOUDER_TEST_CHROMIUM: chromium ?? '',
  }
}

/** Everything is tested against the real thing, so the whole suite refuses to run on less and call it green. */
function requireParts(parts: Record<string, string>, isSelection: boolean): void {
  const missing = Object.entries({ DOCKER_HOST: 'a Docker engine', CLOUDER_TEST_CHROMIUM: 'Chromium' })
    .filter(([name]) => parts[name] === '')
    .map(([, title]) => title)
  if (missing.length === 0 || (isSelection && process.env['CI'] === undefined)) return
  throw new PlatformProblem({
    found: `Missing here, and not to be had: ${missing.join(', ')}.`,
    wanted: 'The real parts that the tests run against.',
    command: 'Install them, or run as root on Debian or Ubuntu, where this command installs them.',
    stillWorks: 'npm test -- test/domain test/db test/api: the tests that need neither.',
  })
}

async function runTests(args: string[]): Promise<number> {
  const selection = args.filter((arg) => !arg.startsWith('-'))
  const files = findTestFiles(selection)
  await sweepLeftovers()
  requireFreeDisk(tmpdir())
  const folder = mkdtempSync(join(tmpdir(), folderPrefix))
  chmodSync(folder, 0o711)
  cleanups.push(() => removeFolder(folder))
  const run = await claimRun(folder)
  cleanups.push(() => run.stopAll())
  const progress = createProgress(10)
  const env: Record<string, string> = {
    ...(await startServices(folder, run, progress)),
    ...(await findLocalParts(folder, progress)),
    CLOUDER_TEST_RUN: basename(folder),
  }
  requireParts(env, selection.length > 0)
  const { DOCKER_HOST: docker, CLOUDER_TEST_POSTGRES_URL: postgres } = env
  run.addFacts({ postgres, docker })
  if (docker && postgres) cleanups.push(() => removeTestObjects(docker, postgres, basename(folder)))
  const flags = ['--test', `--test-concurrency=${processesAtOnce()}`, `--test-timeout=${testTimeoutMs}`]
  const rest = args.filter((arg) => arg.startsWith('-'))
  // Patterns and the like mean single files and tests, not batches.
  const paths = rest.length > 0 ? files : writeBatches(planBatches(files), join(folder, 'batches'))
  const runner = runTool(process.execPath, [...loaderFlags, ...flags, ...rest, ...paths], env)
  const { pid } = runner
  if (pid !== undefined) {
    run.addProcess('tests', pid)
    cleanups.push(() => stopProcess(pid, 'SIGTERM', 20_000))
  }
  return exitCodeOf(runner)
}

/** Most files wait for engines and servers most of the time: two for each processor and one more keep them busy. */
function processesAtOnce(): number {
  return availableParallelism() * 2 + 1
}

async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}

function without(variable: string): NodeJS.ProcessEnv {
  return { ...process.env, [variable]: undefined }
}

async function runUntilDoneOrStopped(args: string[]): Promise<number> {
  const stopped = new Promise<number>((resolve) => onStopRequest(() => resolve(130)))
  try {
    return await Promise.race([runTests(args), stopped])
  } catch (error) {
    if (!(error instanceof PlatformProblem)) throw error
    console.error(`\n${describeProblem(error.facts)}\n`)
    return 1
  } finally {
    // Nothing is printed from here on: the runner's own closing lines stay the last ones.
    await cleanUp()
  }
}

if (process.argv.includes('--help')) {
  console.log(help)
  process.exit(0)
}
process.exit(await runUntilDoneOrStopped(process.argv.slice(2)))
