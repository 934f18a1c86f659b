import { once } from 'node:events'
import { createAdaptorServer } from '@hono/node-server'

type Answer = (request: Request) => Promise<Response>

/** A port of the loopback whose listener can be led elsewhere: shut, slow, or one that loses answers. */
export async function openDoor() {
  let answer: Answer = async () => new Response('not there yet', { status: 503 })
  const server = createAdaptorServer({ fetch: async (request) => await answer(request) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    lead(to: Answer): void {
      answer = to
    },
    /** What answers now, so that another one can stand before it. */
    answer: async (request: Request) => await answer(request),
    async close(): Promise<void> {
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
