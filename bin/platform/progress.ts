export type Progress = {
  /** Does one numbered step and prints it with its duration. */
  step<T>(title: string, options: StepOptions<T>, work: (note: Note) => Promise<T>): Promise<T>
  /** A line of its own between steps. */
  line: (text: string) => void
}

/** Says what a long step is waiting for. */
export type Note = (text: string) => void

export type StepOptions<T> = {
  /** Shown when the step takes longer than a moment: how long it usually takes. */
  usually: string
  /** A few words about what came out of it. */
  outcome?: (result: T) => string
}

const quietMs = 2_000
const repeatMs = 15_000

/** Steps as plain lines: nothing moves, so a log file and a screen reader get the same as a terminal. */
export function createProgress(total: number, write: (line: string) => void = console.log): Progress {
  let number = 0
  return {
    line: write,
    async step(title, options, work) {
      number += 1
      const prefix = `  [${number}/${total}] ${title}`
      const startedAt = Date.now()
      const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`
      const note: Note = (text) => write(`        … ${text} (${seconds()})`)
      const stopWaiting = announceWait(() =>
        write(`${prefix} … still at it, ${seconds()}; usually ${options.usually}`),
      )
      try {
        const result = await work(note)
        const outcome = options.outcome?.(result)
        write(`${prefix.padEnd(34)} ${seconds().padStart(7)}${outcome === undefined ? '' : `   ${outcome}`}`)
        return result
      } catch (error) {
        write(`${prefix.padEnd(34)} ${seconds().padStart(7)}   failed`)
        throw error
      } finally {
        stopWaiting()
      }
    },
  }
}

function announceWait(announce: () => void): () => void {
  let timer = setTimeout(function again() {
    announce()
    timer = setTimeout(again, repeatMs)
  }, quietMs)
  return () => clearTimeout(timer)
}
