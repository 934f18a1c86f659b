import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { addDays, compareDates, daysIn } from '#domain/calendar.ts'
import type { Line } from '#domain/line.ts'
import {
  cancelLine,
  delayLine,
  pauseLine,
  planSuccessor,
  renewLine,
  replaceLine,
  resumeLine,
  stopLine,
  transferLine,
  uncancelLine,
  type LineChange,
} from '#domain/line-change.ts'
import { aLine, hasCode } from './line-fixture.ts'

const today = '2026-05-01'

function dates(line: Line | null): string {
  return line === null ? 'none' : `${line.startsOn}/${line.endsOn ?? ''}`
}

function bothDates(change: LineChange): string[] {
  return [dates(change.line), dates(change.successor)]
}

test('a stopped line ends on the day, does not renew, and is never prolonged', () => {
  const line = aLine({ endsOn: '2026-12-31', renewal: 'automatic' })
  assert.deepEqual(stopLine(line, { endsOn: '2026-06-10', today }), {
    line: { ...line, endsOn: '2026-06-10', renewal: 'none' },
    successor: null,
  })
  assert.equal(stopLine(line, { endsOn: '2027-06-10', today }).line.endsOn, '2026-12-31')
})

test('stopping a line that has not begun cancels it', () => {
  const { line } = stopLine(aLine({ startsOn: '2026-08-01' }), { endsOn: '2026-08-01', today })
  assert.deepEqual([line.isCancelled, dates(line)], [true, '2026-08-01/'])
})

test('a line is not stopped before its last billed day', () => {
  const line = aLine({ billedUntil: '2026-06-01' })
  assert.equal(stopLine(line, { endsOn: '2026-06-01', today }).line.endsOn, '2026-06-01')
  assert.throws(
    () => stopLine(line, { endsOn: '2026-05-31', today }),
    (error) => hasCode(error, 'before_last_billed_day', /billed to 2026-05-31/),
  )
  const planned = aLine({ startsOn: '2026-08-01', billedUntil: '2026-09-01' })
  assert.throws(
    () => stopLine(planned, { endsOn: '2026-07-01', today }),
    (error) => hasCode(error, 'before_last_billed_day'),
  )
})

test('a cancelled line comes back, and does not renew by itself', () => {
  const line = aLine({ endsOn: '2027-01-01', renewal: 'automatic' })
  const cancelled = cancelLine(line, today).line
  assert.deepEqual([cancelled.isCancelled, cancelled.renewal], [true, 'none'])
  assert.deepEqual(uncancelLine(cancelled, today).line, { ...line, renewal: 'none' })
})

test('a delayed line keeps its length; one that was billed is not delayed', () => {
  assert.equal(dates(delayLine(aLine({ endsOn: '2026-02-01' }), 30, today).line), '2026-01-31/2026-03-03')
  assert.equal(dates(delayLine(aLine(), 30, today).line), '2026-01-31/')
  assert.throws(
    () => delayLine(aLine({ billedUntil: '2026-01-02' }), 30, today),
    (error) => hasCode(error, 'action_not_allowed', /billed/),
  )
})

test('a planned successor never shares a day with its predecessor', () => {
  const line = aLine({ endsOn: '2026-08-01' })
  const plan = { startsOn: '2026-08-01', endsOn: '2026-10-01', renewal: 'automatic', today } as const
  assert.deepEqual(bothDates(planSuccessor(line, plan)), ['2026-01-01/2026-08-01', '2026-08-01/2026-10-01'])
  for (const wrong of [
    { ...plan, startsOn: '2026-07-31' },
    { ...plan, endsOn: '2026-07-31' },
  ]) {
    assert.throws(
      () => planSuccessor(line, wrong),
      (error) => hasCode(error, 'date_range_invalid'),
    )
  }
})

