import assert from 'node:assert/strict'
import test from 'node:test'
import {
  allowedLineActions,
  checkLine,
  checkLineAction,
  checkSuccession,
  lineActions,
  lineState,
  noticeStartsOn,
  refuseLineAction,
  type Line,
  type LineAction,
} from '#domain/line.ts'
import { aLine, hasCode } from './line-fixture.ts'

const today = '2026-06-15'
const month = { count: 1, unit: 'month' } as const

const tables: [name: string, line: Partial<Line>, allowed: LineAction[]][] = [
  ['a new line without end', {}, ['pause', 'stop', 'cancel', 'delay', 'delete']],
  [
    'a new line with an end',
    { endsOn: '2027-01-01' },
    ['successor', 'pause', 'stop', 'cancel', 'delay', 'delete'],
  ],
  [
    'a line that renews by itself',
    { endsOn: '2027-01-01', renewal: 'automatic' },
    ['pause', 'stop', 'cancel', 'delay', 'delete'],
  ],
  [
    'a line with a successor',
    { endsOn: '2027-01-01', hasSuccessor: true },
    ['stop', 'cancel', 'delay', 'delete'],
  ],
  ['a billed line without end', { billedUntil: '2026-07-01' }, ['pause', 'stop']],
  [
    'a billed line with an end',
    { endsOn: '2027-01-01', billedUntil: '2026-07-01' },
    ['successor', 'pause', 'stop'],
  ],
  ['an ended line', { endsOn: '2026-06-15', billedUntil: '2026-06-15' }, ['successor', 'stop']],
  [
    'an ended line with a successor',
    { endsOn: '2026-06-15', billedUntil: '2026-06-15', hasSuccessor: true },
    [],
  ],
  ['a cancelled line', { isCancelled: true }, ['uncancel', 'delete']],
  ['a cancelled line whose place was taken', { isCancelled: true, hasRival: true }, ['delete']],
]

for (const [name, line, allowed] of tables) {
  test(`${name} can be asked: ${allowed.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(allowedLineActions(aLine(line), today), allowed)
  })
}

/** Whether each action is possible, by state; the reason where it is not. A line from 1 January, looked at on 15 June. */
const cells: [state: string, line: Partial<Line>, refused: Readonly<Partial<Record<LineAction, string>>>][] =
  [
    ['planned, open', { startsOn: '2026-07-01' }, { successor: 'no end', uncancel: 'not cancelled' }],
    ['planned, with an end', { startsOn: '2026-07-01', endsOn: '2027-01-01' }, { uncancel: 'not cancelled' }],
    [
      'planned, with a successor',
      { startsOn: '2026-07-01', endsOn: '2027-01-01', hasSuccessor: true },
      { successor: 'has a successor', pause: 'has a successor', uncancel: 'not cancelled' },
    ],
    ['running, open, never billed', {}, { successor: 'no end', uncancel: 'not cancelled' }],
    ['running, with an end, never billed', { endsOn: '2027-01-01' }, { uncancel: 'not cancelled' }],
    [
      'running, renewed by itself, never billed',
      { endsOn: '2027-01-01', renewal: 'automatic' },
      { successor: 'renews by itself', uncancel: 'not cancelled' },
    ],
    ['running, billed, open', { billedUntil: '2026-07-01' }, { ...billedReasons(), successor: 'no end' }],
    ['running, billed, with an end', { endsOn: '2027-01-01', billedUntil: '2026-07-01' }, billedReasons()],
    [
      'running, billed, renewed by itself',
      { endsOn: '2027-01-01', billedUntil: '2026-07-01', renewal: 'automatic' },
      { ...billedReasons(), successor: 'renews by itself' },
    ],
    [
      'running, billed, with a successor',
      { endsOn: '2027-01-01', billedUntil: '2026-07-01', hasSuccessor: true },
      { ...billedReasons(), successor: 'has a successor', pause: 'has a successor' },
    ],
    [
      'ended, billed',
      { endsOn: '2026-06-01', billedUntil: '2026-06-01' },
      { ...billedReasons(), pause: 'has ended' },
    ],
    [
      'ended, billed, with a successor',
      { endsOn: '2026-06-01', billedUntil: '2026-06-01', hasSuccessor: true },
      {
        ...billedReasons(),
        successor: 'has a successor',
        pause: 'has ended',
        stop: 'successor has taken over',
      },
    ],
    [
      'ended, never billed',
      { endsOn: '2026-06-01' },
      { pause: 'has ended', cancel: 'has ended', uncancel: 'not cancelled' },
    ],
    [
      'ended, never billed, with a successor',
      { endsOn: '2026-06-01', hasSuccessor: true },
      {
        successor: 'has a successor',
        pause: 'has ended',
        stop: 'successor has taken over',
        cancel: 'has ended',
        uncancel: 'not cancelled',
      },
    ],
    ['cancelled', { isCancelled: true }, cancelledReasons()],
    [
      'cancelled, its place taken',
      { isCancelled: true, hasRival: true },
      { ...cancelledReasons(), uncancel: 'another line took its place' },
    ],
  ]

function billedReasons() {
  return {
    cancel: 'it was billed; stop it instead',
    uncancel: 'not cancelled',
    delay: 'it was billed',
    delete: 'it was billed',
  }
}

function cancelledReasons() {
  const reason = 'it is cancelled'
  return { successor: reason, pause: reason, stop: reason, cancel: reason, delay: reason }
}

for (const [state, line, refused] of cells) {
  for (const action of lineActions) {
    const reason = refused[action]
    test(`a line that is ${state}: ${action} ${reason === undefined ? 'is possible' : `is not, ${reason}`}`, () => {
      const check = () => checkLineAction(aLine(line), action, today)
      if (reason === undefined) check()
      else assert.throws(check, (error) => hasCode(error, 'action_not_allowed', new RegExp(reason)))
    })
  }
}

test('a refusal says why, and what can be done instead', () => {
  const line = aLine({ endsOn: '2027-01-01', hasSuccessor: true, billedUntil: '2026-07-01' })
  assert.equal(refuseLineAction(line, 'pause', today), 'it has a successor')
  assert.throws(
    () => checkLineAction(line, 'cancel', today),
    (error) => hasCode(error, 'action_not_allowed', /it was billed; stop it instead\. Possible: stop\./),
  )
})

const term: Partial<Line> = { startsOn: '2026-01-01', endsOn: '2027-01-01' }
const states: [today: string, line: Partial<Line>, state: string][] = [
  ['2025-12-31', term, 'planned'],
  ['2026-01-01', term, 'running'],
  ['2026-11-30', term, 'running'],
  ['2026-12-01', term, 'ending'],
  ['2026-12-01', { ...term, renewal: 'automatic' }, 'to_renew'],
  ['2026-12-01', { ...term, renewal: 'asked' }, 'to_renew'],
  ['2026-12-01', { ...term, renewal: 'asked', hasSuccessor: true }, 'ending'],
  ['2027-01-01', term, 'ended'],
  ['2027-01-01', { ...term, renewal: 'automatic' }, 'to_renew'],
  ['2027-01-01', { ...term, renewal: 'asked', hasSuccessor: true }, 'ended'],
  ['2030-01-01', { startsOn: '2026-01-01' }, 'running'],
  ['2026-06-15', { ...term, isCancelled: true }, 'cancelled'],
]

for (const [day, line, state] of states) {
  test(`with a month's notice, ${JSON.stringify(line)} is ${state} on ${day}`, () => {
    assert.equal(lineState(aLine(line), day, month), state)
  })
}

