import { messageOf } from './errors.ts'

/** What the system calls a failed connection, in words. */
const texts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it broke the connection off',
  EPIPE: 'it broke the connection off',
  ENOTFOUND: 'its name is not found',
  EAI_AGAIN: 'its name cannot be looked up at present',
  ETIMEDOUT: 'no answer came in time',
  EHOSTUNREACH: 'no way leads there from here',
  ENETUNREACH: 'no way leads there from here',
  EPROTO: 'it speaks no TLS that is understood here',
}
/** What OpenSSL and Node call a certificate that they do not take. */
const certificateCode =
  /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|INVALID_CA|ERR_TLS_CERT)/
const tlsCode = /^(?:ERR_SSL|ERR_TLS)/

/**
 * Why another installation is not reached: in words, with what the system said behind them; undefined for what is no failure of a
 * connection, as a call that was cancelled.
 * @example sayUnreachablePeer('https://billing.example.com', error)
 * // https://billing.example.com is not reached: nobody listens there (connect ECONNREFUSED 192.0.2.1:443)
 */
export function sayUnreachablePeer(origin: string, error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const text = textOf(error)
  if (text === undefined) return undefined
  // Where several addresses were tried, each has its own error, and the whole no message.
  const said = error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : error.message
  return `${origin} is not reached: ${text} (${said})`
}

function textOf(error: Error): string | undefined {
  // A call that is ended says by what.
  const { cause } = error
  if (cause instanceof Error && cause.name === 'TimeoutError') return texts['ETIMEDOUT']
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (certificateCode.test(code)) return 'its certificate is not trusted here'
  return tlsCode.test(code) ? texts['EPROTO'] : texts[code]
}
