import { interpolate, parseTemplate, variablesOf, type VariableUse } from '#domain/interpolation.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Findings, Path } from './finding.ts'

/** What the application's folder holds beside the compose file. */
export interface Folder {
  /** Content hashes of the folders that images are built from, by folder. */
  readonly folders: Readonly<Record<string, string>>
  /** The text of a small file by its path in the folder, `conf/site.conf`; undefined where there is none. */
  readonly textOf: (path: string) => string | undefined
  /** The hash of this installation's own program; left out: no image is made of it. */
  readonly program?: string
}

/** A file while it is read. */
export interface Reading {
  readonly code: string
  readonly folder: Folder
  readonly findings: Findings
  /** Volumes that the file declares, and those that it uses without. */
  readonly volumes: Set<string>
  /** Services that the file asks for 0 times, or in a profile that is not chosen. */
  readonly leftOut: Set<string>
  /** The top-level blocks that services refer to. */
  readonly configs: Readonly<Record<string, unknown>>
  readonly secrets: Readonly<Record<string, unknown>>
}

/**
 * A path beside the compose file as the folder knows it, `conf/site.conf`; undefined where it leads out of the folder. One
 * template collection keeps its files in `../files`: here they are in the folder `files`.
 */
export function pathInFolder(path: string): string | undefined {
  if (path.startsWith('/') || path.startsWith('~')) return undefined
  const inside = path.replace(/^\.\.\/files(?=\/|$)/, './files')
  const parts = inside.split('/').filter((part) => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : parts.join('/')
}

/** A place in a file, and what reads it. */
export interface Place {
  readonly path: Path
  readonly reading: Reading
}

export function below(place: Place, ...parts: (string | number)[]): Place {
  return { ...place, path: [...place.path, ...parts] }
}

export function refuse(place: Place, reason: string, remedy: string): undefined {
  place.reading.findings.refuse(place.path, reason, remedy)
  return undefined
}

export function replace(place: Place, reason: string): void {
  place.reading.findings.replace(place.path, reason)
}

export function isGranted(place: Place, permission: string, reason: string): boolean {
  return place.reading.findings.isGranted(place.path, permission, reason)
}

/**
 * A value that is needed before anything is ordered, such as an image or a port: its variables take their fallbacks.
 * @returns undefined where one has none; the findings say so
 */
export function fixedText(value: unknown, place: Place): string | undefined {
  if (typeof value !== 'string') return textOf(value)
  try {
    return interpolate(value, () => undefined)
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    const [first] = variablesIn(value).filter((use) => !use.isOptional)
    if (first === undefined) return refuse(place, error.message, 'write ${NAME}, or $$ for a dollar sign')
    const remedy = `write a fallback, as in \${${first.name}:-value}: it is needed before anything is ordered`
    return refuse(place, `\${${first.name}} has no value`, remedy)
  }
}

/** A value that is filled when an instance is built. */
export function template(value: unknown, place: Place): string | undefined {
  const text = textOf(value)
  if (isTemplate(text)) return text
  return refuse(
    place,
    'holds a dollar sign that begins no variable',
    'write ${NAME}, or $$ for a dollar sign',
  )
}

/** The variables of a text; none where it is no template. */
export function variablesIn(text: string): VariableUse[] {
  return isTemplate(text) ? variablesOf(text) : []
}

function isTemplate(text: string): boolean {
  try {
    parseTemplate(text)
    return true
  } catch (error) {
    if (error instanceof BusinessError) return false
    throw error
  }
}

/** A scalar as text; nothing of anything else. */
export function textOf(value: unknown): string {
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isScalar ? String(value) : ''
}

/** The items of a list; one value is a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

export function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isMap ? (value as Readonly<Record<string, unknown>>) : {}
}

/** `NAME=value` items and mappings alike; null where an item has a name only. */
export function pairsOf(value: unknown, separator = '='): [name: string, value: unknown][] {
  if (!Array.isArray(value)) return Object.entries(mapOf(value))
  return value.map((item) => {
    const text = textOf(item)
    const at = text.indexOf(separator)
    return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
  })
}
