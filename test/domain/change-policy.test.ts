import Big from 'big.js'
import assert from 'node:assert/strict'
import test from 'node:test'
import { changeTakesEffectOn, classifyChange, yearlyAmount } from '#domain/change-policy.ts'
import { defaultTerms } from '#domain/terms.ts'

const dates = { today: '2026-04-10', periodEnd: '2026-05-01' }

function monthly(amount: number): Big {
  return yearlyAmount(new Big(amount), { count: 1, unit: 'month' })
}

test('a higher or equal price a year is an upgrade, a lower one a downgrade', () => {
  assert.equal(classifyChange(monthly(20), monthly(40)), 'upgrade')
  assert.equal(classifyChange(monthly(20), monthly(20)), 'upgrade')
  assert.equal(classifyChange(monthly(20), monthly(19)), 'downgrade')
})

test('prices of different recurrences are compared by the year', () => {
  const yearly = (amount: number) => yearlyAmount(new Big(amount), { count: 1, unit: 'year' })
  assert.equal(classifyChange(monthly(20), yearly(300)), 'upgrade')
  assert.equal(classifyChange(monthly(20), yearly(200)), 'downgrade')
  assert.equal(yearlyAmount(new Big(10), { count: 2, unit: 'week' }).toFixed(), '260')
  assert.equal(yearlyAmount(new Big(10), { count: 1, unit: 'half_year' }).toFixed(), '20')
})

test('by default an upgrade takes effect today and a downgrade when the period ends', () => {
  assert.equal(changeTakesEffectOn('upgrade', defaultTerms, dates), '2026-04-10')
  assert.equal(changeTakesEffectOn('downgrade', defaultTerms, dates), '2026-05-01')
})

test('a change that the product rules out is refused with its rule', () => {
  assert.throws(
    () => changeTakesEffectOn('downgrade', { ...defaultTerms, downgrade: 'not_allowed' }, dates),
    { code: 'change_not_allowed', message: /downgrade/ },
  )
})
