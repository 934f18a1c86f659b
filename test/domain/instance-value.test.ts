import assert from 'node:assert/strict'
import test from 'node:test'
import { metricOfValue, recordedOn } from '#domain/instance-value.ts'

const recorded = [
  { code: 'users', value: '11', startsOn: '2026-05-15' },
  { code: 'users', value: '5', startsOn: '2026-04-01' },
  { code: 'disk_gib', value: '40', startsOn: '2026-04-01' },
]

test('a value holds from its day on until another one does', () => {
  const onDays = ['2026-03-31', '2026-04-01', '2026-05-14', '2026-05-15', '2027-01-01']
  assert.deepEqual(
    onDays.map((day) => recordedOn(recorded, 'users', day)),
    [undefined, '5', '5', '11', '11'],
  )
})

const metrics = [
  { code: 'disk', unit: 'B' },
  { code: 'open-tickets', unit: 'piece' },
]

test('a value is measured by the metric of its name, in the metric’s unit or in the one it names', () => {
  assert.deepEqual(metricOfValue('disk', metrics), { metric: 'disk', unit: 'B' })
  assert.deepEqual(metricOfValue('disk_gib', metrics), { metric: 'disk', unit: 'GiB' })
  assert.deepEqual(metricOfValue('open_tickets', metrics), { metric: 'open-tickets', unit: 'piece' })
  assert.equal(metricOfValue('users', metrics), undefined)
})
