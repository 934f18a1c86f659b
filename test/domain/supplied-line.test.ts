import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { addDays } from '#domain/calendar.ts'
import { computeExpenses } from '#domain/expense.ts'
import { findByName, partInMonth } from '#domain/supplied-line.ts'
import { holds } from '#test/support/property.ts'

const line = {
  description: 'Hosting',
  productCode: 'server-l',
  subscription: 'sub_1',
  servicePeriod: { start: '2026-01-16', end: '2026-02-16' },
  issuedOn: '2026-01-16',
  amountMinor: 3_100,
}

test('a line is known by its subscription before its product, by that before its text, and by nothing near it', () => {
  const said = [
    { matches: 'description', value: 'Hosting', is: 'text' },
    { matches: 'product_code', value: 'server-l', is: 'product' },
    { matches: 'subscription', value: 'sub_1', is: 'subscription' },
  ] as const
  assert.equal(findByName(said, line)?.is, 'subscription')
  assert.equal(findByName(said, { ...line, subscription: null })?.is, 'product')
  assert.equal(findByName(said, { ...line, subscription: null, productCode: 'other' })?.is, 'text')
  const near = { subscription: 'sub_10', productCode: 'server', description: 'hosting' }
  assert.equal(findByName(said, near), undefined)
})

test('a line counts in a month by the days of its service', () => {
  assert.equal(partInMonth(line, '2026-01'), 1_600)
  assert.equal(partInMonth(line, '2026-02'), 1_500)
  assert.equal(partInMonth(line, '2026-03'), 0)
  assert.equal(partInMonth({ ...line, servicePeriod: null }, '2026-01'), 3_100)
  const backwards = { start: '2026-05-01', end: '2026-04-01' }
  assert.equal(partInMonth({ ...line, servicePeriod: backwards }, '2026-01'), 3_100)
})

const months = Array.from({ length: 40 }, (_, index) =>
  Temporal.PlainYearMonth.from('2025-12').add({ months: index }).toString(),
)

test('the parts of all months are the amount, whatever the days', async (t) => {
  const days = fc.integer({ min: 0, max: 400 })
  await holds(
    t,
    300,
    [days, days, fc.integer({ min: -1_000_000, max: 1_000_000 })],
    (from, length, amount) => {
      const start = addDays('2026-01-01', from)
      const servicePeriod = { start, end: addDays(start, length) }
      const parts = months.map((month) =>
        partInMonth({ ...line, servicePeriod, issuedOn: start, amountMinor: amount }, month),
      )
      assert.equal(
        parts.reduce((sum, part) => sum + part, 0),
        amount,
      )
    },
  )
})

test('expenses are told by category and currency, and what nobody mapped stands apart', () => {
  const of = (different: object) => ({ ...line, supplierId: 'one', currency: 'USD', ...different })
  const mappings = [
    { supplierId: 'one', matches: 'product_code', value: 'server-l', categoryId: 'hosting' },
  ] as const
  const lines = [
    of({}),
    of({ amountMinor: -310 }),
    of({ currency: 'EUR' }),
    of({ productCode: null }),
    // What was agreed with one supplier says nothing of another's product of that name.
    of({ supplierId: 'two' }),
  ]
  assert.deepEqual(computeExpenses(lines, mappings, '2026-01'), [
    { categoryId: 'hosting', currency: 'USD', amountMinor: 1_440, lines: 2 },
    { categoryId: 'hosting', currency: 'EUR', amountMinor: 1_600, lines: 1 },
    { categoryId: null, currency: 'USD', amountMinor: 3_200, lines: 2 },
  ])
})