test('the day of a change belongs to the new terms', () => {
  const line = aLine({ startsOn: '2026-04-01', billedUntil: '2026-05-01' })
  const change = replaceLine(line, { startsOn: '2026-04-10', today: '2026-04-10' })
  assert.deepEqual(bothDates(change), ['2026-04-01/2026-04-10', '2026-04-10/'])
  assert.equal(change.line.billedUntil, '2026-05-01')
  assert.equal(change.successor?.billedUntil, null)
})

test('a line that is changed from its first day keeps no day', () => {
  const change = replaceLine(aLine({ endsOn: '2027-01-01', renewal: 'automatic' }), {
    startsOn: '2025-06-01',
    today,
  })
  assert.deepEqual(bothDates(change), ['2026-01-01/2026-01-01', '2026-01-01/2027-01-01'])
  assert.equal(change.successor?.renewal, 'automatic')
})

test('a line is not changed after its end', () => {
  assert.throws(
    () => replaceLine(aLine({ endsOn: '2026-07-01' }), { startsOn: '2026-07-01', today }),
    (error) => hasCode(error, 'action_not_allowed', /before the change/),
  )
})

const pauses: [name: string, line: Partial<Line>, pause: [string, string | null], expected: string[]][] = [
  [
    'to 31 December, paused 1 to 10 June, ends on 10 January',
    { endsOn: '2027-01-01' },
    ['2026-06-01', '2026-06-11'],
    ['2026-01-01/2026-06-01', '2026-06-11/2027-01-11'],
  ],
  ['without end stays without', {}, ['2026-06-01', '2026-06-11'], ['2026-01-01/2026-06-01', '2026-06-11/']],
  [
    'that ends inside a pause serves the rest after it',
    { endsOn: '2026-06-05' },
    ['2026-06-01', '2026-06-11'],
    ['2026-01-01/2026-06-01', '2026-06-11/2026-06-15'],
  ],
  [
    'that begins inside a pause begins after it',
    { startsOn: '2026-06-05', endsOn: '2026-07-05' },
    ['2026-06-01', '2026-06-11'],
    ['2026-06-11/2026-07-11', 'none'],
  ],
  [
    'that begins after a pause moves by it',
    { startsOn: '2026-07-01', endsOn: '2026-08-01' },
    ['2026-06-01', '2026-06-11'],
    ['2026-07-11/2026-08-11', 'none'],
  ],
  [
    'that ends before a pause stays',
    { endsOn: '2026-06-01' },
    ['2026-06-01', '2026-06-11'],
    ['2026-01-01/2026-06-01', 'none'],
  ],
  ['with an open pause ends where it begins', {}, ['2026-06-01', null], ['2026-01-01/2026-06-01', 'none']],
  [
    'starts paused when the pause is open from its start',
    { startsOn: '2026-06-01' },
    ['2026-06-01', null],
    ['2026-06-01/2026-06-01', 'none'],
  ],
  [
    'keeps its billed days where the pause comes before it',
    { startsOn: '2026-06-05', billedUntil: '2026-07-05' },
    ['2026-06-01', '2026-06-11'],
    ['2026-06-05/2026-06-05', '2026-06-11/'],
  ],
]

for (const [name, line, [start, end], expected] of pauses) {
  test(`a line ${name}`, () => {
    assert.deepEqual(bothDates(pauseLine(aLine(line), { start, end, today })), expected)
  })
}

test('a paused line asks a person should its successor be cancelled; the successor renews as the line did', () => {
  const line = aLine({ endsOn: '2027-01-01', renewal: 'automatic' })
  const change = pauseLine(line, { start: '2026-06-01', end: '2026-06-11', today })
  assert.deepEqual([change.line.renewal, change.successor?.renewal], ['asked', 'automatic'])
})

test('a pause has a day, and only what has no successor is paused', () => {
  assert.throws(
    () => pauseLine(aLine(), { start: '2026-06-01', end: '2026-06-01', today }),
    (error) => hasCode(error, 'date_range_invalid'),
  )
  assert.throws(
    () =>
      pauseLine(aLine({ endsOn: '2026-07-01', hasSuccessor: true }), {
        start: '2026-06-01',
        end: null,
        today,
      }),
    (error) => hasCode(error, 'action_not_allowed', /successor/),
  )
})

