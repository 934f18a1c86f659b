import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import { computeTotals, type TaxableLine, type TotalsOptions } from '#domain/invoice/totals.ts'
import { roundHalfAwayFromZero } from '#domain/money.ts'
import type { TaxDecision } from '#domain/tax.ts'

function taxed(...percents: string[]): TaxDecision {
  return {
    category: 'standard',
    rates: percents.map((ratePercent, index) => ({ name: `tax ${index}`, ratePercent })),
    note: null,
    rule: 'same_country',
  }
}
const reverse: TaxDecision = {
  category: 'reverse_charge',
  rates: [],
  note: 'Reverse charge',
  rule: 'eu_business_verified',
}

function totals(
  amounts: readonly number[],
  tax: TaxDecision | readonly TaxDecision[],
  options: Partial<TotalsOptions> = {},
) {
  const lines = amounts.map((amountMinor, index) => ({
    amountMinor,
    tax: (Array.isArray(tax) ? tax[index] : tax) as TaxDecision,
  }))
  return computeTotals(lines, { rounding: 'document', arePricesInclusive: false, ...options })
}

test('E-17 100.00 plus 20 percent is 120.00', () => {
  const { netMinor, taxMinor, totalMinor } = totals([10_000], taxed('20'))
  assert.deepEqual([netMinor, taxMinor, totalMinor], [10_000, 2000, 12_000])
})

const inclusive: [gross: number, percent: string, net: number, tax: number][] = [
  [299, '4', 288, 11],
  [1200, '20', 1000, 200],
  [-1200, '20', -1000, -200],
]
for (const [gross, percent, net, tax] of inclusive) {
  test(`E-17 ${gross} inclusive of ${percent} percent is ${net} net and ${tax} tax`, () => {
    const { netMinor, taxMinor, totalMinor } = totals([gross], taxed(percent), { arePricesInclusive: true })
    assert.deepEqual([netMinor, taxMinor, totalMinor], [net, tax, gross])
  })
}

test('E-17 a seller may have the tax of an inclusive price rounded first: 0.12 of 2.99 at 4 percent', () => {
  const { netMinor, taxMinor } = totals([299], taxed('4'), { arePricesInclusive: true, roundedFirst: 'tax' })
  assert.deepEqual([netMinor, taxMinor], [287, 12])
})

test('E-18 6 and 2 percent on 100.00 share one base and make 8.00', () => {
  const { taxes, taxMinor } = totals([10_000], taxed('6', '2'))
  assert.deepEqual(
    taxes.map((tax) => [tax.ratePercent, tax.baseMinor, tax.taxMinor]),
    [
      ['6', 10_000, 600],
      ['2', 10_000, 200],
    ],
  )
  assert.equal(taxMinor, 800)
})

const levels: [amounts: number[], percent: string, document: number, line: number][] = [
  [[699, 699, 699], '20', 419, 420],
  [[1750, 1750, 1750, 1750], '7', 490, 492],
]
for (const [amounts, percent, document, line] of levels) {
  test(`E-19 ${amounts.join(' + ')} at ${percent} percent bear ${document} by document, ${line} by line`, () => {
    assert.equal(totals(amounts, taxed(percent)).taxMinor, document)
    assert.equal(totals(amounts, taxed(percent), { rounding: 'line' }).taxMinor, line)
  })
}

test('E-19 tax rounded by document is spread over the lines: 1.40, 1.40 and 1.39', () => {
  assert.deepEqual(
    totals([699, 699, 699], taxed('20')).lines.map((line) => line.taxMinor),
    [140, 140, 139],
  )
})

test('E-19 tax rounded once on the whole document takes no account of its rates', () => {
  const lines = [taxed('10'), taxed('20')]
  assert.equal(totals([5, 3], lines).taxMinor, 2)
  assert.equal(totals([5, 3], lines, { rounding: 'total' }).taxMinor, 1)
})

test('E-20 reverse charge bears no tax, and the breakdown holds base and reason', () => {
  const { taxes, totalMinor } = totals([10_000, 500], [reverse, taxed('20')])
  assert.equal(totalMinor, 10_600)
  assert.deepEqual(taxes[0], {
    category: 'reverse_charge',
    name: '',
    ratePercent: '0',
    baseMinor: 10_000,
    taxMinor: 0,
    note: 'Reverse charge',
  })
})

test('one rate spelled in two ways is one entry of the breakdown', () => {
  assert.equal(totals([100, 100], [taxed('20'), taxed('20.0')]).taxes.length, 1)
})

