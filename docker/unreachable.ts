import type { UnreachableCause } from '#domain/server.ts'

const causesByCode: Readonly<Record<string, UnreachableCause>> = {
  // A socket that is not there is an engine that does not listen.
  ECONNREFUSED: 'refused',
  ENOENT: 'refused',
  ECONNRESET: 'refused',
  EPIPE: 'refused',
  EACCES: 'not_permitted',
  EPERM: 'not_permitted',
  ENOTFOUND: 'name_unknown',
  EAI_AGAIN: 'name_unknown',
  EAI_NONAME: 'name_unknown',
  ETIMEDOUT: 'timed_out',
  EHOSTUNREACH: 'timed_out',
  ENETUNREACH: 'timed_out',
  EPROTO: 'tls_wrong',
}

/** What OpenSSL and Node call a certificate or a handshake that one of the two ends does not take. */
const tlsCode =
  /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|INVALID_CA)/

/** Why a connection to an engine did not come about, by what the system said; undefined for what is no error of a connection. */
export function unreachableCause(error: unknown): UnreachableCause | undefined {
  if (!(error instanceof Error)) return undefined
  if (error.name === 'TimeoutError') return 'timed_out'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (tlsCode.test(code)) return 'tls_wrong'
  return causesByCode[code]
}
