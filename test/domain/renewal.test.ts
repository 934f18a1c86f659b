import assert from 'node:assert/strict'
import test from 'node:test'
import { endOnNotice, termOn, type FixedTerm } from '#domain/renewal.ts'

const year: FixedTerm = {
  startsOn: '2026-03-01',
  length: { count: 12, unit: 'month' },
  notice: { count: 1, unit: 'month' },
  isRenewed: true,
}

test('a year with a month of notice is to be renewed from one month before, and renewed on its last day', () => {
  assert.deepEqual(termOn(year, '2027-01-31'), {
    startsOn: '2026-03-01',
    endsOn: '2027-03-01',
    noticeUntil: '2027-02-01',
    renewsOn: '2027-02-28',
    state: 'running',
  })
  assert.equal(termOn(year, '2027-02-01').state, 'to_renew')
  assert.equal(termOn(year, '2027-02-28').state, 'to_renew')
})

test('the day after a renewed term is the first of the next', () => {
  const next = termOn(year, '2027-03-01')
  assert.deepEqual([next.startsOn, next.endsOn, next.state], ['2027-03-01', '2028-03-01', 'running'])
})

test('a term that is not renewed is ending in its notice, and then ended', () => {
  const last = { ...year, isRenewed: false }
  assert.deepEqual(
    ['2027-01-31', '2027-02-01', '2027-02-28', '2027-03-01', '2030-01-01'].map(
      (date) => termOn(last, date).state,
    ),
    ['running', 'ending', 'ending', 'ended', 'ended'],
  )
  assert.equal(termOn(last, '2027-01-01').renewsOn, null)
})

test('terms from the last day of a month do not drift, and notice may be counted in days', () => {
  const monthly: FixedTerm = {
    startsOn: '2026-01-31',
    length: { count: 1, unit: 'month' },
    notice: { count: 14, unit: 'day' },
    isRenewed: true,
  }
  const term = termOn(monthly, '2026-03-01')
  assert.deepEqual([term.startsOn, term.endsOn, term.noticeUntil], ['2026-02-28', '2026-03-31', '2026-03-17'])
})

test('notice in time ends the running term, too late it ends the next', () => {
  assert.equal(endOnNotice(year, '2027-01-31'), '2027-03-01')
  assert.equal(endOnNotice(year, '2027-02-01'), '2028-03-01')
  assert.equal(endOnNotice({ ...year, isRenewed: false }, '2027-02-01'), '2027-03-01')
})
