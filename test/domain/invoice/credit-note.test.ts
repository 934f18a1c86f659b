import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  creditLines,
  type CreditableLine,
  type CreditLine,
  type CreditRequest,
} from '#domain/invoice/credit-note.ts'
import { computeTotals } from '#domain/invoice/totals.ts'
import type { TaxDecision } from '#domain/tax.ts'

const vat = (...percents: string[]): TaxDecision => ({
  category: 'standard',
  rates: percents.map((ratePercent) => ({ name: 'VAT', ratePercent })),
  note: null,
  rule: 'same_country',
})

/** An invoice of lines L0, L1, … each of a quantity. */
function invoiceOf(amounts: readonly number[], tax = vat('20'), quantity = '1'): CreditableLine[] {
  const lines = amounts.map((amountMinor, index) => ({ id: `L${index}`, quantity, amountMinor, tax }))
  return [...computeTotals(lines, { rounding: 'document', arePricesInclusive: false }).lines]
}

const add = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
const netOf = (lines: readonly { netMinor: number }[]) => add(lines.map((line) => line.netMinor))
const taxOf = (lines: readonly { taxes: readonly { taxMinor: number }[] }[]) =>
  add(lines.flatMap((line) => line.taxes.map((tax) => tax.taxMinor)))

function creditOf(lineId: string, netMinor: number): CreditRequest {
  return { kind: 'lines', lines: [{ lineId, netMinor }] }
}

test('E-23 parts of 726.86 and 42.14 of 769.00 at 20 percent credit the tax of 153.80 to the cent', () => {
  const invoice = invoiceOf([76_900])
  const first = creditLines(invoice, creditOf('L0', 72_686), [])
  const second = creditLines(invoice, creditOf('L0', 4214), first)
  assert.deepEqual([taxOf(first), taxOf(second), taxOf(invoice)], [-14_537, -843, 15_380])
  assert.deepEqual([first[0]?.grossMinor, second[0]?.grossMinor], [-87_223, -5057])
})

test('E-23 the last credit of a line takes the rest of its tax, whatever was rounded before', () => {
  const invoice = invoiceOf([3], vat('50'))
  const first = creditLines(invoice, creditOf('L0', 1), [])
  const second = creditLines(invoice, creditOf('L0', 1), first)
  const third = creditLines(invoice, creditOf('L0', 1), [...first, ...second])
  assert.deepEqual([first, second, third].map(taxOf), [-1, -1, 0])
  assert.equal(taxOf(invoice), 2)
})

test('E-23 a full credit note mirrors every line, negative ones too', () => {
  const invoice = invoiceOf([699, -100, 699, 0])
  const note = creditLines(invoice, { kind: 'full' }, [])
  assert.deepEqual(
    note.map((line) => [line.lineId, line.netMinor, line.taxMinor]),
    invoice.slice(0, 3).map((line) => [line.id, -line.netMinor, -add(line.taxes.map((tax) => tax.taxMinor))]),
  )
})

test('E-23 more than is left is refused, by amount and by quantity, and so is nothing', () => {
  const invoice = invoiceOf([1000, -300], vat('20'), '3')
  const before = creditLines(invoice, creditOf('L0', 600), [])
  const refused: CreditRequest[] = [
    creditOf('L0', 401),
    creditOf('L0', 0),
    creditOf('L0', -1),
    creditOf('L1', 100),
    creditOf('L1', -301),
    { kind: 'amount', netMinor: 401 },
    { kind: 'amount', netMinor: 0 },
    { kind: 'lines', lines: [{ lineId: 'L0', quantity: '2' }] },
    { kind: 'lines', lines: [{ lineId: 'L0', quantity: '4' }] },
    { kind: 'lines', lines: [{ lineId: 'L0', quantity: '0' }] },
    { kind: 'lines', lines: [] },
  ]
  for (const request of refused) {
    assert.throws(() => creditLines(invoice, request, before), { code: 'credit_exceeds_invoice' })
  }
  const all = creditLines(invoice, { kind: 'full' }, before)
  assert.throws(() => creditLines(invoice, { kind: 'full' }, [...before, ...all]), {
    code: 'credit_exceeds_invoice',
  })
})

test('a line that the invoice lacks, or that is named twice, is refused', () => {
  const invoice = invoiceOf([1000])
  assert.throws(() => creditLines(invoice, creditOf('L9', 1), []), { code: 'not_found' })
  const twice = { lineId: 'L0', netMinor: 1 }
  assert.throws(() => creditLines(invoice, { kind: 'lines', lines: [twice, twice] }, []), {
    code: 'field_invalid',
  })
})

test('quantities credited one by one sum to the amount of the line', () => {
  const invoice = invoiceOf([1000], vat('20'), '3')
  const notes: CreditLine[] = []
  for (let index = 0; index < 3; index += 1) {
    notes.push(...creditLines(invoice, { kind: 'lines', lines: [{ lineId: 'L0', quantity: '1' }] }, notes))
  }
  assert.deepEqual(
    notes.map((line) => line.netMinor),
    [-333, -334, -333],
  )
  assert.equal(taxOf(notes), -taxOf(invoice))
})

test('an amount of the document is spread over its lines by what is left of them', () => {
  const note = creditLines(invoiceOf([6000, 3000, -500, 0]), { kind: 'amount', netMinor: 900 }, [])
  assert.deepEqual(
    note.map((line) => [line.lineId, line.netMinor]),
    [
      ['L0', -600],
      ['L1', -300],
    ],
  )
})

test('the tax of a note over several lines is rounded once per rate', () => {
  const invoice = invoiceOf([1000, 1000, 1000])
  const lines = invoice.map(({ id }) => ({ lineId: id, netMinor: 699 }))
  assert.equal(taxOf(creditLines(invoice, { kind: 'lines', lines }, [])), -419)
})

test('E-23 credit notes never exceed the invoice, and a last full one brings net and tax to 0 to the cent', () => {
  const amounts = fc.array(fc.integer({ min: -5000, max: 100_000 }), { minLength: 1, maxLength: 6 })
  const percents = fc.array(fc.constantFrom('20', '5.5', '8.875', '0'), { maxLength: 2 })
  const wishes = fc.array(fc.tuple(fc.nat(5), fc.integer({ min: -5000, max: 100_000 })), { maxLength: 10 })
  fc.assert(
    fc.property(amounts, percents, wishes, (list, rates, credits) => {
      const invoice = invoiceOf(list, vat(...rates))
      const notes: CreditLine[] = []
      for (const [line, netMinor] of credits) {
        try {
          notes.push(...creditLines(invoice, creditOf(`L${line % list.length}`, netMinor), notes))
        } catch (error) {
          assert.match((error as { code: string }).code, /^credit_exceeds_invoice$/)
        }
        for (const { id, netMinor, taxes } of invoice) {
          const ofLine = notes.filter((note) => note.lineId === id)
          assert.ok(Math.abs(netOf(ofLine)) <= Math.abs(netMinor))
          assert.ok(Math.abs(taxOf(ofLine)) <= Math.abs(add(taxes.map((tax) => tax.taxMinor))))
        }
      }
      if (netOf(notes) === -netOf(invoice) && taxOf(notes) === -taxOf(invoice)) return
      notes.push(...creditLines(invoice, { kind: 'full' }, notes))
      assert.equal(netOf(notes) + netOf(invoice), 0)
      assert.equal(taxOf(notes) + taxOf(invoice), 0)
    }),
    { numRuns: 2000 },
  )
})
