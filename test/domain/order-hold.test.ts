import assert from 'node:assert/strict'
import test from 'node:test'
import { decideHolds, isAmountAsked, sayHold, type HoldFacts, type HoldSettings } from '#domain/order-hold.ts'

const settings: HoldSettings = { unpaidOrderDays: 14, mailVerification: 'shop', reviewRules: {} }
const facts: HoldFacts = {
  channel: 'api',
  buildTriggers: [null],
  dueMinor: 1_190,
  currency: 'EUR',
  customer: { country: 'DE', email: 'office@clinic.example', isMailVerified: false, isFirstOrder: true },
  now: '2026-03-01T09:00:00.000Z',
}
const verified = { ...facts.customer, isMailVerified: true }
const kinds = (change: Partial<HoldFacts>, of: Partial<HoldSettings> = {}) =>
  decideHolds({ ...settings, ...of }, { ...facts, ...change }).map(({ kind }) => kind)

test('staff and the API build at confirmation, the shop with the payment, unless the product says otherwise', () => {
  for (const channel of ['api', 'console', 'command_line'] as const) assert.deepEqual(kinds({ channel }), [])
  const shop = { channel: 'shop', customer: verified } as const
  assert.deepEqual(kinds(shop), ['payment'])
  assert.deepEqual(kinds({ ...shop, buildTriggers: ['confirmation'] }), [])
  assert.deepEqual(kinds({ buildTriggers: [null, 'payment'] }), ['payment'])
  assert.deepEqual(kinds({ buildTriggers: ['acceptance', 'payment'] }), ['acceptance', 'payment'])
})

test('what costs nothing now waits for no payment', () => {
  assert.deepEqual(kinds({ channel: 'shop', customer: verified, dueMinor: 0 }), [])
  assert.deepEqual(kinds({ buildTriggers: ['payment'], dueMinor: 0 }), [])
})

test('of 1 March, a payment is waited for until 15 March and a mail address until 8 March', () => {
  const holds = decideHolds(settings, { ...facts, channel: 'shop' })
  assert.deepEqual(
    holds.map(({ kind, expiresAt, detail }) => [kind, expiresAt, detail]),
    [
      ['mail_verification', '2026-03-08T09:00:00.000Z', 'The mail address of the customer is not verified.'],
      ['payment', '2026-03-15T09:00:00.000Z', '11.90 EUR is to be paid first.'],
    ],
  )
})

test('a mail address is asked for as the seller says, once', () => {
  assert.deepEqual(kinds({}, { mailVerification: 'always' }), ['mail_verification'])
  assert.deepEqual(kinds({ customer: verified }, { mailVerification: 'always' }), [])
  assert.deepEqual(
    kinds({ channel: 'shop', buildTriggers: ['confirmation'] }, { mailVerification: 'never' }),
    [],
  )
})

test('each rule of a review holds what it is for, and all that hold are named', () => {
  const rulesOf = (reviewRules: HoldSettings['reviewRules'], change: Partial<HoldFacts> = {}) =>
    decideHolds({ ...settings, reviewRules }, { ...facts, ...change })[0]?.rule
  assert.equal(rulesOf({ amountFromMinor: 1_190 }), 'amount')
  assert.equal(rulesOf({ amountFromMinor: 1_191 }), undefined)
  assert.equal(rulesOf({ countries: ['PL', 'DE'] }), 'country')
  assert.equal(rulesOf({ countries: ['PL'] }), undefined)
  assert.equal(rulesOf({ isFirstOrder: true }), 'first_order')
  assert.equal(rulesOf({ isFirstOrder: true }, { customer: { ...verified, isFirstOrder: false } }), undefined)
  assert.equal(rulesOf({ isMailUnverified: true }), 'mail_not_verified')
  assert.equal(rulesOf({ isMailUnverified: true }, { customer: verified }), undefined)
  assert.equal(rulesOf({ countries: ['DE'], isFirstOrder: true }), 'country, first_order')
})

test('the first invoices are computed only where their amount decides', () => {
  assert.equal(isAmountAsked(settings, facts), false)
  assert.equal(isAmountAsked(settings, { channel: 'shop', buildTriggers: [null] }), true)
  assert.equal(isAmountAsked({ ...settings, reviewRules: { amountFromMinor: 1 } }, facts), true)
})

test('why an order is reviewed is not told to its customer', () => {
  assert.equal(sayHold('review'), 'being checked')
})
