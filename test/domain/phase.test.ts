import assert from 'node:assert/strict'
import test from 'node:test'
import { boundaryAfter } from '#domain/billing-cycle.ts'
import { compareDates } from '#domain/calendar.ts'
import { datePhases, firstBilledOn, phaseOn, type Phase } from '#domain/phase.ts'

const offer: Phase<string>[] = [
  { length: { count: 1, unit: 'month' }, agreed: '0.00' },
  { length: { count: 2, unit: 'month' }, agreed: '5.00' },
  { length: null, agreed: '10.00' },
]

test('phases follow each other from the start', () => {
  assert.deepEqual(datePhases('2026-01-05', offer), [
    { startsOn: '2026-01-05', endsOn: '2026-02-05', agreed: '0.00' },
    { startsOn: '2026-02-05', endsOn: '2026-04-05', agreed: '5.00' },
    { startsOn: '2026-04-05', endsOn: null, agreed: '10.00' },
  ])
})

test('0.00 for a month, 5.00 for two, then 10.00 is invoiced as 0.00, 5.00, 5.00, 10.00', () => {
  const phases = datePhases('2026-01-05', offer)
  const invoiced: (string | undefined)[] = []
  for (let date = '2026-01-05'; compareDates(date, '2026-05-01') < 0;) {
    invoiced.push(phaseOn(phases, date)?.agreed)
    date = boundaryAfter('2026-01-05', { count: 1, unit: 'month' }, date)
  }
  assert.deepEqual(invoiced, ['0.00', '5.00', '5.00', '10.00'])
})

test('after a last phase with an end there is none', () => {
  const phases = datePhases('2021-09-10', [{ length: { count: 42, unit: 'day' }, agreed: '24.95' }])
  assert.equal(phaseOn(phases, '2021-10-21')?.agreed, '24.95')
  assert.equal(phaseOn(phases, '2021-10-22'), undefined)
  assert.equal(phaseOn(phases, '2021-09-09'), undefined)
})

test('a phase without end that is not the last is refused, and so are no phases', () => {
  assert.throws(
    () =>
      datePhases('2026-01-05', [
        { length: null, agreed: 1 },
        { length: null, agreed: 2 },
      ]),
    {
      code: 'phases_invalid',
    },
  )
  assert.throws(() => datePhases('2026-01-05', []), { code: 'phases_invalid' })
})

test('a trial of 15 days from 3 January is first billed on 18 January', () => {
  assert.equal(firstBilledOn({ startsOn: '2026-01-03', days: 15 }), '2026-01-18')
})

test('a change during a trial counts the new trial from the first start', () => {
  assert.equal(firstBilledOn({ startsOn: '2026-01-03', days: 20, changedOn: '2026-01-10' }), '2026-01-23')
  assert.equal(firstBilledOn({ startsOn: '2026-01-03', days: 5, changedOn: '2026-01-10' }), '2026-01-10')
})
