import { Agent, request } from 'node:http'
import { newId } from '#db/identifier.ts'

/** As many connections as the greatest number of requests at once; each is kept, as a client's would be. */
const connectionsMax = 8

/** A client of the public API over real connections. */
export function createApiClient({ apiUrl, apiKey }: { apiUrl: string; apiKey: string }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax })
  const authorization = `Bearer ${apiKey}`

  async function call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const res = await fetch(`${apiUrl}${path}`, {
      method,
      headers: {
        authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': newId() }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer: unknown = await res.json()
    if (!res.ok) throw new Error(`${method} ${path} answered ${res.status}: ${JSON.stringify(answer)}`)
    return answer
  }

  return {
    get: async (path: string) => await call('GET', path),
    post: async (path: string, body: unknown) => await call('POST', path, body),
    /** How long one GET takes, from sending it to the last byte of its answer. */
    timeGet: async (path: string): Promise<number> =>
      await new Promise((resolve, reject) => {
        const startedMs = performance.now()
        const req = request(`${apiUrl}${path}`, { agent, headers: { authorization } }, (res) => {
          res.resume()
          res.on('error', reject)
          res.on('end', () => {
            if (res.statusCode === 200) resolve(performance.now() - startedMs)
            else reject(new Error(`GET ${path} answered ${res.statusCode}`))
          })
        })
        req.on('error', reject)
        req.end()
      }),
  }
}