test('tax is taken from the exact amount where a line gives one', () => {
  const line = { amountMinor: 2571, exactMinor: new Big('2570.5'), tax: taxed('20') }
  assert.equal(computeTotals([line], { rounding: 'document', arePricesInclusive: false }).taxMinor, 514)
  assert.equal(
    computeTotals([{ ...line, exactMinor: new Big('2572.5') }], {
      rounding: 'line',
      arePricesInclusive: false,
    }).taxMinor,
    515,
  )
})

test('a document without lines has totals of 0', () => {
  assert.deepEqual(totals([], taxed('20')), { lines: [], taxes: [], netMinor: 0, taxMinor: 0, totalMinor: 0 })
})

const percent = fc.constantFrom('0', '2', '5.5', '6', '7.7', '8.875', '19', '20', '21', '25')
const decision: fc.Arbitrary<TaxDecision> = fc.oneof(
  fc.constant(reverse),
  fc.array(percent, { minLength: 1, maxLength: 3 }).map((percents) => taxed(...percents)),
)
const document = fc.record({
  currency: fc.constantFrom('JPY', 'USD', 'KWD'),
  lines: fc.array(
    fc.record({ tenThousandths: fc.integer({ min: -(10 ** 8), max: 10 ** 10 }), tax: decision }),
    { maxLength: 12 },
  ),
  rounding: fc.constantFrom('document' as const, 'line' as const, 'total' as const),
  roundedFirst: fc.constantFrom('net' as const, 'tax' as const),
  mode: fc.constantFrom('nearest' as const, 'up' as const, 'down' as const, 'half_even' as const),
  arePricesInclusive: fc.boolean(),
})
const add = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

test('E-13 totals equal lines plus tax in currencies of 0, 2 and 3 decimals, whatever the options', () => {
  fc.assert(
    fc.property(document, ({ currency, lines, ...options }) => {
      const taxable: TaxableLine[] = lines.map(({ tenThousandths, tax }) => ({
        amountMinor: roundHalfAwayFromZero(new Big(tenThousandths).times('0.0001'), currency),
        tax,
      }))
      const result = computeTotals(taxable, options)
      assert.equal(result.netMinor, add(result.lines.map((line) => line.netMinor)))
      assert.equal(result.taxMinor, add(result.lines.map((line) => line.taxMinor)))
      assert.equal(result.taxMinor, add(result.taxes.map((tax) => tax.taxMinor)))
      assert.equal(result.totalMinor, result.netMinor + result.taxMinor)
      const stated = add(taxable.map((line) => line.amountMinor))
      assert.equal(options.arePricesInclusive ? result.totalMinor : result.netMinor, stated)
      for (const line of result.lines) {
        assert.equal(line.taxMinor, add(line.taxes.map((tax) => tax.taxMinor)))
        assert.equal(line.grossMinor, line.netMinor + line.taxMinor)
      }
    }),
    { numRuns: 3000 },
  )
})

test('E-19 by document every rate is its base times the rate, rounded once; no line is a whole unit off its own tax', () => {
  fc.assert(
    fc.property(document, ({ lines }) => {
      const taxable = lines.map(({ tenThousandths, tax }) => ({ amountMinor: tenThousandths, tax }))
      const result = computeTotals(taxable, { rounding: 'document', arePricesInclusive: false })
      for (const tax of result.taxes) {
        const exact = new Big(tax.baseMinor).times(tax.ratePercent).div(100)
        assert.ok(exact.minus(tax.taxMinor).abs().lte('0.5'), `${tax.taxMinor} of ${exact.toFixed()}`)
      }
      for (const line of result.lines) {
        for (const tax of line.taxes) {
          const exact = new Big(line.netMinor).times(tax.ratePercent).div(100)
          assert.ok(exact.minus(tax.taxMinor).abs().lt(1))
        }
      }
    }),
    { numRuns: 1000 },
  )
})

test('what is negated has negated totals when each line is rounded', () => {
  const amounts = fc.array(fc.integer({ min: -(10 ** 6), max: 10 ** 6 }), { maxLength: 8 })
  fc.assert(
    fc.property(amounts, percent, fc.boolean(), (list, ratePercent, arePricesInclusive) => {
      const options = { rounding: 'line' as const, arePricesInclusive }
      const charged = totals(list, taxed(ratePercent), options)
      const credited = totals(
        list.map((amount) => -amount),
        taxed(ratePercent),
        options,
      )
      assert.equal(charged.taxMinor + credited.taxMinor, 0)
      assert.equal(charged.totalMinor + credited.totalMinor, 0)
    }),
  )
})
