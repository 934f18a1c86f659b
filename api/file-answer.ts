import type { ApiContext } from './frame.ts'

/** A file that never changes, to be saved and not shown: its ETag is its hash. */
export function answerFile(
  ctx: ApiContext,
  file: { sha256: Buffer; content: Buffer; name: string; mediaType: string },
): Response {
  const etag = `"${file.sha256.toString('hex')}"`
  ctx.header('ETag', etag)
  ctx.header('Cache-Control', 'private, no-cache')
  if (ctx.req.header('if-none-match') === etag) return ctx.body(null, 304)
  ctx.header('Content-Type', file.mediaType)
  ctx.header('Content-Disposition', `attachment; filename="${file.name}"`)
  ctx.header('X-Content-Type-Options', 'nosniff')
  ctx.header('Content-Security-Policy', "default-src 'none'; sandbox")
  return ctx.body(new Uint8Array(file.content))
}
