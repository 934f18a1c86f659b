import { findApplicationIcon } from '#db/read/application.ts'
import { BusinessError } from '#domain/errors.ts'
import { iconBytes } from '#domain/icon.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'

/** A version never changes, so its icon is kept by browsers for a year. */
export function registerApplicationIcon(frame: Frame): void {
  const { db } = frame.deps
  frame.page(
    { method: 'get', path: '/applications/:id/versions/:version/icon', permission: 'applications:read' },
    async (ctx) => {
      const id = await resolveAddress(db, 'application', ctx.req.param('id') ?? '')
      const version = Number(ctx.req.param('version'))
      const icon = Number.isSafeInteger(version) ? await findApplicationIcon(db, id, version) : undefined
      if (icon === undefined)
        throw new BusinessError('not_found', 'This version of the application has no icon.')
      const { type, bytes } = iconBytes(icon)
      return ctx.body(bytes, 200, {
        'Content-Type': type,
        'Cache-Control': 'private, max-age=31536000, immutable',
      })
    },
  )
}

/** Which icon: of a version that has one; null where there is none. */
export interface IconOf {
  readonly application: string
  readonly version: number
}

/** It says nothing that the words beside it do not say. */
export function ApplicationIcon({ of, isLarge = false }: { of: IconOf | null; isLarge?: boolean }) {
  if (of === null) return null
  const size = isLarge ? 40 : 20
  const address = `/applications/${encodeId('application', of.application)}/versions/${of.version}/icon`
  return <img class="icon" src={address} alt="" width={size} height={size} loading="lazy" />
}
