import { request } from 'node:http'
import type { RequestOptions } from 'node:http'

const quietTimeoutMs = 30_000

/**
 * One question to a Docker engine, before anything is known about it: `docker/` talks to engines that are known
 * to be usable. A path that is not there answers undefined.
 */
export function askEngine(host: string, method: 'GET' | 'DELETE', path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const req = request({ ...addressOf(host), method, path, timeout: quietTimeoutMs }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const status = res.statusCode ?? 0
        if (status >= 400 && status !== 404)
          return reject(new Error(`${method} ${path} answered ${status}: ${text}`))
        return resolve(status === 200 ? tryJson(text) : undefined)
      })
    })
    req.on('timeout', () => req.destroy(new Error('the engine does not answer')))
    req.on('error', reject)
    req.end()
  })
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function addressOf(host: string): RequestOptions {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) }
  const url = new URL(host.replace(/^tcp:/, 'http:'))
  if (url.protocol !== 'http:') throw new Error(`${url.protocol} is not a way to reach an engine`)
  return { host: url.hostname, port: url.port || 2375 }
}