test('a line resumed on the day it was paused goes on as it was; one that had ended does not come back', () => {
  const line = aLine({ endsOn: '2026-12-01' })
  const pausedOn = '2026-06-01'
  assert.equal(dates(resumeLine(line, { pausedOn, resumedOn: pausedOn })), '2026-06-01/2026-12-01')
  assert.equal(resumeLine(aLine({ endsOn: pausedOn }), { pausedOn, resumedOn: '2026-07-01' }), null)
})

test('a year is renewed by a later end, or by a line for the next year', () => {
  const line = aLine({ startsOn: '2022-01-01', endsOn: '2023-01-01', renewal: 'automatic' })
  const every = { count: 12, unit: 'month' } as const
  assert.deepEqual(bothDates(renewLine(line, { every, by: 'extension' })), ['2022-01-01/2024-01-01', 'none'])
  const renewed = renewLine(line, { every, by: 'successor' })
  assert.deepEqual(bothDates(renewed), ['2022-01-01/2023-01-01', '2023-01-01/2024-01-01'])
  assert.deepEqual([renewed.line.renewal, renewed.successor?.renewal], ['none', 'automatic'])
})

test('a term that began on the 31st comes back to the 31st', () => {
  const line = aLine({ startsOn: '2026-01-31', endsOn: '2026-02-28', renewal: 'automatic' })
  const every = { count: 1, unit: 'month' } as const
  assert.equal(renewLine(line, { every, by: 'extension' }).line.endsOn, '2026-03-31')
})

for (const line of [
  aLine(),
  aLine({ endsOn: '2027-01-01' }),
  aLine({ endsOn: '2027-01-01', renewal: 'asked', hasSuccessor: true }),
]) {
  test(`${dates(line)} with renewal ${line.renewal} is not renewed${line.hasSuccessor ? ' twice' : ''}`, () => {
    assert.throws(
      () => renewLine(line, { every: { count: 1, unit: 'month' }, by: 'extension' }),
      (error) => hasCode(error, 'action_not_allowed'),
    )
  })
}

test('10 users split 6 and 4 from 1 May are two lines that begin that day', () => {
  const line = aLine({ billedUntil: '2026-05-01' })
  const transfer = transferLine(line, { quantity: '10', movedQuantity: '4', startsOn: '2026-05-01', today })
  assert.deepEqual([transfer.keptQuantity, transfer.movedQuantity], ['6', '4'])
  assert.deepEqual(bothDates(transfer.given), ['2026-01-01/2026-05-01', '2026-05-01/'])
  assert.equal(dates(transfer.taken), '2026-05-01/')
})

test('what is handed over as a whole leaves no successor', () => {
  const transfer = transferLine(aLine(), { quantity: '10', movedQuantity: '10', startsOn: today, today })
  assert.equal(transfer.keptQuantity, '0')
  assert.deepEqual([transfer.given.successor, transfer.given.line.hasSuccessor], [null, false])
})

for (const movedQuantity of ['0', '-1', '10.5']) {
  test(`${movedQuantity} of 10 cannot be handed over`, () => {
    assert.throws(
      () => transferLine(aLine(), { quantity: '10', movedQuantity, startsOn: today, today }),
      (error) => hasCode(error, 'quantity_invalid'),
    )
  })
}

const day = fc.integer({ min: 0, max: 800 }).map((days) => addDays('2026-01-01', days))
const aPause = fc
  .record({ start: day, days: fc.integer({ min: 1, max: 90 }) })
  .map(({ start, days }) => ({ start, end: addDays(start, days) }))
const anEndedLine = fc
  .record({ startsOn: day, days: fc.integer({ min: 1, max: 400 }) })
  .map(({ startsOn, days }) => aLine({ startsOn, endsOn: addDays(startsOn, days) }))
