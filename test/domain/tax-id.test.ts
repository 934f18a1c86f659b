import assert from 'node:assert/strict'
import test from 'node:test'
import { readEuropeanTaxId, waitAfterFailuresMs } from '#domain/tax-id.ts'

// prettier-ignore
const table = [
  ['FR40303265045', 'FR', 'FR', '40303265045'],
  ['fr 40 303.265-045', 'FR', 'FR', '40303265045'],
  ['123456789', 'DE', 'DE', '123456789'],
  ['EL123456789', 'GR', 'EL', '123456789'],
  ['ATU12345678', 'AT', 'AT', 'U12345678'],
  ['NL123456789B01', 'NL', 'NL', '123456789B01'],
] as const

for (const [taxId, country, prefix, number] of table) {
  test(`${taxId} is a tax id of ${country}`, () => {
    assert.deepEqual(readEuropeanTaxId(taxId, country), { prefix, number })
  })
}

test('too short, of another country, and of a country outside the EU are none', () => {
  for (const [taxId, country] of [
    ['DE1', 'DE'],
    ['FR40303265045', 'DE'],
    ['CHE123456789', 'CH'],
    ['', 'FR'],
  ] as const)
    // prettier-ignore
    assert.equal(readEuropeanTaxId(taxId, country), null)
})

test('a register that is away is asked later each time, and twice a day at least', () => {
  const minutes = [1, 2, 3, 20, 5000].map((failures) => waitAfterFailuresMs(failures) / 60_000)
  assert.deepEqual(minutes, [5, 10, 20, 720, 720])
})
