import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Json } from './installation.ts'

/** A message as a receiver has it. */
export interface ReceivedWebhook {
  readonly id: string
  readonly event: Json
  /** The secrets, of those that the receiver knows, that its signatures are by. */
  readonly signedBy: readonly string[]
}

/** Answers, or has the request left open for ever; where it does neither, the message is taken. */
type Answering = (response: ServerResponse) => 'left open' | void

/**
 * What listens for webhooks, on the loopback: it checks signatures as the Standard Webhooks say, by code of its own. `answering` is asked for
 * each request.
 */
export async function openReceiver(answering: Answering = () => {}) {
  const received: ReceivedWebhook[] = []
  const secrets: string[] = []
  const server = createServer((request, response) => {
    void read(request, secrets).then((message) => {
      if (answering(response) === 'left open' || response.writableEnded || response.destroyed) return
      received.push(message)
      response.writeHead(204).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`,
    received,
    /** By which messages are checked; one may be told later. */
    secrets,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function read(request: IncomingMessage, secrets: readonly string[]): Promise<ReceivedWebhook> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const body = Buffer.concat(chunks).toString('utf8')
  const header = (name: string) => String(request.headers[name])
  const [id, timestamp] = [header('webhook-id'), header('webhook-timestamp')]
  const isFresh = Math.abs(Date.now() / 1_000 - Number(timestamp)) < 300
  const signatures = header('webhook-signature').split(' ')
  const signedBy = secrets.filter((secret) => {
    const bytes = Buffer.from(secret.replace('whsec_', ''), 'base64')
    const expected = Buffer.from(
      `v1,${createHmac('sha256', bytes).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
    )
    return signatures.some(
      (one) => one.length === expected.length && timingSafeEqual(Buffer.from(one), expected),
    )
  })
  return { id, event: JSON.parse(body) as Json, signedBy: isFresh ? signedBy : [] }
}
