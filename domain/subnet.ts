/** A range of IPv4 addresses as CIDR text, and who has it. */
export interface HeldRange {
  readonly range: string
  /** For people: `network acme_network`, `route of eth0`. */
  readonly holder: string
}

const CIDR = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/
const ADDRESSES = 2 ** 32

/**
 * Whether two ranges have an address in common. What is not IPv4 overlaps with nothing of ours.
 * @example overlaps('10.201.0.0/16', '10.201.3.64/26') // true
 */
export function overlaps(one: string, other: string): boolean {
  const [first, second] = [boundsOf(one), boundsOf(other)]
  if (first === null || second === null) return false
  return first.from < second.until && second.from < first.until
}

/** The first address of a range, and the first after it. */
function boundsOf(range: string): { from: number; until: number } | null {
  const parts = CIDR.exec(range)?.slice(1).map(Number)
  if (parts === undefined) return null
  const [a = 0, b = 0, c = 0, d = 0, prefixLength = 0] = parts
  if (prefixLength > 32 || Math.max(a, b, c, d) > 255) return null
  const size = ADDRESSES / 2 ** prefixLength
  const address = ((a * 256 + b) * 256 + c) * 256 + d
  const from = address - (address % size)
  return { from, until: from + size }
}

/** Used at least so far, an operator is told: what is left goes faster than a server is added. */
export const SUBNET_ALERT_PERCENT = 90