const runs = { numRuns: 3000 }

function servedDays(lines: readonly Line[]): number {
  return lines.reduce(
    (days, line) => days + daysIn({ start: line.startsOn, end: line.endsOn ?? line.startsOn }),
    0,
  )
}

/** Pauses in the order of their days, each of what the one before left. */
function pauseAll(line: Line, pauses: readonly { start: string; end: string }[]): Line[] {
  const inOrder = pauses.toSorted((first, second) => compareDates(first.start, second.start))
  return inOrder.reduce<Line[]>(
    (lines, pause) => {
      const last = lines.at(-1)
      assert.ok(last)
      const change = pauseLine(last, { ...pause, today: '2026-01-01' })
      return [...lines.slice(0, -1), change.line, ...(change.successor ? [change.successor] : [])]
    },
    [line],
  )
}

test('pauses, repeated as often as one likes, keep the days that a line serves, and no two lines share one', () => {
  fc.assert(
    fc.property(anEndedLine, fc.array(aPause, { maxLength: 4 }), (line, pauses) => {
      const lines = pauseAll(line, pauses)
      assert.equal(servedDays(lines), servedDays([line]))
      for (const [index, after] of lines.slice(1).entries())
        assert.ok(compareDates(lines[index]?.endsOn ?? '9999-12-31', after.startsOn) <= 0)
      for (const { start, end } of pauses) assert.ok(lines.every((each) => !overlaps(each, start, end)))
    }),
    runs,
  )
})

function overlaps(line: Line, start: string, end: string): boolean {
  if (line.startsOn === line.endsOn) return false
  return compareDates(line.startsOn, end) < 0 && compareDates(start, line.endsOn ?? '9999-12-31') < 0
}

test('an open pause that is resumed leaves what a pause with that end would have', () => {
  fc.assert(
    fc.property(anEndedLine, aPause, (line, { start, end }) => {
      if (compareDates(line.endsOn ?? '', start) <= 0) return
      const closed = pauseLine(line, { start, end, today: '2026-01-01' })
      const resumed = resumeLine(line, { pausedOn: start, resumedOn: end })
      assert.deepEqual(resumed, closed.successor ?? closed.line)
    }),
    runs,
  )
})

test('a pause and a stop from the same day leave the same days, whichever comes first', () => {
  fc.assert(
    fc.property(anEndedLine, aPause, (line, { start, end }) => {
      const stop = { endsOn: start, today: '2026-01-01' }
      const stoppedFirst = stopLine(line, stop).line
      if (stoppedFirst.isCancelled) return
      const pausedAfter = pauseLine(stoppedFirst, { start, end, today: '2026-01-01' })
      const paused = pauseLine(line, { start, end, today: '2026-01-01' })
      const rest = paused.successor && stopLine(paused.successor, stop).line
      assert.ok(rest === null || rest.isCancelled)
      assert.equal(pausedAfter.successor, null)
      assert.equal(dates(pausedAfter.line), dates(paused.line))
    }),
    runs,
  )
})

test('changes, in any number, leave lines that tile the days of the first', () => {
  fc.assert(
    fc.property(anEndedLine, fc.array(day, { maxLength: 5 }), (line, changes) => {
      let lines = [line]
      for (const startsOn of changes) {
        const last = lines.at(-1)
        assert.ok(last)
        if (compareDates(startsOn, last.endsOn ?? '') >= 0) continue
        const change = replaceLine(last, { startsOn, today: '2026-01-01' })
        assert.ok(change.successor)
        lines = [...lines.slice(0, -1), change.line, change.successor]
      }
      assert.deepEqual([lines[0]?.startsOn, lines.at(-1)?.endsOn], [line.startsOn, line.endsOn])
      for (const [index, after] of lines.slice(1).entries())
        assert.equal(lines[index]?.endsOn, after.startsOn)
    }),
    runs,
  )
})
