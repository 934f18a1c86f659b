import { appendFileSync, readFileSync } from 'node:fs'

/**
 * - `before`: the activity was entered, nothing is done;
 * - `in`: its effect on the engine or its first commit has happened, and nobody was told;
 * - `after`: its function has returned, and Temporal does not know.
 */
export type Moment = 'before' | 'in' | 'after'

/** `carryOutStep:2:in`: the second call of an activity in the life of an installation; a retry is the same call. */
export type CrashPoint = `${string}:${number}:${Moment}`

/** One run of one activity, as Temporal tells it apart: all attempts of it have the same one. */
export interface Call {
  readonly activity: string
  readonly identity: string
}

type Entry = { readonly called: Call } | { readonly killedAt: CrashPoint }

/** What happened in all lives of a worker so far. It outlives SIGKILL: the system keeps what a dead process wrote. */
export function readJournal(file: string): { calls: Call[]; killedAt: CrashPoint[] } {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  const entries = lines.map((line) => JSON.parse(line) as Entry)
  return {
    calls: entries.flatMap((entry) => ('called' in entry ? [entry.called] : [])),
    killedAt: entries.flatMap((entry) => ('killedAt' in entry ? [entry.killedAt] : [])),
  }
}

/** Ends this process with SIGKILL at each of its points, at each once, however often it is started again. */
export function armCrash(points: readonly CrashPoint[], journalFile: string) {
  const { calls, killedAt } = readJournal(journalFile)
  const armed = new Set<string>(points.filter((point) => !killedAt.includes(point)))
  const write = (entry: Entry) => appendFileSync(journalFile, `${JSON.stringify(entry)}\n`)

  function numberOf(call: Call): number {
    const identities = calls.filter((one) => one.activity === call.activity).map((one) => one.identity)
    const index = identities.indexOf(call.identity)
    if (index >= 0) return index + 1
    calls.push(call)
    write({ called: call })
    return identities.length + 1
  }

  return {
    reach(call: Call, moment: Moment): void {
      const point: CrashPoint = `${call.activity}:${numberOf(call)}:${moment}`
      if (!armed.has(point)) return
      write({ killedAt: point })
      process.kill(process.pid, 'SIGKILL')
    },
  }
}

export type Crash = ReturnType<typeof armCrash>
