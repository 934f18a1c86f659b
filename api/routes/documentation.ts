import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { BusinessError } from '#domain/errors.ts'
import { isErrorCode, problemKinds } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { errorListPage, errorPage, referencePage } from '../pages/documentation.tsx'
import { documentationPolicy } from '../security-headers.ts'

const rapidocFile = createRequire(import.meta.url).resolve('rapidoc/dist/rapidoc-min.js')

/** The reference and a page for each error code. Everything is served by this process: no network is asked. */
export function registerDocumentation(frame: Frame): void {
  frame.app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key: ck_live_… or ck_test_…',
  })
  frame.page({ method: 'get', path: '/openapi.json', permission: 'public' }, (ctx) =>
    ctx.json(openApi(frame)),
  )
  frame.page({ method: 'get', path: '/docs', permission: 'public' }, (ctx) => {
    ctx.header('Content-Security-Policy', documentationPolicy)
    return ctx.html(referencePage())
  })
  frame.page({ method: 'get', path: '/docs/errors', permission: 'public' }, (ctx) =>
    ctx.html(errorListPage(Object.entries(problemKinds))),
  )
  frame.page({ method: 'get', path: '/docs/errors/:code', permission: 'public' }, (ctx) => {
    const code = ctx.req.param('code') ?? ''
    if (!isErrorCode(code)) throw new BusinessError('not_found', `There is no error code ${code}.`)
    return ctx.html(errorPage(code, problemKinds[code]))
  })
  frame.page({ method: 'get', path: '/assets/rapidoc.js', permission: 'public' }, async (ctx) =>
    ctx.body(await readFile(rapidocFile, 'utf8'), 200, {
      'Content-Type': 'text/javascript; charset=utf-8',
      'Cache-Control': 'public, max-age=86400',
    }),
  )
}

/** OpenAPI 3.1, from the schemas that validate. */
function openApi(frame: Frame) {
  return frame.app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Clouder',
      version: '1',
      description:
        'Sells, builds, bills and retires container-hosted applications. Every error is a problem detail (RFC 9457) with a stable code; see /docs/errors.',
    },
    servers: [{ url: '/' }],
  })
}
