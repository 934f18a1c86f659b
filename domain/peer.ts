import { BusinessError } from './errors.ts'

/** What another installation is to this one: it bills us, or we bill it. Each document goes one way only. */
export type PeerRole = 'supplier' | 'customer'

/**
 * `invited`: waits to be accepted over there. `accepting`: accepted here, not answered yet. `halted`: nothing goes on until a person
 * has settled why. Nothing is sent before `active`.
 */
export type PeerState = 'invited' | 'accepting' | 'active' | 'halted' | 'closed'

/** In which a peer is one: it was paired with, and nobody has ended that. What it is owed is kept while it is halted. */
export const trustedPeerStates = ['active', 'halted'] as const satisfies readonly PeerState[]

/** What the two sides are to each other, seen from over there. */
export function roleOverThere(role: PeerRole): PeerRole {
  return role === 'supplier' ? 'customer' : 'supplier'
}

/** What is handed from one operator to the other: where to answer, and the right to, once. */
export interface Invitation {
  readonly url: string
  /** `peer_…` */
  readonly peer: string
  /** What the one who accepts is to the one who invites. */
  readonly role: PeerRole
  readonly code: string
}

/** How long an invitation can be accepted. */
export const invitationLifetimeMs = 10 * 60_000

const prefix = 'peer-invitation'

/** One word that can be sent and pasted: `peer-invitation.customer.peer_01kb….<code>.<address>`. */
export function writeInvitation({ url, peer, role, code }: Invitation): string {
  return [prefix, role, peer, code, encodeURIComponent(url).replaceAll('.', '%2E')].join('.')
}

/** @throws `invitation_invalid` for what is none */
export function readInvitation(text: string): Invitation {
  const [word, role, peer, code, address, ...more] = text.trim().split('.')
  const isRole = role === 'supplier' || role === 'customer'
  if (word !== prefix || !isRole || !peer || !code || !address || more.length > 0)
    throw new BusinessError('invitation_invalid', 'This is no invitation of another installation.')
  try {
    return { role, peer, code, url: checkPeerUrl(decodeURIComponent(address)) }
  } catch (error) {
    if (error instanceof BusinessError) throw error
    throw new BusinessError('invitation_invalid', 'The address in this invitation cannot be read.')
  }
}

/**
 * The invitation that a command of an installation which was built here printed, alone or in an answer of the command line.
 * @param url where that installation answers: with another address it would have us speak to somebody else
 * @throws `invitation_invalid` for none, or one by which it would not be billed; `peer_url_refused`
 */
export function requireInvitation(printed: string, url: string): Invitation {
  const [word = ''] = /peer-invitation\.[^\s"']+/.exec(printed) ?? []
  const invitation = readInvitation(word)
  if (invitation.role !== 'customer')
    throw new BusinessError('invitation_invalid', 'It invites who is to be billed by it, not who bills it.')
  if (invitation.url === url) return invitation
  throw new BusinessError(
    'peer_url_refused',
    `Its invitation leads to ${invitation.url}, and it is at ${url}.`,
  )
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether an installation is reached on the loopback of its machine alone, as in development. */
export function isLoopbackUrl(text: string): boolean {
  return URL.canParse(text) && loopback.has(new URL(text).hostname)
}

/**
 * Where another installation answers, without a slash at the end: `https://billing.example.com`. Without TLS only on the
 * loopback of one machine. Nothing but an origin: what is signed names the whole address, and a path would hide another.
 * @throws `peer_url_refused`
 */
export function checkPeerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isTold = url !== undefined && (url.pathname === '/' || url.pathname === '') && url.search === ''
  if (!isTold || url.hash !== '' || url.username !== '' || url.password !== '')
    throw new BusinessError(
      'peer_url_refused',
      `${text} is no address of an installation, such as https://billing.example.com.`,
    )
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackUrl(text))) return url.origin
  throw new BusinessError(
    'peer_url_refused',
    `${text} has no TLS. Another installation is spoken to by https only, but on the loopback.`,
  )
}
