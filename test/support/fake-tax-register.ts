import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A register of tax ids on the loopback interface that speaks as VIES does: it knows what it was told, or is away. */
export async function startFakeTaxRegister() {
  const known = new Map<string, string>()
  const asked: Record<string, string>[] = []
  const state = { isAway: false }
  const server = createServer((req, res) => {
    void answer()
    async function answer(): Promise<void> {
      const body = (await json(req)) as Record<string, string>
      asked.push(body)
      res.setHeader('content-type', 'application/json')
      if (state.isAway) {
        res.statusCode = 500
        return void res.end('{"actionSucceed":false,"errorWrappers":[{"error":"MS_UNAVAILABLE"}]}')
      }
      const name = known.get(`${body['countryCode']}${body['vatNumber']}`)
      const said = {
        countryCode: body['countryCode'],
        vatNumber: body['vatNumber'],
        requestDate: '2026-11-25T12:00:00.000Z',
        valid: name !== undefined,
        requestIdentifier: body['requesterNumber'] === undefined ? '' : `WAPI${asked.length}`,
        name: name ?? '---',
        address: '---',
      }
      res.end(JSON.stringify(said))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/rest-api`,
    known,
    asked,
    state,
    close: async () => new Promise((resolve) => server.close(resolve)),
  }
}
