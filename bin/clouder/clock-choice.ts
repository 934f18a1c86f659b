import type { TestClock } from './answers.ts'
import { notFoundFailure, usageFailure } from './failure.ts'
import type { Session } from './session.ts'

const mostClocks = 500

/** The test clock that is meant: by id, number or name; without a word, the only one there is. */
export async function findClock({ api }: Session, text: string | undefined): Promise<TestClock> {
  const { rows: clocks } = await api.list<TestClock>('/v1/test-clocks', {}, mostClocks)
  const names = clocks.map(({ name, number }) => `${name} (${number})`).join(', ')
  const found =
    text === undefined
      ? clocks
      : clocks.filter(({ id, number, name }) => id === text || String(number) === text || name === text)
  const [clock, another] = found
  if (clock !== undefined && another === undefined) return clock
  if (clock !== undefined)
    throw usageFailure(`There are several such test clocks: ${names}.`, 'Name one with its number or id.')
  throw notFoundFailure(
    text === undefined ? 'There is no test clock.' : `There is no test clock ${text}.`,
    names === '' ? 'npx clouder clock create demo --now 2026-01-31T09:00:00Z' : `There are: ${names}`,
  )
}
