import assert from 'node:assert/strict'
import test from 'node:test'
import { ratesFit, TaxAnswerMissing, taxByService, type KeptTaxAnswer } from '#domain/tax-service.ts'
import type { TaxedBuyer } from '#domain/tax.ts'

const kept: KeptTaxAnswer = {
  facts: {
    sellerCountry: 'DE',
    buyerCountry: 'FR',
    buyerRegion: null,
    isBusiness: false,
    isTaxIdVerified: false,
    productCategory: 'standard',
  },
  decision: { category: 'standard', rates: [{ name: 'TVA', ratePercent: '20' }], note: null },
  source: 'S',
  startsOn: '2026-01-01',
  endsOn: '2026-02-01',
}

function ask(answers: readonly KeptTaxAnswer[], on: string, buyer: Partial<TaxedBuyer> = {}) {
  return taxByService(answers)({
    seller: { country: 'DE' },
    buyer: {
      country: 'FR',
      region: null,
      isBusiness: false,
      taxId: null,
      isTaxIdVerified: false,
      exemption: null,
      ...buyer,
    },
    category: 'standard',
    on,
  })
}

test('an answer holds from its first day until the day before its end, with who gave it', () => {
  assert.deepEqual(ask([kept], '2026-01-31'), { ...kept.decision, rule: 'service', source: 'S' })
  assert.throws(() => ask([kept], '2026-02-01'), { code: 'tax_answer_missing' })
  assert.throws(() => ask([kept], '2025-12-31'), { code: 'tax_answer_missing' })
})

test('an answer is for buyers of the same facts alone, and the refusal says what to ask', () => {
  for (const other of [{ country: 'CH' }, { region: 'IDF' }, { isBusiness: true }])
    assert.throws(() => ask([kept], '2026-01-31', other), TaxAnswerMissing)
  assert.throws(
    () => ask([kept], '2026-01-31', { taxId: 'FR1', isTaxIdVerified: true }),
    (error) => error instanceof TaxAnswerMissing && error.facts.isTaxIdVerified && error.on === '2026-01-31',
  )
})

test('of several answers for a day the last holds', () => {
  const decision = { ...kept.decision, rates: [{ name: 'TVA', ratePercent: '21' }] }
  assert.equal(ask([kept, { ...kept, decision }], '2026-01-31').rates[0]?.ratePercent, '21')
})

test('an exempt buyer is the word of the seller', () => {
  assert.equal(ask([], '2026-01-31', { exemption: 'Embassy' }).rule, 'buyer_is_exempt')
})

test('rates go with what is charged, and nothing else', () => {
  assert.deepEqual(
    [ratesFit('standard', []), ratesFit('standard', [0]), ratesFit('standard', [0, 5])],
    [false, false, true],
  )
  assert.deepEqual([ratesFit('zero', []), ratesFit('zero', [5]), ratesFit('zero', [0])], [false, false, true])
  assert.deepEqual([ratesFit('exempt', [5]), ratesFit('exempt', [])], [false, true])
})
