import assert from 'node:assert/strict'
import test from 'node:test'
import { missingFields, refuseMissingFields, type StatedParties } from '#domain/invoice/required-field.ts'

const standard = { category: 'standard', note: null }
const reverseCharge = { category: 'reverse_charge', note: 'Reverse charge.' }

function parties(
  seller: Partial<StatedParties['seller']> = {},
  buyer: Partial<StatedParties['buyer']> = {},
  taxes: StatedParties['taxes'] = [standard],
): StatedParties {
  return {
    seller: { country: 'DE', name: 'Seller', address: 'Hafen 1', taxId: 'DE1', ...seller },
    buyer: { code: 'bakery', name: 'Bakery', address: 'Quay 1', taxId: null, ...buyer },
    taxes,
  }
}

const missing: readonly [string, StatedParties, readonly string[]][] = [
  ['nothing of parties in full', parties(), []],
  ['the seller’s tax id', parties({ taxId: null }), ['seller.tax_id']],
  ['an address of blanks', parties({ address: ' \n' }), ['seller.address']],
  ['the buyer’s address', parties({}, { address: null }), ['buyer.address']],
  ['the buyer’s tax id, where he accounts for the tax', parties({}, {}, [reverseCharge]), ['buyer.tax_id']],
  ['the same in Switzerland', parties({ country: 'CH', taxId: null }), ['seller.tax_id']],
  ['nothing in a country without a rule of ours', parties({ country: 'US', taxId: null }), []],
  [
    'nothing where nothing is said of tax',
    parties({ taxId: null }, {}, [{ category: 'out_of_scope', note: null }]),
    [],
  ],
]

for (const [what, stated, fields] of missing) {
  test(`a document lacks ${what}`, () => assert.deepEqual(missingFields(stated), fields))
}

test('a seller without a country needs nothing', () => {
  const { country: _, ...seller } = parties({ taxId: null, address: '' }).seller
  assert.deepEqual(missingFields({ ...parties(), seller }), [])
})

test('the refusal names each field, and whose it is', () => {
  const refusal = refuseMissingFields(parties({ taxId: null, address: '' }, { address: null }))
  assert.equal(refusal?.code, 'invoice_field_missing')
  assert.equal(
    refusal?.message,
    'An invoice of a seller in DE needs seller.address, seller.tax_id, buyer.address. ' +
      'Add address and tax id to the seller. Add address to customer bakery.',
  )
})
