import { BusinessError } from './errors.ts'

/** Which addresses an installation speaks to, besides those of the public internet. */
export interface OutboundRule {
  /** It is on the loopback of one machine itself, as in development: then it speaks to others there. */
  readonly isOnLoopback: boolean
  /** Ranges that an operator allows, as CIDR text: `10.20.0.0/16`, `fd00:1::/48`. */
  readonly allowed: readonly string[]
  /** Ports beside 443 that an operator lists. */
  readonly ports?: readonly number[]
  /** Where the operator lists them; left out, `CLOUDER_PEER_PORTS`. */
  readonly portSetting?: string
}

const usualPort = 443
const loopback = ['127.0.0.0/8', '::1/128']

/**
 * What is not the public internet (IANA's special-purpose registries), and where clouds tell a machine its credentials at an address that
 * looks public. Of IPv6 only what is given out as global unicast is public, without the forms that carry an IPv4 address inside: mapped,
 * NAT64, 6to4, Teredo.
 */
const refused = `
  0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12
  192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15
  198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32
  2001::/23 2001:db8::/32 2002::/16 3fff::/20
`
  .trim()
  .split(/\s+/)
const globalUnicast = '2000::/3'

/**
 * Who is called by an address of http or https: a name, or an address already, which is not resolved.
 * @example targetOf(new URL('https://[fd00::1]/')) // { host: 'fd00::1', port: 443, isAddress: true }
 */
export function targetOf(url: URL): { host: string; port: number; isAddress: boolean } {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  return { host, port, isAddress: /^[\d.]+$|:/.test(host) }
}

/**
 * Lets an address pass that a name was resolved to, or that stands in a URL. On the loopback, where it is spoken to at all, on any port;
 * elsewhere on 443 and those that are listed, so that nothing else that listens there is reached.
 * @param address as a resolver answers and `URL` writes it, without brackets; what is neither IPv4 nor IPv6 does not pass
 * @throws `peer_url_refused`
 * @example refuseOutbound('169.254.169.254', { isOnLoopback: false, allowed: [] }) // throws
 */
export function refuseOutbound(address: string, rule: OutboundRule, port: number = usualPort): void {
  if (rule.isOnLoopback && isAmong(address, loopback)) return
  refusePort(address, rule, port)
  if (isSpokenTo(address, rule)) return
  throw new BusinessError('peer_url_refused', `${address} is no address of the public internet.`)
}

/**
 * Lets a port pass, of a name or an address that is not of the loopback.
 * @throws `peer_url_refused`
 */
export function refusePort(host: string, rule: OutboundRule, port: number): void {
  if (port === usualPort || rule.ports?.includes(port) === true) return
  throw new BusinessError(
    'peer_url_refused',
    `Port ${port} of ${host} is not spoken to: only 443, and what an operator lists in ${rule.portSetting ?? 'CLOUDER_PEER_PORTS'}.`,
  )
}

/** Whether an installation speaks to an address, whatever the port, as it does to those of the public internet. */
export function isSpokenTo(address: string, rule: OutboundRule): boolean {
  if (isAmong(address, rule.allowed) || (rule.isOnLoopback && isAmong(address, loopback))) return true
  const isPublic = bitsOf(address)?.length === 32 || isInRange(address, globalUnicast)
  return isPublic && !isAmong(address, refused)
}

function isAmong(address: string, ranges: readonly string[]): boolean {
  return ranges.some((range) => isInRange(address, range))
}

/** Whether an address is of a range; an IPv4 address is of no range of IPv6, in whatever form. */
export function isInRange(address: string, range: string): boolean {
  const [found, bounds] = [bitsOf(address), readRange(range)]
  return found !== undefined && bounds !== undefined && found.startsWith(bounds) && isSameKind(address, range)
}

/** Whether a text is a range, such as an operator writes. */
export function isRange(text: string): boolean {
  return readRange(text) !== undefined
}

function isSameKind(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':')
}

/** The bits that all addresses of a range begin with. */
function readRange(text: string): string | undefined {
  const [address = '', prefix = '', ...more] = text.split('/')
  const bits = bitsOf(address)
  if (bits === undefined || !/^\d{1,3}$/.test(prefix) || more.length > 0 || Number(prefix) > bits.length)
    return undefined
  return bits.slice(0, Number(prefix))
}

/** An address as 32 or 128 characters 0 and 1; undefined for what is none. */
function bitsOf(address: string): string | undefined {
  const groups = address.includes(':') ? readSix(address) : readFour(address)
  return groups?.map(([value, bits]) => value.toString(2).padStart(bits, '0')).join('')
}

type Group = readonly [value: number, bits: 8 | 16]

function readFour(text: string): Group[] | undefined {
  const parts = text.split('.')
  const isWritten = parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  return parts.length === 4 && isWritten ? parts.map((part) => [Number(part), 8]) : undefined
}

/** Two colons stand for as many zeros as lack; the last two groups may be written as IPv4 is. */
function readSix(text: string): Group[] | undefined {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const [before, after] = [readGroups(head, tail === undefined), readGroups(tail ?? '', true)]
  if (before === undefined || after === undefined) return undefined
  const lacking = (128 - [...before, ...after].reduce((sum, [, bits]) => sum + bits, 0)) / 16
  if (!Number.isInteger(lacking) || (tail === undefined ? lacking !== 0 : lacking < 1)) return undefined
  return [...before, ...Array.from({ length: lacking }, (): Group => [0, 16]), ...after]
}

function readGroups(text: string, isLast: boolean): Group[] | undefined {
  if (text === '') return []
  const groups = text.split(':').map((part, index, parts): Group[] | undefined => {
    if (/^[\da-f]{1,4}$/i.test(part)) return [[Number.parseInt(part, 16), 16]]
    return isLast && index === parts.length - 1 ? readFour(part) : undefined
  })
  return groups.every((group) => group !== undefined) ? groups.flat() : undefined
}
