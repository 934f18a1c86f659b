import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { json } from 'node:stream/consumers'

/** What it was asked, in order. */
export interface AskedSearch {
  readonly path: string
  readonly host: string
  readonly authorization: string
  readonly body: unknown
}

/**
 * No Elasticsearch: a server that answers what it is told to answer, as the reference of Elasticsearch 8 shows the answers of `_count`
 * and `_search`.
 */
export async function startFakeElasticsearch(
  answer: (asked: AskedSearch, res: ServerResponse) => void,
  tls?: { readonly key: string; readonly cert: string },
) {
  const asked: AskedSearch[] = []
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    void json(req).then((body) => {
      const one = {
        path: req.url ?? '',
        host: req.headers.host ?? '',
        authorization: req.headers.authorization ?? '',
        body,
      }
      asked.push(one)
      answer(one, res)
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    asked,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** As `_count` answers; of the shards, so many failed. */
export function countAnswer(count: number, failed = 0): string {
  return JSON.stringify({ count, _shards: { total: 2, successful: 2 - failed, skipped: 0, failed } })
}

/** As `_search` with `size: 0` answers, with one aggregation `value`. */
export function searchAnswer(value: number | null, timedOut = false): string {
  return JSON.stringify({
    took: 3,
    timed_out: timedOut,
    _shards: { total: 2, successful: 2, skipped: 0, failed: 0 },
    hits: { max_score: null, hits: [] },
    aggregations: { value: { value } },
  })
}
