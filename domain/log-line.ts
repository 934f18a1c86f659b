/** From the least to the most urgent. */
export const logLevels = ['debug', 'info', 'warning', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export interface LogLine {
  /** Instant, RFC 3339, as the engine noted it. */
  readonly at: string
  readonly service: string
  readonly stream: 'stdout' | 'stderr'
  readonly level: LogLevel
  readonly text: string
}

/** Which lines are wanted; null: all of them. */
export interface LogRequest {
  readonly service: string | null
  /** Instant: lines from then on. */
  readonly since: string | null
  /** That urgent, or more. */
  readonly level: LogLevel | null
  /** They hold this text, in whatever case. */
  readonly search: string | null
  /** So many of the newest. */
  readonly limit: number
}

/** Words by which programs say how urgent a line is. Whole words only: `terror` is no error. */
const words: readonly (readonly [LogLevel, RegExp])[] = [
  ['error', /\b(?:error|err|fatal|critical|crit|alert|emerg|emergency|panic|severe|exception)\b/i],
  ['warning', /\b(?:warning|warn)\b/i],
  ['debug', /\b(?:debug|trace|verbose)\b/i],
  ['info', /\b(?:info|notice|note)\b/i],
]

/** So far into a line its level is looked for: what is further on is what it tells of. */
const headCharacters = 120

/** How urgent a line says that it is; one that does not say is `info`. */
export function levelOf(text: string): LogLevel {
  const head = text.slice(0, headCharacters)
  const found = words
    .map(([level, word]) => ({ level, at: head.search(word) }))
    .filter(({ at }) => at >= 0)
    .toSorted((first, second) => first.at - second.at)
  return found[0]?.level ?? 'info'
}

/** The newest of the wanted lines, oldest of them first. */
export function chooseLines(
  lines: readonly LogLine[],
  { service, level, search, since, limit }: LogRequest,
): LogLine[] {
  const least = level === null ? 0 : logLevels.indexOf(level)
  const wanted = search?.toLowerCase() ?? ''
  return lines
    .filter(
      (line) =>
        (service === null || line.service === service) &&
        (since === null || Date.parse(line.at) >= Date.parse(since)) &&
        logLevels.indexOf(line.level) >= least &&
        line.text.toLowerCase().includes(wanted),
    )
    .toSorted((first, second) => (first.at < second.at ? -1 : first.at > second.at ? 1 : 0))
    .slice(-limit)
}

/**
 * Whether a text holds the parts of a pattern, which `*` parts, one after another: `user * logged in`. Upper and lower case differ.
 * Each part is looked for once, from where the one before it ended: no pattern makes it go back.
 */
export function matchesPattern(text: string, pattern: string): boolean {
  let at = 0
  for (const part of pattern.split('*')) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return true
}
