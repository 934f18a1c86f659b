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

/** An installation whose worker dies at these points. */
export interface KilledLife {
  readonly installation: TestInstallationFacts
  readonly points: readonly CrashPoint[]
  readonly consoleUrl?: string
}

/**
 * Keeps a process running that is the worker of some installations and kills itself at their points, as the supervisor does: after
 * each death the same command is started again.
 */
export async function superviseWorkers(prepared: PreparedWorkers, lives: readonly KilledLife[]) {
  const orders = lives.map(({ installation, ...life }): KilledWorkerOrder => {
    const { databaseUrl, temporalAddress, temporalNamespace, installationId, serverId } = installation
    const facts = { databaseUrl, temporalAddress, temporalNamespace, installationId, serverId }
    return { ...life, facts, journalFile: path.join(prepared.folder, `${installationId}.journal`) }
  })
  for (const { journalFile } of orders) await writeFile(journalFile, '')
  let child: ChildProcess | undefined
  let isStopping = false
  let lastWords = ''

  async function keepRunning(): Promise<void> {
    while (!isStopping) {
      // It reads no pages, so Node runs it as it is; with compiled code kept, which one that is killed cannot do itself.
      child = spawn(process.execPath, [script, JSON.stringify(orders)], {
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
    journals: () => orders.map(({ journalFile }) => readJournal(journalFile)),
    /** At no point of its own; the next one is started at once. */
    kill: () => void child?.kill('SIGKILL'),
    async stop(): Promise<void> {
      isStopping = true
      child?.kill('SIGKILL')
      await running
    },
  }
}
