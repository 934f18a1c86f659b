import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A tax service on the loopback interface: it answers everything with `state.answer`, or is away. */
export async function startFakeTaxService() {
  const asked: Record<string, unknown>[] = []
  const state = { isAway: false, answer: {} as object }
  const server = createServer((req, res) => {
    void answer()
    async function answer(): Promise<void> {
      asked.push((await json(req)) as Record<string, unknown>)
      res.setHeader('content-type', 'application/json')
      res.statusCode = state.isAway ? 503 : 200
      res.end(JSON.stringify(state.isAway ? {} : state.answer))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/determinations`,
    asked,
    state,
    close: async () => new Promise((resolve) => server.close(resolve)),
  }
}
