import { BusinessError } from './errors.ts'

/** A work centre is a server, or people: what is planned on people is shown beside servers and never built on by itself. */
export const resourceKinds = ['infrastructure', 'people'] as const
export type ResourceKind = (typeof resourceKinds)[number]

/**
 * How the engine of a server is reached: by the worker of the installation at its own socket, by a worker of its own beside it,
 * or by the worker of the installation through TLS.
 */
export type ServerConnection = 'local' | 'own_worker' | 'tls'

/** `expected`: nobody has seen it yet. */
export type ServerState = 'expected' | 'reachable' | 'unreachable'

/** Why an engine could not be asked. */
export const unreachableCauses = [
  'refused',
  'timed_out',
  'tls_wrong',
  'name_unknown',
  'not_permitted',
  'worker_silent',
  'failed',
] as const
export type UnreachableCause = (typeof unreachableCauses)[number]

export interface ServerSighting {
  /** When its engine answered last. */
  readonly lastSeenAt: string | null
  /** Why it did not when it was asked after that; null where it did. */
  readonly failureCause: UnreachableCause | null
}

/**
 * Whether a server can be built on now. One that was silent for as long as `silenceMs` is out of reach, whatever was seen of it.
 * @example serverState({ lastSeenAt: null, failureCause: null }, { nowMs, silenceMs: 60_000 }) // 'expected'
 */
export function serverState(
  { lastSeenAt, failureCause }: ServerSighting,
  { nowMs, silenceMs }: { nowMs: number; silenceMs: number },
): ServerState {
  if (lastSeenAt === null) return failureCause === null ? 'expected' : 'unreachable'
  return nowMs - Date.parse(lastSeenAt) > silenceMs ? 'unreachable' : 'reachable'
}

const causeTexts: Readonly<Record<UnreachableCause, string>> = {
  refused: 'refused: nothing listens there. Start the engine, or correct its address',
  timed_out: 'timed out: no answer came. Look at the network and the firewall between here and the host',
  tls_wrong:
    'TLS wrong: the two ends do not accept each other’s certificates. Correct authority, certificate and key',
  name_unknown: 'name unknown: the host’s name cannot be looked up. Correct the address, or the name server',
  not_permitted:
    'not permitted: the engine is there and may not be used. Give the worker the right to its socket',
  worker_silent: 'worker silent: no worker of this server takes work. Start it on its host',
  failed: 'failed: the engine answered with an error',
}

/** Cause, remedy, and what the system said. */
export function sayUnreachable(cause: UnreachableCause, detail: string): string {
  return `${causeTexts[cause]}${detail === '' ? '.' : ` (${detail}).`}`
}

/** What a server's queue answers with when its engine cannot be asked. */
export function serverUnreachable(code: string, cause: UnreachableCause, detail: string): BusinessError {
  return new BusinessError(
    'server_unreachable',
    `Server ${code} is out of reach, ${sayUnreachable(cause, detail)}`,
  )
}

export interface PortRange {
  /** Both included. */
  readonly first: number
  readonly last: number
}

export const portsPerServer = 200
export const firstServerPort = 20_000
/** Above it systems give ports to outgoing connections. */
export const lastServerPort = 31_999

/** Ports for a further server: after all that are given, so that two engines on one host share none; from the start again when there are no more. */
export function nextPortRange(given: readonly PortRange[], size: number): PortRange {
  const first = Math.max(firstServerPort, ...given.map(({ last }) => last + 1))
  if (first + size - 1 <= lastServerPort) return { first, last: first + size - 1 }
  return { first: firstServerPort, last: firstServerPort + size - 1 }
}

/**
 * Checks the address of an engine behind TLS.
 * @returns host and port; the port is 2376 where none is said
 * @throws `field_invalid`
 */
export function readEngineAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] =
    /^tcp:\/\/([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?\/?$/.exec(text) ?? []
  const number = Number(port ?? '2376')
  if (host === undefined || number < 1 || number > 65_535)
    throw new BusinessError(
      'field_invalid',
      'The address of an engine is tcp://host:port, such as tcp://10.0.0.7:2376.',
    )
  return { host: host.replaceAll(/[[\]]/g, ''), port: number }
}