test('notice begins so long before the end, and on the end where there is none', () => {
  assert.equal(noticeStartsOn('2027-01-01', month), '2026-12-01')
  assert.equal(noticeStartsOn('2027-01-01', { count: 14, unit: 'day' }), '2026-12-18')
  assert.equal(noticeStartsOn('2027-01-01', null), '2027-01-01')
})

const broken: [name: string, line: Partial<Line>, forcedOn: string | null, code: string][] = [
  ['ends before it starts', { endsOn: '2025-12-31' }, null, 'date_range_invalid'],
  ['was billed before it starts', { billedUntil: '2026-01-01' }, null, 'date_range_invalid'],
  [
    'was billed beyond its end',
    { endsOn: '2026-02-01', billedUntil: '2026-03-01' },
    null,
    'before_last_billed_day',
  ],
  ['is invoiced before it starts', {}, '2025-12-31', 'date_range_invalid'],
  ['is invoiced before what was billed', { billedUntil: '2026-03-01' }, '2026-02-28', 'date_range_invalid'],
  ['renews and has no end', { renewal: 'automatic' }, null, 'action_not_allowed'],
  ['is followed and has no end', { hasSuccessor: true }, null, 'action_not_allowed'],
  [
    'renews and is followed',
    { endsOn: '2027-01-01', renewal: 'automatic', hasSuccessor: true },
    null,
    'action_not_allowed',
  ],
  [
    'renews and is cancelled',
    { endsOn: '2027-01-01', renewal: 'automatic', isCancelled: true },
    null,
    'action_not_allowed',
  ],
]

for (const [name, line, forcedOn, code] of broken) {
  test(`no line ${name}`, () => {
    assert.throws(
      () => checkLine(aLine(line), forcedOn),
      (error) => hasCode(error, code),
    )
  })
}

test('a line that keeps the rules is let through', () => {
  checkLine(aLine({ endsOn: '2027-01-01', billedUntil: '2026-03-01', renewal: 'automatic' }), '2026-03-01')
})

test('a successor starts on the day its predecessor ends, or later', () => {
  checkSuccession({ endsOn: '2026-06-15' }, { startsOn: '2026-06-15' })
  assert.throws(
    () => checkSuccession({ endsOn: '2026-06-15' }, { startsOn: '2026-06-14' }),
    (error) => hasCode(error, 'date_range_invalid'),
  )
  assert.throws(
    () => checkSuccession({ endsOn: null }, { startsOn: '2026-06-15' }),
    (error) => hasCode(error, 'date_range_invalid'),
  )
})
