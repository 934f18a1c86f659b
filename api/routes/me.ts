import { z } from '@hono/zod-openapi'
import type { Principal } from '../authentication.ts'
import type { Frame } from '../frame.ts'

const meSchema = z
  .object({
    kind: z.enum(['key', 'operator']),
    id: z.string(),
    mode: z.enum(['live', 'test']).nullable().openapi({ description: 'Of a key.' }),
    scopes: z.array(z.string()).openapi({ description: 'What it may do; * is everything.' }),
  })
  .openapi('Me')

export function registerMe(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/me',
      permission: 'signed_in',
      tag: 'Access',
      summary: 'Who am I, and what may I do',
      result: meSchema,
    },
    ({ principal }) => Promise.resolve(toMeJson(principal)),
  )
}

function toMeJson(principal: Principal): z.input<typeof meSchema> {
  return principal.kind === 'key'
    ? { kind: 'key', id: principal.name, mode: principal.mode, scopes: [...principal.scopes] }
    : { kind: 'operator', id: principal.name, mode: null, scopes: ['*'] }
}
