import { BusinessError } from './errors.ts'

/**
 * The variables of a compose file, as its specification writes them: `$NAME`, `${NAME}`, `$$` for a dollar sign, and
 * `${NAME:-text}`, `${NAME-text}`, `${NAME:+text}`, `${NAME+text}`, `${NAME:?text}`, `${NAME?text}`, where text may hold
 * variables again. With a colon, an empty value counts as none.
 * Source: compose-spec, "Interpolation".
 */
export type Segment = string | Reference

interface Reference {
  readonly name: string
  readonly operator: '' | '-' | ':-' | '+' | ':+' | '?' | ':?'
  readonly argument: readonly Segment[]
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
const OPERATOR = /:?[-+?]/y
const DEPTH_MAX = 8

/**
 * A template as its segments.
 * @throws `template_invalid` where a dollar sign begins none of the forms.
 */
export function parseTemplate(template: string): Segment[] {
  const cursor: Cursor = { text: template, at: 0, depth: 0 }
  return parseSegments(cursor)
}

interface Cursor {
  readonly text: string
  at: number
  depth: number
}

function parseSegments(cursor: Cursor): Segment[] {
  const segments: Segment[] = []
  let literal = ''
  while (cursor.at < cursor.text.length) {
    const character = cursor.text.charAt(cursor.at)
    if (character === '}' && cursor.depth > 0) break
    cursor.at += 1
    if (character !== '$') {
      literal += character
      continue
    }
    if (cursor.text.charAt(cursor.at) === '$') {
      cursor.at += 1
      literal += '$'
      continue
    }
    if (literal !== '') segments.push(literal)
    literal = ''
    segments.push(parseReference(cursor))
  }
  if (literal !== '') segments.push(literal)
  return segments
}

function parseReference(cursor: Cursor): Reference {
  const isBraced = cursor.text.charAt(cursor.at) === '{'
  if (isBraced) cursor.at += 1
  const name = take(cursor, NAME)
  if (name === undefined) throw invalid(cursor.text)
  if (!isBraced) return { name, operator: '', argument: [] }
  const operator = (take(cursor, OPERATOR) ?? '') as Reference['operator']
  const argument = operator === '' ? [] : parseArgument(cursor)
  if (cursor.text.charAt(cursor.at) !== '}') throw invalid(cursor.text)
  cursor.at += 1
  return { name, operator, argument }
}

function parseArgument(cursor: Cursor): Segment[] {
  cursor.depth += 1
  if (cursor.depth > DEPTH_MAX) throw invalid(cursor.text)
  const argument = parseSegments(cursor)
  cursor.depth -= 1
  return argument
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)?.[0]
  cursor.at += found?.length ?? 0
  return found
}

function invalid(template: string): BusinessError {
  return new BusinessError(
    'template_invalid',
    `${JSON.stringify(template)} holds a dollar sign that begins no variable: write \${NAME}, or $$ for a dollar sign`,
  )
}

/** A variable as a template uses it. */
export interface VariableUse {
  readonly name: string
  /** The template may be filled without a value for it. */
  readonly isOptional: boolean
  /** What stands in its place then, where that is a text without variables; null where nothing is said. */
  readonly fallback: string | null
}

/** Every variable of a template, in order; one that is used twice is there twice. */
export function variablesOf(template: string): VariableUse[] {
  return uses(parseTemplate(template))
}

function uses(segments: readonly Segment[]): VariableUse[] {
  return segments.flatMap((segment) => {
    if (typeof segment === 'string') return []
    const { name, operator, argument } = segment
    const hasFallback = operator === '-' || operator === ':-'
    const isPlain = argument.every((part) => typeof part === 'string')
    return [
      {
        name,
        isOptional: hasFallback || operator === '+' || operator === ':+',
        fallback: hasFallback && isPlain ? argument.join('') : null,
      },
      ...uses(argument),
    ]
  })
}

/** The template that is filled with the text itself: `cost: $5` is `cost: $$5`. */
export function literalTemplate(text: string): string {
  return text.replaceAll('$', '$$$$')
}

/** The values of a table by name: its own, and never what every object has. */
export function valuesOf(table: Readonly<Record<string, string>>): (name: string) => string | undefined {
  return (name) => (Object.hasOwn(table, name) ? table[name] : undefined)
}

/**
 * Puts values into a template: `interpolate('${USER}:$$1', name => …)` with USER = x is `x:$1`, and
 * `${PORT:-80}` without a PORT is `80`.
 * @param value the value of a variable, or undefined where it has none
 * @throws `variable_missing` for one that has neither value nor fallback
 */
export function interpolate(template: string, value: (name: string) => string | undefined): string {
  return fill(parseTemplate(template), value)
}

function fill(segments: readonly Segment[], value: (name: string) => string | undefined): string {
  return segments
    .map((segment) => (typeof segment === 'string' ? segment : fillReference(segment, value)))
    .join('')
}

function fillReference(
  { name, operator, argument }: Reference,
  value: (name: string) => string | undefined,
): string {
  const found = value(name)
  const isThere = found !== undefined && (found !== '' || !operator.startsWith(':'))
  if (operator.endsWith('+')) return isThere ? fill(argument, value) : ''
  if (isThere) return found
  if (operator.endsWith('-')) return fill(argument, value)
  const reason = operator === '' ? 'has no value' : fill(argument, value) || 'has no value'
  throw new BusinessError('variable_missing', `variable ${name}: ${reason}`)
}

/**
 * Puts those values into a template that are known, and leaves the others: with DISK = 50, `${DISK:-10} ${PASSWORD}` is
 * `50 ${PASSWORD}`. A dollar sign of a value stays one when the rest is filled.
 */
export function interpolateKnown(template: string, value: (name: string) => string | undefined): string {
  return fillKnown(parseTemplate(template), value)
}

function fillKnown(segments: readonly Segment[], value: (name: string) => string | undefined): string {
  return segments
    .map((segment) => {
      if (typeof segment === 'string') return literalTemplate(segment)
      if (value(segment.name) === undefined) {
        return `\${${segment.name}${segment.operator}${fillKnown(segment.argument, value)}}`
      }
      return literalTemplate(fillReference(segment, value))
    })
    .join('')
}
