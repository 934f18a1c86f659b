import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import { taxOn, taxTable, type TaxedBuyer, type TaxQuestion, type TaxRate } from '#domain/tax.ts'

function rate(country: string, ratePercent: string, overrides: Partial<TaxRate> = {}): TaxRate {
  return {
    id: `${country}-${ratePercent}`,
    country,
    region: null,
    category: 'standard',
    name: 'VAT',
    ratePercent,
    startsOn: null,
    endsOn: null,
    ...overrides,
  }
}

const consumer: TaxedBuyer = {
  country: 'FR',
  region: null,
  isBusiness: false,
  taxId: null,
  isTaxIdVerified: false,
  exemption: null,
}
const verified: Partial<TaxedBuyer> = { isBusiness: true, taxId: 'DE123456789', isTaxIdVerified: true }
const rates: readonly TaxRate[] = [
  rate('FR', '20'),
  rate('FR', '5.5', { category: 'reduced' }),
  rate('FR', '8.5', { region: 'RE' }),
]

function determine(
  buyer: Partial<TaxedBuyer>,
  question: Partial<TaxQuestion> = {},
  table: readonly TaxRate[] = rates,
) {
  return taxTable(table)({
    seller: { country: 'FR' },
    category: 'standard',
    on: '2026-03-01',
    ...question,
    buyer: { ...consumer, ...buyer },
  })
}

const percents = (decision: { rates: readonly { ratePercent: string }[] }) =>
  decision.rates.map(({ ratePercent }) => ratePercent)

test('E-18 the service date decides: 19 percent until 30 June, 20 percent after', () => {
  const table = [rate('DE', '19', { endsOn: '2026-07-01' }), rate('DE', '20', { startsOn: '2026-07-01' })]
  const on = (date: string) =>
    percents(determine({ country: 'DE' }, { seller: { country: 'DE' }, on: date }, table))
  assert.deepEqual(on('2026-06-30'), ['19'])
  assert.deepEqual(on('2026-07-01'), ['20'])
})

test('E-18 a region wins over its country, and the category of the product is its own', () => {
  assert.deepEqual(percents(determine({ region: 'RE' })), ['8.5'])
  assert.deepEqual(percents(determine({ region: 'GP' })), ['20'])
  assert.deepEqual(percents(determine({}, { category: 'reduced' })), ['5.5'])
})

test('E-18 several rates of one rank apply together', () => {
  const table = [
    rate('US', '2', { region: 'TX', name: 'City' }),
    rate('US', '6', { region: 'TX', name: 'State' }),
  ]
  const decision = determine({ country: 'US', region: 'TX' }, { seller: { country: 'US' } }, table)
  assert.deepEqual(decision.rates, [
    { name: 'City', ratePercent: '2' },
    { name: 'State', ratePercent: '6' },
  ])
})

test('E-20 a business of another member state with a verified id pays no tax, and the note says why', () => {
  const decision = determine({ country: 'DE', ...verified })
  assert.equal(decision.category, 'reverse_charge')
  assert.deepEqual(decision.rates, [])
  assert.match(decision.note ?? '', /^Reverse charge/)
})

test('E-20 a tax id that is not verified means taxed', () => {
  const decision = determine({ country: 'DE', ...verified, isTaxIdVerified: false })
  assert.deepEqual([decision.category, ...percents(decision)], ['standard', '20'])
})

test('E-20 a verified business in the country of the seller is taxed', () => {
  assert.deepEqual(percents(determine(verified)), ['20'])
})

test('E-21 a consumer of an electronic service in the EU pays the rate of his own country where the seller keeps one', () => {
  const table = [...rates, rate('DE', '19')]
  const electronic = { isElectronicService: true }
  assert.deepEqual(percents(determine({ country: 'DE' }, electronic, table)), ['19'])
  assert.deepEqual(percents(determine({ country: 'DE' }, {}, table)), ['20'])
  assert.deepEqual(percents(determine({ country: 'IT' }, electronic, table)), ['20'])
})

test('E-21 outside the EU businesses and electronic services are out of scope, unless the seller keeps rates there', () => {
  const business = determine({ country: 'CH', isBusiness: true })
  assert.deepEqual([business.category, business.rule], ['out_of_scope', 'business_abroad'])
  assert.equal(determine({ country: 'CH' }, { isElectronicService: true }).rule, 'electronic_service_abroad')
  assert.deepEqual(percents(determine({ country: 'CH' })), ['20'])
  assert.deepEqual(percents(determine({ country: 'CH' }, {}, [...rates, rate('CH', '8.1')])), ['8.1'])
})

test('E-21 an exempt buyer pays no tax, and the document says why', () => {
  const decision = determine({ exemption: 'Diplomatic mission' })
  assert.deepEqual(
    [decision.category, decision.note, decision.rates.length],
    ['exempt', 'Diplomatic mission', 0],
  )
})

test('a rate of 0 is a rate, and its category is zero', () => {
  const decision = determine({}, { category: 'books' }, [rate('FR', '0', { category: 'books' })])
  assert.deepEqual([decision.category, ...percents(decision)], ['zero', '0'])
})

test('a seller that keeps no rates charges no tax', () => {
  assert.deepEqual(determine({}, {}, []).rule, 'seller_has_no_rates')
})

test('a rate that is missing is refused, never guessed', () => {
  assert.throws(() => determine({}, { category: 'wine' }), { code: 'tax_rate_missing' })
  assert.throws(() => determine({}, {}, [rate('FR', '20', { startsOn: '2026-03-02' })]), {
    code: 'tax_rate_missing',
  })
})

test('tax on a base is exact', () => {
  assert.equal(taxOn(new Big(999), '21').toFixed(), '209.79')
})
