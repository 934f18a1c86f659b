import type { z } from '@hono/zod-openapi'
import type { ErrorCode } from '#domain/errors.ts'
import { problemKinds } from './errors.ts'
import type { RouteDefinition } from './frame.ts'
import { idempotencyHeader, problemSchema } from './schemas/problem.ts'

const always: readonly ErrorCode[] = ['internal_error', 'database_unreachable']
const signedIn: readonly ErrorCode[] = ['login_required', 'key_invalid', 'credentials_ambiguous']

/** The route as OpenAPI 3.1 describes it: the same schemas that validate, and a response for every status it can have. */
export function describeRoute(definition: RouteDefinition) {
  const json = (schema: z.ZodType) => ({ 'application/json': { schema } })
  return {
    method: definition.method,
    path: definition.path,
    tags: [definition.tag],
    summary: definition.summary,
    ...(definition.description === undefined ? {} : { description: definition.description }),
    ...(definition.permission === 'public' ? {} : { security: [{ key: [] }] }),
    request: {
      ...(definition.params ? { params: definition.params as unknown as z.ZodObject } : {}),
      ...(definition.query ? { query: definition.query as unknown as z.ZodObject } : {}),
      ...(needsKey(definition) ? { headers: idempotencyHeader } : {}),
      ...(definition.body ? { body: { content: json(definition.body), required: true } } : {}),
    },
    responses: {
      [definition.status ?? 200]: {
        description: 'Done',
        ...(definition.status === 204 ? {} : { content: json(definition.result) }),
      },
      ...describeRefusals(codesOf(definition)),
    },
  }
}

function needsKey(definition: RouteDefinition): boolean {
  return definition.method !== 'get' && definition.effect !== 'nothing' && definition.effect !== 'unkept'
}

function codesOf(definition: RouteDefinition): Set<ErrorCode> {
  const { permission } = definition
  return new Set<ErrorCode>([
    ...always,
    ...(permission === 'public' ? [] : signedIn),
    ...(permission === 'public' || permission === 'signed_in' ? [] : ['scope_missing' as const]),
    ...(definition.params ? (['not_found', 'id_kind_mismatch'] as const) : []),
    ...(definition.query ? (['field_invalid'] as const) : []),
    ...(definition.method !== 'get'
      ? (['origin_refused', 'json_malformed', 'media_type_unsupported', 'body_too_large'] as const)
      : []),
    ...(definition.body ? (['field_invalid', 'field_required'] as const) : []),
    ...(needsKey(definition)
      ? ([
          'idempotency_key_missing',
          'idempotency_key_invalid',
          'idempotency_key_reused',
          'idempotency_key_in_use',
        ] as const)
      : []),
    ...(definition.effect === 'command' ? (['temporal_unreachable'] as const) : []),
    ...(definition.refusals ?? []),
  ])
}

/** A response for each status that refusals of these codes have. */
export function describeRefusals(codes: ReadonlySet<ErrorCode>) {
  const byStatus = Map.groupBy([...codes].toSorted(), (code) => problemKinds[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      {
        description: list.map((code) => `\`${code}\` ${problemKinds[code].title}`).join('. '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  )
}
