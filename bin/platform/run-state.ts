import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writePrivateFile } from './data-folder.ts'
import { PlatformProblem } from './problem.ts'
import { birthOf, isAlive, stopProcess } from './process.ts'

const processSchema = z.object({ name: z.string(), pid: z.number().int().positive(), birth: z.string() })

const runSchema = z.object({
  owner: processSchema,
  startedAt: z.string(),
  /** In the order they were started; they are stopped the other way round. */
  processes: z.array(processSchema),
  /** What a person or another command may want to know: addresses, without passwords. */
  facts: z.record(z.string(), z.string()),
})

type RunState = z.infer<typeof runSchema>
type RunProcess = z.infer<typeof processSchema>

export type Run = {
  /** Notes a process, so that a start after a crash of ours can end it. Called again under a name, it replaces. */
  addProcess(name: string, pid: number): void
  addFacts(facts: Record<string, string | undefined>): void
  /**
   * Stops what was noted, last started first, and gives the folder free. Answers the names of what was still
   * alive. What is noted afterwards is killed.
   */
  stopAll(): Promise<string[]>
}

const stopTimeoutMs = 20_000

/** PostgreSQL takes SIGTERM for "wait until every session ends", and SIGINT for "end the sessions". */
const stopSignals: Record<string, NodeJS.Signals> = { postgres: 'SIGINT' }

/**
 * Takes the folder for this run. A run that lives is left alone and reported; what a dead run (power cut,
 * SIGKILL) left behind is stopped first, in order, or two databases would meet in one folder.
 */
export async function claimRun(folder: string, onLeftovers?: (names: string[]) => void): Promise<Run> {
  const file = join(folder, 'run.json')
  const earlier = readRun(file)
  if (earlier !== undefined && earlier.owner.pid !== process.pid && isSame(earlier.owner)) {
    throw alreadyRunning(folder, earlier)
  }
  const leftovers = await stopInOrder(earlier?.processes ?? [])
  if (leftovers.length > 0) onLeftovers?.(leftovers)
  const state: RunState = {
    owner: describeProcess('start', process.pid),
    startedAt: new Date().toISOString(),
    processes: [],
    facts: {},
  }
  const save = () => writePrivateFile(file, `${JSON.stringify(state, undefined, 2)}\n`)
  save()
  let isStopped = false
  return {
    addProcess(name, pid) {
      if (isStopped) void stopProcess(pid, 'SIGKILL', 1_000)
      // A restarted process keeps its place: the order of stopping is the order of the first start.
      const at = state.processes.findIndex((known) => known.name === name)
      state.processes.splice(at < 0 ? state.processes.length : at, at < 0 ? 0 : 1, describeProcess(name, pid))
      if (!isStopped) save()
    },
    addFacts(facts) {
      for (const [name, fact] of Object.entries(facts)) if (fact !== undefined) state.facts[name] = fact
      save()
    },
    async stopAll() {
      isStopped = true
      const stopped = await stopInOrder(state.processes)
      rmSync(file, { force: true })
      return stopped
    },
  }
}

async function stopInOrder(processes: RunProcess[]): Promise<string[]> {
  const alive = processes.filter(isSame).toReversed()
  for (const { name, pid } of alive) await stopProcess(pid, stopSignals[name] ?? 'SIGTERM', stopTimeoutMs)
  return alive.map(({ name }) => name)
}

/** Ends one process that a dead run left, before the others, and tells what was known of that run. */
export async function endLeftover(folder: string, name: string): Promise<Record<string, string>> {
  const run = readRun(join(folder, 'run.json'))
  await stopInOrder(run?.processes.filter((known) => known.name === name) ?? [])
  return run?.facts ?? {}
}

/** Whether a run that is alive holds the folder. */
export function isRunAlive(folder: string): boolean {
  const run = readRun(join(folder, 'run.json'))
  return run !== undefined && isSame(run.owner)
}

function readRun(file: string): RunState | undefined {
  if (!existsSync(file)) return undefined
  try {
    return runSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // Written by another version, or by hand: it names nothing we could safely stop.
    return undefined
  }
}

function describeProcess(name: string, pid: number): RunProcess {
  return { name, pid, birth: birthOf(pid) ?? 'unknown' }
}

function isSame(known: RunProcess): boolean {
  return isAlive(known.pid) && birthOf(known.pid) === known.birth
}

function alreadyRunning(folder: string, run: RunState): PlatformProblem {
  const console = run.facts['console']
  return new PlatformProblem({
    found: `Clouder is running already with ${folder} (pid ${run.owner.pid}, since ${run.startedAt}).`,
    wanted: 'One running Clouder for each data folder.',
    command: `kill ${run.owner.pid}   # stops it in order; or a second one: CLOUDER_DATA=./data-2 CLOUDER_PORT=4500 npm start`,
    stillWorks: console === undefined ? 'The running one.' : `The running one: ${console}`,
  })
}
