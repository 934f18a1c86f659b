import { Readable } from 'node:stream'
import { z } from '@hono/zod-openapi'
import { getBackup } from '#db/read/backup.ts'
import { BusinessError } from '#domain/errors.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { takeData } from '../permission.ts'

/** A saved volume as a file: a customer who leaves takes along what is his (F-55). */
export function registerBackupDownload(frame: Frame): void {
  const { db, openCopy } = frame.deps
  describe(frame)
  frame.page(
    { method: 'get', path: '/v1/backups/:id/volumes/:volume', permission: takeData },
    async (ctx) => {
      const backup = await getBackup(db, await resolveAddress(db, 'backup', ctx.req.param('id') ?? ''))
      const copy = backup.volumes.find(({ volume }) => volume === ctx.req.param('volume'))
      if (copy === undefined) throw new BusinessError('not_found', 'The backup has no such volume.')
      if (backup.state !== 'kept')
        throw new BusinessError('backup_not_restorable', `It is ${backup.state}: there is nothing to take.`)
      const content = await openCopy(copy.location).catch((cause: unknown) => {
        const detail = `${copy.location} is kept beside server ${backup.server_code}, and not beside this API: take it there.`
        throw new BusinessError('backup_failed', detail, { cause })
      })
      const digest = Buffer.from(copy.sha256, 'hex').toString('base64')
      ctx.header('Content-Type', 'application/x-tar')
      ctx.header('Content-Length', copy.bytes)
      ctx.header('Repr-Digest', `sha-256=:${digest}:`)
      ctx.header('Cache-Control', 'private, no-store')
      ctx.header(
        'Content-Disposition',
        `attachment; filename="${copy.volume.replaceAll(/[^\w.-]/g, '-')}.tar"`,
      )
      return ctx.body(Readable.toWeb(content) as ReadableStream)
    },
  )
}

function describe(frame: Frame): void {
  frame.app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/v1/backups/{id}/volumes/{volume}',
    tags: ['Backups'],
    summary: 'Download a saved volume',
    description: `A tar archive, whose first folder holds what the volume held; its SHA-256 is in Repr-Digest (RFC 9530). A key needs the scope ${takeData}. How to run it: \`/v1/instances/{id}/export\`.`,
    security: [{ key: [] }],
    request: { params: z.object({ id: z.string(), volume: z.string() }) },
    responses: {
      200: { description: 'The archive', content: { 'application/x-tar': { schema: z.string() } } },
      404: { description: 'not_found' },
      409: { description: 'backup_failed: it is kept on another machine than the API' },
      422: { description: 'backup_not_restorable' },
    },
  })
}
