import assert from 'node:assert/strict'
import test from 'node:test'
import { announcedChanges } from '#domain/announcement.ts'

test('C-48 of the chosen fields those are announced whose value differs', () => {
  const before = { price: '1 USD', quantity: '5', product: 'seat', recurrence: '1 month' }
  const after = { ...before, price: '2 USD', quantity: '6' }
  assert.deepEqual(announcedChanges(['price'], before, after), [
    { field: 'price', oldValue: '1 USD', newValue: '2 USD' },
  ])
  assert.deepEqual(
    announcedChanges(['recurrence', 'quantity', 'price'], before, after).map(({ field }) => field),
    ['price', 'quantity'],
  )
  assert.deepEqual(announcedChanges([], before, after), [])
})

test('what only one side says is no change', () => {
  assert.deepEqual(announcedChanges(['price', 'product'], { product: 'a' }, { price: '1' }), [])
})
