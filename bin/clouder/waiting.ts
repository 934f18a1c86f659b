import type { Output } from './output.ts'

/** Then ever more seldom: a log that was left alone over night must not be a thousand lines of waiting. */
const firstQuietMs = 10_000
const longestQuietMs = 5 * 60_000

export interface Waiting {
  /** A line that stays. */
  line(text: string): void
  /** What is waited for now; undefined: nothing. Call it at every look. */
  waitFor(text: string | undefined): void
  end(): void
}

/**
 * Progress on stderr. A terminal shows on its last line what is waited for, with seconds; elsewhere nothing moves, and after
 * ten quiet seconds a line says it.
 */
export function createWaiting(out: Output): Waiting {
  let quietSinceMs = Date.now()
  let quietMs = firstQuietMs
  let waitedFor: string | undefined
  let waitingSinceMs = Date.now()
  const clear = () => {
    if (out.isLive) out.sayOver('')
  }
  return {
    line(text) {
      clear()
      out.say(text)
      quietSinceMs = Date.now()
      quietMs = firstQuietMs
    },
    waitFor(text) {
      if (text !== waitedFor) waitingSinceMs = Date.now()
      waitedFor = text
      if (text === undefined) return
      const line = `  … ${text} (${Math.round((Date.now() - waitingSinceMs) / 1_000)} s)`
      if (out.isLive) return out.sayOver(line.slice(0, out.columns - 1))
      if (Date.now() - quietSinceMs < quietMs) return
      out.say(line)
      quietSinceMs = Date.now()
      quietMs = Math.min(quietMs * 2, longestQuietMs)
    },
    end: clear,
  }
}
