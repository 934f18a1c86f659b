import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { cacheFolder } from '#bin/platform/cache.ts'
import { bundleWorkflows } from '#bin/workflow-bundle.ts'
import type { TestInstallationFacts } from '#test/support/workers.ts'
import { readJournal, type CrashPoint } from './crash-point.ts'
import type { KilledWorkerOrder } from './killed-worker.ts'

const script = new URL('killed-worker.ts', import.meta.url).pathname
const lastWordsMax = 4_000

/** The bundle that every worker process reads, made before the first of them, and a folder for their journals. */
export async function prepareWorkers() {
  const folder = await mkdtemp(path.join(tmpdir(), 'clouder-crash-'))
  const bundle = await bundleWorkflows()
  return { folder, bundle, remove: async () => await rm(folder, { recursive: true }) }
}

export type PreparedWorkers = Awaited<ReturnType<typeof prepareWorkers>>

/**
 * Keeps a worker process running that kills itself at its points, as the supervisor does: after each death the same
 * command is started again.
 */
export async function superviseWorker(
  prepared: PreparedWorkers,
  { databaseUrl, temporalAddress, temporalNamespace, installationId, serverId }: TestInstallationFacts,
  points: readonly CrashPoint[],
  consoleUrl?: string,
) {
  const journalFile = path.join(prepared.folder, `${installationId}.journal`)
  await writeFile(journalFile, '')
  const facts = {
    databaseUrl,
    temporalAddress,
    ...(temporalNamespace && { temporalNamespace }),
    installationId,
    serverId,
  }
  const order: KilledWorkerOrder = { facts, points, journalFile, ...(consoleUrl && { consoleUrl }) }
  let child: ChildProcess | undefined
  let isStopping = false
  let lastWords = ''

  async function keepRunning(): Promise<void> {
    while (!isStopping) {
      // It reads no pages, so Node runs it as it is; with compiled code kept, which one that is killed cannot do itself.
      child = spawn(process.execPath, [script, JSON.stringify(order)], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          ...process.env,
          CLOUDER_TEST_BACKUPS: path.join(prepared.folder, 'backups'),
          NODE_OPTIONS: '',
          NODE_COMPILE_CACHE: path.join(cacheFolder(), 'compiled'),
        },
      })
      child.stderr
        ?.setEncoding('utf8')
        .on('data', (text: string) => (lastWords = `${lastWords}${text}`.slice(-lastWordsMax)))
      const [code, signal] = await once(child, 'exit')
      if (!isStopping)
        assert.equal(signal, 'SIGKILL', `a worker ended with ${code ?? signal} by itself: ${lastWords}`)
    }
  }
  const running = keepRunning()
  /** Rejects when a worker ends in another way than it was told to, and never resolves. */
  const broken = running.then(async () => await new Promise<never>(() => {}))
  broken.catch(() => {})

  return {
    broken,
    journal: () => readJournal(journalFile),
    /** At no point of its own; the next one is started at once. */
    kill: () => void child?.kill('SIGKILL'),
    async stop(): Promise<void> {
      isStopping = true
      child?.kill('SIGKILL')
      await running
    },
  }
}
