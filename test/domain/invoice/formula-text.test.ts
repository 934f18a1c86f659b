import assert from 'node:assert/strict'
import test from 'node:test'
import { tellSteps } from '#domain/invoice/formula-text.ts'
import type { RatingStep } from '#domain/pricing/rated-price.ts'

const tierWithFee: RatingStep = {
  kind: 'tier',
  from: '50',
  upTo: null,
  quantity: '60',
  unitAmount: '3',
  flatAmount: '20',
  amount: '200',
}

test('a tier with a fee stands in brackets where a share of it is taken, and in none where it stands alone', () => {
  assert.equal(tellSteps([tierWithFee], { isFactor: true }), '(60 × 3 + 20)')
  assert.equal(tellSteps([tierWithFee]), '60 × 3 + 20')
  assert.equal(tellSteps([{ ...tierWithFee, flatAmount: '0' }], { isFactor: true }), '60 × 3')
})
