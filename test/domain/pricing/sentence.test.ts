import assert from 'node:assert/strict'
import test from 'node:test'
import { lineSentence, offerSentence, priceSentence, type SaidLine } from '#domain/pricing/sentence.ts'

const users: SaidLine = {
  name: 'User',
  price: { model: 'per_unit', unitAmount: '1' },
  currency: 'USD',
  unit: 'user',
  billingType: 'threshold',
  recurrence: { count: 1, unit: 'month' },
  quantity: '5',
  amountMinor: 500,
}
const network: SaidLine = {
  ...users,
  name: 'Network',
  unit: 'GiB',
  billingType: 'usage',
  quantity: '0',
  amountMinor: 0,
}
const tiered = {
  model: 'graduated',
  tiers: [
    { upTo: '10', unitAmount: '5' },
    { upTo: null, unitAmount: '4' },
  ],
} as const

test('a price says its period, when usage is billed, and that it is paid once', () => {
  assert.equal(priceSentence(users), '1.00 USD per user a month')
  assert.equal(priceSentence(network), '1.00 USD per GiB, billed after each month')
  assert.equal(
    priceSentence({ ...users, recurrence: { count: 3, unit: 'month' } }),
    '1.00 USD per user every 3 months',
  )
  assert.equal(priceSentence({ ...users, unit: 'piece', recurrence: null }), '1.00 USD per piece, once')
  assert.equal(priceSentence({ ...users, unit: 'month', billingType: 'flat' }), '1.00 USD a month')
  assert.match(priceSentence({ ...users, price: tiered }), /each at its own tier; every month$/)
})

test('a line says how much it has for what it comes to, and how, where that is not simply so much a unit', () => {
  assert.equal(lineSentence(users), '5 users included in 5.00 USD a month')
  assert.equal(
    lineSentence({ ...users, price: tiered, amountMinor: 2500 }),
    '5 users included in 25.00 USD a month: up to 10 users 5.00 USD per user, above 4.00 USD per user; each at its own tier',
  )
})

test('what is sold together is one sentence', () => {
  const lines = [users, network].map((line) => ({ ...line, isIncluded: false }))
  assert.equal(
    offerSentence(lines),
    '5 users included in 5.00 USD a month; Network 1.00 USD per GiB, billed after each month.',
  )
  assert.equal(offerSentence([{ ...users, isIncluded: true }]), '5 users included.')
})
