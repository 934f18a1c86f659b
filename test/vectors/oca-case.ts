import type { OcaCase } from './adapter.ts'
import { readDate, type DateNames } from './symbolic-date.ts'

/** T may be any day: an ordinary one, the 29 February, and the last of a long month. */
const testDays = ['2025-01-15', '2024-02-29', '2025-08-31']

/** A case once for each day of the test, its dates written out; once only where it does not say T. */
export function bindCase(testCase: OcaCase): Readonly<Record<string, OcaCase>> {
  const isSymbolic = /"[(]?[TY][+"-]|[LS]\.(start|end)|"date_(start|end)[+-]/.test(JSON.stringify(testCase))
  const days = isSymbolic ? testDays : testDays.slice(0, 1)
  return Object.fromEntries(days.map((day) => [day, bindTo(day, testCase)]))
}

function bindTo(day: string, testCase: OcaCase): OcaCase {
  const concrete = testCase[`concrete_T_${day.replaceAll('-', '_')}`]
  const written = isRecord(concrete) ? { ...testCase, ...concrete } : testCase
  const withT = bind(written, { T: day }) as OcaCase
  return { T: day, ...(bind(withT, namesOf(withT, day)) as OcaCase) }
}

/** L is the line, S the suspension; the line begins on the day of the test where nothing else is said. */
function namesOf(testCase: OcaCase, day: string): DateNames {
  const line = isRecord(testCase['line']) ? testCase['line'] : testCase
  const suspend = isRecord(testCase['suspend']) ? testCase['suspend'] : {}
  const start = isDate(line['date_start']) ? line['date_start'] : day
  const names = {
    date_start: start,
    'L.start': start,
    date_end: line['date_end'],
    'L.end': line['date_end'],
    'S.start': suspend['start'],
    'S.end': suspend['end'],
  }
  return Object.fromEntries(
    Object.entries(names).filter((entry): entry is [string, string] => isDate(entry[1])),
  )
}

function bind(value: unknown, names: DateNames): unknown {
  if (typeof value === 'string') return readDate(value, names) ?? value
  if (Array.isArray(value)) return value.map((item) => bind(item, names))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, bind(item, names)]))
}

const actions = ['plan_successor', 'suspend', 'stop', 'cancel', 'uncancel', 'delay', 'delete']

/**
 * What a case states, as it is compared: an error is stated as being one, whatever its text; what is put in words is
 * stated as true, and the adapter answers true where the engine bears it out. A date of null in a list of runs says
 * nothing. Markers are the one section whose result is a text.
 */
export function statedFields(testCase: OcaCase, section: string): Record<string, unknown> {
  const isStated = (key: string) =>
    section === 'allowed_actions' ? actions.includes(key) : key.startsWith('expect') && !key.endsWith('_note')
  const fields = Object.entries(testCase).filter(([key]) => isStated(key))
  return Object.fromEntries(
    fields.map(([key, value]) => [key, section === 'markers' ? value : compared(key, value)]),
  )
}

/** Half of the last place that a case says it is good for; 0 where it says nothing. */
export function toleranceOf(testCase: OcaCase): number {
  const decimals = testCase['tolerance_decimals']
  return typeof decimals === 'number' ? 0.5 / 10 ** decimals : 0
}

function compared(key: string, value: unknown): unknown {
  if (key.endsWith('error') && typeof value === 'string') return true
  if (typeof value === 'string') return /\s/.test(value.trim()) ? true : value
  if (Array.isArray(value)) return value.map((item) => compared(key, item))
  if (!isRecord(value)) return value
  const entries = Object.entries(value).filter(([field, item]) => field !== 'invoice_date' || item !== null)
  return Object.fromEntries(entries.map(([field, item]) => [field, compared(field, item)]))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDate(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)
}
