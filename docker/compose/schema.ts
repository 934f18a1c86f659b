import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { BusinessError } from '#domain/errors.ts'
import { interpolate } from '#domain/interpolation.ts'
import type { Findings, Path } from './finding.ts'

/** Keys that a collection of templates adds to the specification; `mounts.ts` and `service.ts` read them. */
const EXTENSIONS: Readonly<Record<string, (path: Path) => boolean>> = {
  exclude_from_hc: (path) => path.length === 3 && path[0] === 'services',
  content: isOfMount,
  is_directory: isOfMount,
  isDirectory: isOfMount,
}

function isOfMount(path: Path): boolean {
  return path.length === 5 && path[0] === 'services' && path[2] === 'volumes'
}

let compiled: ValidateFunction | undefined

/** Compiled when it is first needed: it takes longer than to read a file. */
function validator(): ValidateFunction {
  if (compiled !== undefined) return compiled
  const schema: object = JSON.parse(readFileSync(new URL('compose-spec.json', import.meta.url), 'utf8'))
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    validateFormats: false,
    verbose: true,
    logger: false,
  })
  compiled = ajv.compile(schema)
  return compiled
}

/** Errors that say no more than others do, or that name no harm: an item that is there twice is there once. */
const SILENT = new Set(['oneOf', 'anyOf', 'if', 'uniqueItems'])

/**
 * Holds the file against the Compose specification's own schema. Variables have their fallbacks there, as Compose does it.
 * @returns the places that are not as it says, each refused in the findings; what lies there is not read further
 */
export function checkSchema(file: Readonly<Record<string, unknown>>, findings: Findings): Path[] {
  const validate = validator()
  if (validate(prepare(file, []))) return []
  const errors = (validate.errors ?? []).filter(
    (error) => !SILENT.has(error.keyword) && !isOpen(error.data) && !isPlain(error),
  )
  const plain = errors.filter((error) => error.keyword !== 'unevaluatedProperties')
  const nearest = new Map<string, ErrorObject>()
  // A key is called unevaluated when anything beside it is wrong: the word counts only where nothing else is said.
  for (const error of plain.length > 0 ? plain : errors.filter((one) => !isReadAnyway(one))) {
    const place = pathOf(error).join('/')
    if (!nearest.has(place)) nearest.set(place, error)
  }
  const places = [...nearest.values()].map(pathOf)
  const deepest = [...nearest.values()].filter((error) => !isAbove(pathOf(error), places))
  for (const error of deepest)
    findings.refuse(
      fileKeys(pathOf(error), file),
      describe(error),
      'write it as the Compose specification says',
    )
  return deepest.map((error) => fileKeys(pathOf(error), file))
}

/** Beside a silent error every key is unevaluated; those of a service are read by name anyway. */
function isReadAnyway(error: ErrorObject): boolean {
  return /^\/services\/[^/]+$/.test(error.instancePath)
}

/** `user: 1000` is taken for `user: '1000'`. */
function isPlain(error: ErrorObject): boolean {
  return (
    error.keyword === 'type' &&
    Reflect.get(error.params, 'type') === 'string' &&
    typeof error.data === 'number'
  )
}

/** A variable that has no value yet may become what the schema asks for. */
function isOpen(data: unknown): boolean {
  return typeof data === 'string' && data.includes('$')
}

function isAbove(place: Path, places: readonly Path[]): boolean {
  return places.some(
    (other) => other.length > place.length && place.every((part, index) => other[index] === part),
  )
}

function pathOf(error: ErrorObject): string[] {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const params: Readonly<Record<string, unknown>> = error.params
  const extra = params['additionalProperty'] ?? params['unevaluatedProperty']
  return typeof extra === 'string' ? [...path, extra] : path
}

/** Places in lists as numbers, as the file has them. */
function fileKeys(path: readonly string[], file: unknown): Path {
  let value = file
  return path.map((part) => {
    const isIndex = Array.isArray(value)
    value = typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined
    return isIndex ? Number(part) : part
  })
}

function describe(error: ErrorObject): string {
  if (error.keyword === 'additionalProperties' || error.keyword === 'false schema')
    return 'is not a key of the Compose specification'
  if (error.instancePath.endsWith('/environment')) return 'is neither a mapping nor a list of NAME=value'
  if (error.keyword === 'type') return `is not of the type ${String(Reflect.get(error.params, 'type'))}`
  return error.message ?? 'is not what the Compose specification says'
}

/** The file without the extensions, with fallbacks in the place of variables. */
function prepare(value: unknown, path: Path): unknown {
  if (Array.isArray(value)) return value.map((item, index) => prepare(item, [...path, index]))
  if (typeof value === 'string') return fallbackOf(value)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => !(EXTENSIONS[key]?.([...path, key]) ?? false))
  return Object.fromEntries(entries.map(([key, item]) => [key, prepare(item, [...path, key])]))
}

function fallbackOf(text: string): string {
  if (!text.includes('$')) return text
  try {
    return interpolate(text, () => undefined)
  } catch (error) {
    if (error instanceof BusinessError) return text
    throw error
  }
}
