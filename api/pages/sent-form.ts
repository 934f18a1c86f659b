import { z } from 'zod'
import type { KeyedRequest } from '#db/idempotency.ts'
import type { ErrorCode } from '#domain/errors.ts'
import { problemKinds } from '../errors.ts'
import type { ApiContext } from '../frame.ts'
import { keyedRequest, readIdempotencyKey } from '../idempotency.ts'
import { requireOperator } from './console-page.tsx'

export type Values = Readonly<Record<string, string>>

/** The fields of a form that was sent, and its key; the token that proves its page is not among them. */
export async function readForm(ctx: ApiContext): Promise<Values> {
  const form = z.record(z.string(), z.string()).parse(await ctx.req.parseBody())
  const { form_token: _token, ...values } = form
  return values
}

/** A form as the request under whose key its effect is made once, and its fields without that key. */
export function keyedForm(ctx: ApiContext, values: Values): { request: KeyedRequest; fields: Values } {
  const { idempotency_key: key, ...fields } = values
  const request = keyedRequest({
    principal: requireOperator(ctx).name,
    key: readIdempotencyKey(key),
    method: ctx.req.method,
    path: ctx.req.path,
    body: JSON.stringify(fields),
  })
  return { request, fields }
}

/** With which a refused form is shown again. The engine's silence is no fault of the form. */
export function refusedStatus(code: ErrorCode): 422 | 503 {
  return problemKinds[code].status === 503 ? 503 : 422
}
