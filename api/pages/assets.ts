import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BusinessError } from '#domain/errors.ts'
import type { Frame } from '../frame.ts'

const types = {
  'console.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'portal.css': 'text/css; charset=utf-8',
  'live.js': 'text/javascript; charset=utf-8',
} as const
export type AssetName = keyof typeof types

/** Read once: what is served and what its address says are the same bytes for the life of the process. */
const assets = new Map(
  Object.entries(types).map(([name, type]) => {
    const content = readFileSync(new URL(`../assets/${name}`, import.meta.url), 'utf8')
    const version = createHash('sha256').update(content).digest('base64url').slice(0, 12)
    return [name, { content, type, version }]
  }),
)

/** The address holds the content's hash, so that a browser keeps it for ever and still gets the next one. */
export function assetUrl(name: AssetName): string {
  return `/assets/${name}?v=${assets.get(name)?.version ?? ''}`
}

export function registerAssets(frame: Frame): void {
  for (const name of assets.keys()) {
    frame.page({ method: 'get', path: `/assets/${name}`, permission: 'public' }, (ctx) => {
      const asset = assets.get(name)
      if (!asset) throw new BusinessError('not_found', `There is no file ${name}.`)
      const isPinned = ctx.req.query('v') === asset.version
      return ctx.body(asset.content, 200, {
        'Content-Type': asset.type,
        'Cache-Control': isPinned ? 'public, max-age=31536000, immutable' : 'no-cache',
      })
    })
  }
}
