import { Socket } from 'node:net'
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import type { ReachedDataSource } from '#domain/data-source.ts'

const largestAnswerBytes = 1024 * 1024
const lookMs = 20

/**
 * A connection to the address of a data source that was checked, and to no other. It ends itself once about 1 MiB came over it,
 * in whatever form: a stranger's answer has no end that is known.
 */
export function openBounded(
  { address, port }: Pick<ReachedDataSource, 'address' | 'port'>,
  abortSignal: AbortSignal,
): Socket {
  return boundedSocket(abortSignal).connect(port, address)
}

/** The same before it is connected, for a driver that does so itself. */
export function boundedSocket(abortSignal: AbortSignal): Socket {
  const socket = new Socket()
  const end = () => socket.destroy(new Error('given up'))
  abortSignal.addEventListener('abort', end, { once: true })
  // Counted below TLS too, where no listener hears what comes.
  const timer = setInterval(() => {
    if (socket.bytesRead > largestAnswerBytes)
      socket.destroy(new Error(`the answer is larger than ${largestAnswerBytes} bytes`))
  }, lookMs)
  socket.once('close', () => {
    clearInterval(timer)
    abortSignal.removeEventListener('abort', end)
  })
  return socket
}

/** An answer as text, of which 1 MiB at most is read. */
export async function readBounded(answer: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer) {
    size += chunk.byteLength
    if (size > largestAnswerBytes) throw new Error(`the answer is larger than ${largestAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The certificate has to be of the name that the operator gave, whatever the address is. */
export function tlsOf({ host, certificateAuthority }: ReachedDataSource): ConnectionOptions {
  return {
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    rejectUnauthorized: true,
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    ...(certificateAuthority === null ? {} : { ca: certificateAuthority }),
  }
}
