import assert from 'node:assert/strict'
import test from 'node:test'
import { calendarMark, decideStart, openingDocument, type StartFacts } from '#domain/recurrence-start.ts'

const facts: StartFacts = {
  rule: 'activation',
  orderedOn: '2026-03-01',
  plannedOn: null,
  activatedOn: '2026-03-03',
  draftDays: 0,
  hasOneTimeFee: false,
}

test('ordered on 1 March and ready on 3 March, it is charged from 3 March, or by confirmation from 1 March', () => {
  assert.equal(decideStart(facts), '2026-03-03')
  assert.equal(decideStart({ ...facts, rule: 'confirmation' }), '2026-03-01')
})

test('by the first invoice nothing recurs before that is finalized, and without one there is nothing to wait for', () => {
  const rule = { ...facts, rule: 'first_invoice', draftDays: 5 } as const
  assert.equal(decideStart({ ...rule, hasOneTimeFee: true }), '2026-03-08')
  assert.equal(decideStart(rule), '2026-03-03')
})

test('a day that was past when it was ordered is kept, one that is to come waits for the application', () => {
  assert.equal(decideStart({ ...facts, plannedOn: '2026-01-15' }), '2026-01-15')
  assert.equal(decideStart({ ...facts, plannedOn: '2026-03-02' }), '2026-03-03')
  assert.equal(decideStart({ ...facts, plannedOn: '2026-04-01' }), '2026-04-01')
  assert.equal(decideStart({ ...facts, plannedOn: '2026-03-02', rule: 'confirmation' }), '2026-03-02')
})

const monthly = { count: 1, unit: 'month' } as const

test('a line opens its customer’s common document with its first day as anchor', () => {
  assert.deepEqual(openingDocument({ interval: monthly, alignment: 'anchored' }, '2026-08-15', false), {
    ownAnchorOn: null,
    billingCycleAnchor: '2026-08-15',
    nextPeriodIndex: 0,
    nextInvoiceOn: '2026-08-15',
  })
})

test('an anchor of its own makes a document of its own', () => {
  const document = openingDocument({ interval: monthly, alignment: 'anchored' }, '2026-08-15', true)
  assert.equal(document.ownAnchorOn, '2026-08-15')
})

test('by the calendar a month turns on the first, a quarter on 1 October, a year on 1 January, a week on Monday', () => {
  const nextOf = (interval: { count: number; unit: 'day' | 'month' | 'month_last_day' }) =>
    openingDocument({ interval, alignment: 'calendar' }, '2026-08-15', false).nextInvoiceOn
  assert.equal(nextOf(monthly), '2026-09-01')
  assert.equal(nextOf({ count: 2, unit: 'month' }), '2026-10-01')
  assert.equal(nextOf({ count: 3, unit: 'month' }), '2026-10-01')
  assert.equal(nextOf({ count: 6, unit: 'month' }), '2027-01-01')
  assert.equal(nextOf({ count: 12, unit: 'month' }), '2027-01-01')
  assert.equal(nextOf({ count: 7, unit: 'day' }), '2026-08-17')
  assert.equal(nextOf({ count: 1, unit: 'month_last_day' }), '2026-09-01')
})

test('by the calendar a start on the first day of a period is due at once, on the one document of the calendar', () => {
  const document = openingDocument({ interval: monthly, alignment: 'calendar' }, '2026-09-01', false)
  assert.deepEqual([document.nextPeriodIndex, document.nextInvoiceOn], [0, '2026-09-01'])
  assert.equal(document.ownAnchorOn, calendarMark)
})
