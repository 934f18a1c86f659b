import assert from 'node:assert/strict'
import test from 'node:test'
import { defaultSpendAlerts, isStoppedAt, reachedAlerts, sayAlert, type SpendCap } from '#domain/spend.ts'

const cap: SpendCap = { setBy: 'customer', amountMinor: 2_000, effect: 'stop', alerts: defaultSpendAlerts }

test('D-38 of 20.00, 15.00 has reached 50 and 75 percent, and 30.00 all of them', () => {
  const reached = (costMinor: number) => reachedAlerts(cap, costMinor).map((alert) => sayAlert(alert, 'USD'))
  assert.deepEqual(reached(999), [])
  assert.deepEqual(reached(1_500), ['50 %', '75 %'])
  assert.deepEqual(reached(3_000), ['50 %', '75 %', '100 %', '150 %'])
})

test('D-38 an alert at an amount is reached by that amount, whatever the cap', () => {
  const atAmount: SpendCap = { ...cap, alerts: [{ amountMinor: 1_250 }] }
  assert.deepEqual(reachedAlerts(atAmount, 1_249), [])
  assert.deepEqual(
    reachedAlerts(atAmount, 1_250).map((alert) => sayAlert(alert, 'USD')),
    ['12.50 USD'],
  )
})

test('D-38 a cap stops at its amount and not a cent before; one that tells never stops', () => {
  assert.equal(isStoppedAt(cap, 1_999), false)
  assert.equal(isStoppedAt(cap, 2_000), true)
  assert.equal(isStoppedAt({ ...cap, effect: 'alert' }, 9_999), false)
})
