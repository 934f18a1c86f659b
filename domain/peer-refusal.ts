import type { ErrorCode } from './errors.ts'

/** What the other side refuses with, and what it says of itself with that. */
export interface RefusalThere {
  readonly code: string
  readonly detail: string
  /** What time it is over there; null where it has not said so. */
  readonly thereAt: string | null
}

/** Refusals that are over once something is mended, here or there: until then what is refused is kept, and tried again. */
const passing: ReadonlySet<string> = new Set<ErrorCode>([
  'peer_message_expired',
  'peer_message_repeated',
  'peer_sequence_gap',
  'peer_signature_refused',
  'peer_version_unknown',
  'too_many_requests',
])

/** Whether what was refused is taken by itself later, so that nothing has to be halted. */
export function isPassing(code: string): boolean {
  return passing.has(code)
}

/**
 * What an operator has to do so that a refusal is over; undefined where it is over by itself.
 * @param hereAt what time it is here
 * @example adviseOn({ code: 'peer_message_expired', … thereAt: '2026-03-01T00:10:00Z' }, '2026-03-01T00:00:00Z')
 * // The clocks differ by 600 seconds: …
 */
export function adviseOn({ code, thereAt }: RefusalThere, hereAt: string): string | undefined {
  switch (code) {
    case 'peer_message_expired':
      return thereAt === null
        ? 'The clocks differ. Set the wrong one right.'
        : `The clocks differ by ${secondsBetween(hereAt, thereAt)} seconds: it is ${hereAt} here, and ${thereAt} over there. Set the wrong one right.`
    case 'peer_sequence_gap':
      return 'The other installation has lost messages that it had taken. It is asked from where on, and they are sent again; where that does not help, bring it up to date.'
    case 'peer_signature_refused':
      return 'Our key does not hold over there: it was revoked, or we were closed there. Compare the fingerprints; a person over there pins a new key: peers pin-key.'
    case 'peer_version_unknown':
      return 'The other installation is older than what we send. Bring it up to date.'
    default:
      return undefined
  }
}

function secondsBetween(one: string, other: string): number {
  return Math.round(Math.abs(Date.parse(one) - Date.parse(other)) / 1_000)
}

/**
 * How long to wait, by a header `Retry-After` (RFC 9110), which is seconds or a date; undefined where there is none that can be read.
 * Whoever asks for more than a quarter of an hour is tried again then.
 */
export function readRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const isDate = header.endsWith(' GMT')
  if (!isDate && !/^\d{1,9}$/.test(header)) return undefined
  const waitMs = isDate ? Date.parse(header) - nowMs : Number(header) * 1_000
  return Number.isFinite(waitMs) ? Math.min(Math.max(waitMs, 0), longestWaitMs) : undefined
}

const longestWaitMs = 15 * 60_000
