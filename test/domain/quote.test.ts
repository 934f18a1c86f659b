import assert from 'node:assert/strict'
import test from 'node:test'
import { BusinessError } from '#domain/errors.ts'
import { checkDraft, checkExpiry, checkQuoted, orderStateOn } from '#domain/quote.ts'

const draft = { confirmedAt: null, cancelledAt: null, expiredAt: null, expiresOn: '2026-05-01' }
const at = '2026-04-10T00:00:00Z'

function codeOf(act: () => void): string | undefined {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof BusinessError, String(error))
    return error.code
  }
  return undefined
}

test('a quote can be had until the day before it expires', () => {
  assert.equal(orderStateOn(draft, '2026-04-30'), 'draft')
  assert.equal(orderStateOn(draft, '2026-05-01'), 'expired')
})

test('what was confirmed or cancelled in time does not expire', () => {
  assert.equal(orderStateOn({ ...draft, confirmedAt: at }, '2027-01-01'), 'confirmed')
  assert.equal(orderStateOn({ ...draft, cancelledAt: at }, '2027-01-01'), 'cancelled')
  assert.equal(
    orderStateOn({ confirmedAt: at, cancelledAt: null, expiredAt: null, expiresOn: null }, at),
    'confirmed',
  )
})

test('only a draft is changed', () => {
  assert.equal(
    codeOf(() => checkDraft(draft, '2026-04-30')),
    undefined,
  )
  assert.equal(
    codeOf(() => checkDraft(draft, '2026-05-01')),
    'quote_expired',
  )
  for (const mark of [{ confirmedAt: at }, { cancelledAt: at }]) {
    assert.equal(
      codeOf(() => checkDraft({ ...draft, ...mark }, '2026-04-30')),
      'order_not_draft',
    )
  }
})

test('a quote that has expired when it is made is refused', () => {
  assert.equal(
    codeOf(() => checkExpiry('2026-04-10', '2026-04-10')),
    'date_range_invalid',
  )
  assert.equal(
    codeOf(() => checkExpiry('2026-04-11', '2026-04-10')),
    undefined,
  )
})

test('nothing is sold at another total than was quoted', () => {
  const quoted = { totalNowMinor: 1000, totalPerPeriodMinor: 900 }
  for (const change of [{ totalNowMinor: 999 }, { totalPerPeriodMinor: 901 }]) {
    assert.equal(
      codeOf(() => checkQuoted(quoted, { ...quoted, ...change }, 'USD')),
      'price_changed',
    )
  }
  assert.equal(
    codeOf(() => checkQuoted(quoted, { ...quoted }, 'USD')),
    undefined,
  )
})
