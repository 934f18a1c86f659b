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

/** So long those who have come to a point wait for the others: less than it takes until an activity counts as lost. */
const gatheringMs = 5_000

/**
 * Ends this process with SIGKILL as soon as every life in it has come to one of its points, at each point once, however often it is
 * started again: a process is dear to start, and many lives die of one death. Who has no point left is not waited for.
 */
export function createDeath() {
  const lives: { readonly armed: ReadonlySet<string>; readonly held: Set<CrashPoint>; die: () => void }[] = []
  let gathering: NodeJS.Timeout | undefined

  function die(): void {
    for (const life of lives) life.die()
    process.kill(process.pid, 'SIGKILL')
  }

  function dieSoon(): void {
    const areAllHere = lives.every(({ armed, held }) => armed.size === 0 || held.size > 0)
    if (areAllHere) die()
    gathering ??= setTimeout(die, gatheringMs)
  }

  return {
    /** A life dies with this process at its points. */
    arm(points: readonly CrashPoint[], journalFile: string) {
      const { calls, killedAt } = readJournal(journalFile)
      const armed = new Set<string>(points.filter((point) => !killedAt.includes(point)))
      const held = new Set<CrashPoint>()
      const write = (entry: Entry) => appendFileSync(journalFile, `${JSON.stringify(entry)}\n`)
      lives.push({
        armed,
        held,
        die() {
          for (const point of held) write({ killedAt: point })
        },
      })

      function numberOf(call: Call): number {
        const identities = calls.filter((one) => one.activity === call.activity).map((one) => one.identity)
        const index = identities.indexOf(call.identity)
        if (index >= 0) return index + 1
        calls.push(call)
        write({ called: call })
        return identities.length + 1
      }

      return {
        /** At a point it never comes back. */
        async reach(call: Call, moment: Moment): Promise<void> {
          const point: CrashPoint = `${call.activity}:${numberOf(call)}:${moment}`
          if (!armed.has(point)) return
          held.add(point)
          dieSoon()
          await new Promise<never>(() => {})
        },
      }
    },
  }
}

export type Crash = ReturnType<ReturnType<typeof createDeath>['arm']>
