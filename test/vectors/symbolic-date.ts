import { addDays, daysIn } from '#domain/calendar.ts'

/**
 * Dates that a case writes as sums: `T+5mo`, `S.start-1d`, `L.start+(S.end-L.start)+1d`. T is the day of the test; what
 * a name stands for comes from outside. A text that is no such sum is left alone.
 */
export type DateNames = Readonly<Record<string, string>>

/** A date, days, or a length that is only known once it is added to a date. */
type Value =
  | { readonly kind: 'date'; readonly date: string }
  | { readonly kind: 'length'; readonly length: Temporal.DurationLike }

const token = /\s*([A-Za-z_]+(?:\.[a-z]+)?|\d+(?:mo|d|w|y)|[-+()])/y
const units = { d: 'days', w: 'weeks', mo: 'months', y: 'years' } as const

/** The date that a text stands for; undefined when it is no sum of the names given. */
export function readDate(text: string, names: DateNames): string | undefined {
  const year = /^Y(-\d\d-\d\d)$/.exec(text)
  if (year) return `${names['T']?.slice(0, 4)}${year[1]}`
  const tokens = readTokens(text)
  if (tokens === undefined) return undefined
  const value = readSum(tokens, names)
  return tokens.length === 0 && value?.kind === 'date' ? value.date : undefined
}

function readTokens(text: string): string[] | undefined {
  const tokens: string[] = []
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const found = token.exec(text)
    if (found?.[1] === undefined) return undefined
    tokens.push(found[1])
  }
  return tokens
}

/** Takes what it reads off the front of the tokens. */
function readSum(tokens: string[], names: DateNames): Value | undefined {
  let sum = readTerm(tokens, names)
  while (sum !== undefined && (tokens[0] === '+' || tokens[0] === '-')) {
    const sign = tokens.shift() === '+' ? 1 : -1
    const term = readTerm(tokens, names)
    sum = term === undefined ? undefined : add(sum, sign, term)
  }
  return sum
}

function readTerm(tokens: string[], names: DateNames): Value | undefined {
  const first = tokens.shift()
  if (first === undefined) return undefined
  if (first === '(') {
    const inner = readSum(tokens, names)
    return tokens.shift() === ')' ? inner : undefined
  }
  const length = /^(\d+)(mo|d|w|y)$/.exec(first)
  if (length)
    return { kind: 'length', length: { [units[length[2] as keyof typeof units]]: Number(length[1]) } }
  const date = Object.hasOwn(names, first) ? names[first] : undefined
  return date === undefined ? undefined : { kind: 'date', date }
}

function add(sum: Value, sign: 1 | -1, term: Value): Value | undefined {
  if (sum.kind === 'date' && term.kind === 'length') {
    const day = Temporal.PlainDate.from(sum.date)
    return { kind: 'date', date: (sign === 1 ? day.add(term.length) : day.subtract(term.length)).toString() }
  }
  if (sum.kind === 'date' && term.kind === 'date' && sign === -1) {
    return { kind: 'length', length: { days: daysIn({ start: term.date, end: sum.date }) } }
  }
  return undefined
}

/** The first day after an inclusive end, and back. An open end stays open. */
export function afterLast(lastDay: unknown): string | null {
  return typeof lastDay === 'string' ? addDays(lastDay, 1) : null
}

export function lastBefore(end: string | null): string | null {
  return end === null ? null : addDays(end, -1)
}
