import type { z } from '@hono/zod-openapi'
import { BusinessError, type ErrorCode, type FieldError } from '#domain/errors.ts'
import { pointerOf } from '#domain/json-pointer.ts'
import { isErrorCode } from './errors.ts'

/** Makes a schema refuse with one of our codes: `z.enum(…, { error: refuseWith('billing_type_invalid', '…') })`. */
export function refuseWith(code: ErrorCode, detail: string): string {
  return `${code}: ${detail}`
}

/**
 * The value as the schema gives it back.
 * @throws the code of the first wrong field, with every wrong field and its pointer
 */
export function parse<S extends z.ZodType>(schema: S, value: unknown, place: Place): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const fields = result.error.issues.flatMap((issue) => toFieldErrors(issue, value, place))
  throw refuseFields(fields)
}

/** Where the value came from. Pointers lead into the body; a part of the address is named after its place: `?limit`. */
export type Place = 'body' | 'query'

/** What stands in an address can only be found or not. @throws `not_found` */
export function parseAddress<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new BusinessError('not_found', 'There is nothing at this address.')
}

function refuseFields(fields: readonly FieldError[]): BusinessError {
  const [first] = fields
  if (!first) throw new Error('a refusal names at least one field')
  const detail = fields.length === 1 ? first.detail : `${fields.length} fields are not valid.`
  return new BusinessError(first.code, detail, { fields })
}

function toFieldErrors(issue: z.core.$ZodIssue, value: unknown, place: Place): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: toPointer([...issue.path, key], place),
      code: 'field_invalid' as const,
      detail: `There is no field ${key}.`,
    }))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0)
    return nearestOf(issue).flatMap((nested) => toFieldErrors(nested, value, place))
  const pointer = toPointer(issue.path, place)
  const [, code, detail] = /^([a-z_]+): (.+)$/s.exec(issue.message) ?? []
  if (code !== undefined && detail !== undefined && isErrorCode(code)) return [{ pointer, code, detail }]
  if (readPath(value, issue.path) === undefined && issue.path.length > 0) {
    return [{ pointer, code: 'field_required', detail: `${String(issue.path.at(-1))} is missing.` }]
  }
  return [{ pointer, code: 'field_invalid', detail: `${issue.message}.` }]
}

/** Of several forms that a value may have, what is wrong with it as the one that it comes nearest to. */
function nearestOf({ path, errors }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] {
  const [nearest = []] = errors.toSorted((one, other) => one.length - other.length)
  return nearest.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
}

function toPointer(path: readonly PropertyKey[], place: Place): string {
  if (place === 'query') return `?${path.map(String).join('.')}`
  return pointerOf(path)
}

function readPath(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Record<PropertyKey, unknown>)[part]
        : undefined,
    value,
  )
}
