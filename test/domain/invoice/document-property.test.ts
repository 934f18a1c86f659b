import assert from 'node:assert/strict'
import Big from 'big.js'
import test from 'node:test'
import fc from 'fast-check'
import { addDays } from '#domain/calendar.ts'
import type { DiscountInForce } from '#domain/invoice/discounting.ts'
import {
  computeDocument,
  type DocumentDraft,
  type DocumentInput,
  type DocumentLineDraft,
} from '#domain/invoice/document.ts'
import type { BillableLine } from '#domain/invoice/lines.ts'
import { roundHalfAwayFromZero } from '#domain/money.ts'
import type { Price } from '#domain/pricing/price.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import { applyShare } from '#domain/proration.ts'
import type { TaxDecision } from '#domain/tax.ts'
import { afterBillingOf, billableLine, documentInput, usageOf } from '#test/support/billing.ts'

const runs = { numRuns: 1_000 }

const decimal = fc.integer({ min: 0, max: 1_000_000 }).map((value) => (value / 1_000).toFixed(3))
const quantity = fc.integer({ min: 0, max: 5_000 }).map((value) => (value / 10).toFixed(1))
const price = fc.oneof(
  decimal.map((unitAmount): Price => ({ model: 'per_unit', unitAmount })),
  decimal.map((amount): Price => ({ model: 'flat', amount })),
  fc.tuple(decimal, decimal, decimal).map(([first, second, flatAmount]): Price => ({
    model: 'graduated',
    tiers: [
      { upTo: '100', unitAmount: first, flatAmount },
      { upTo: null, unitAmount: second },
    ],
  })),
  decimal.map((packageAmount): Price => ({ model: 'package', packageSize: '100', packageAmount })),
  fc
    .tuple(decimal, decimal)
    .map(([unitAmount, leastAmount]): Price => ({ model: 'per_unit', unitAmount, leastAmount })),
)

const line = fc
  .record({ price, quantity, daysIn: fc.integer({ min: 0, max: 30 }), isMetered: fc.boolean() })
  .map(({ price: agreed, quantity: sold, daysIn, isMetered }) =>
    billableLine({
      price: agreed,
      quantity: sold,
      startsOn: addDays('2026-01-01', daysIn),
      ...(isMetered ? { billingType: 'usage', billingTiming: 'arrears', metric: 'network' } : {}),
    }),
  )
const lines = fc
  .array(line, { minLength: 1, maxLength: 6 })
  .map((many) => many.map((one, index): BillableLine => ({ ...one, id: `line ${index}` })))

const discount = fc
  .record({
    scope: fc.constantFrom<DiscountInForce['scope']>('line', 'document'),
    percent: fc.option(fc.integer({ min: 0, max: 100 }).map(String)),
    amountMinor: fc.integer({ min: 1, max: 100_000 }),
  })
  .map(({ scope, percent, amountMinor }): DiscountInForce => ({
    id: 'discount',
    name: 'Discount',
    scope,
    percent,
    amountMinor: percent === null ? amountMinor : null,
    productId: null,
    subscriptionId: null,
    startsOn: '2026-01-01',
    endsOn: null,
    periodCount: null,
  }))

const bound = fc.option(fc.integer({ min: 0, max: 2_000 }).map(String))
const bounds = fc.tuple(bound, bound).map(([first, second]) => {
  const isOrdered = first === null || second === null || Number(first) <= Number(second)
  const [leastAmount, greatestAmount] = isOrdered ? [first, second] : [second, first]
  return [{ subscriptionId: 'subscription', leastAmount, greatestAmount }]
})

const tax = fc
  .record({
    arePricesInclusive: fc.boolean(),
    taxRounding: fc.constantFrom<DocumentInput['tax']['taxRounding']>('document', 'line'),
    rates: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 2 }),
  })
  .map(({ rates, ...terms }) => {
    const named = rates.map((rate, index) => ({ name: `rate ${index}`, ratePercent: String(rate) }))
    const decision: TaxDecision = { category: 'standard', rates: named, note: null, rule: 'same_country' }
    return { ...terms, decide: () => decision }
  })

const document = fc
  .record({ lines, discounts: fc.array(discount, { maxLength: 3 }), bounds, tax, used: quantity })
  .map(({ lines: own, used, ...others }) =>
    documentInput(own, '2026-02-01', { ...others, usageOf: () => ({ usage: usageOf(used) }) }),
  )

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0)

function checkTotals(draft: DocumentDraft): void {
  assert.equal(sum(draft.lines.map((each) => each.amountMinor)), draft.netMinor)
  assert.equal(sum(draft.lines.map((each) => each.taxMinor)), draft.taxMinor)
  assert.equal(sum(draft.taxes.map((each) => each.taxMinor)), draft.taxMinor)
  assert.equal(draft.netMinor + draft.taxMinor, draft.totalMinor)
  for (const each of draft.lines) {
    const left = each.ratedMinor - each.discountMinor
    assert.equal(left, draft.arePricesInclusive ? each.amountMinor + each.taxMinor : each.amountMinor)
  }
}

test('net is the sum of the lines, tax the sum of its breakdown, and a line’s parts are its amount', () => {
  fc.assert(
    fc.property(document, (input) => {
      const draft = computeDocument(input)
      if (draft) checkTotals(draft)
    }),
    runs,
  )
})

test('a discount takes off no more than there is, and what it takes off is explained', () => {
  fc.assert(
    fc.property(document, (input) => {
      for (const { ratedMinor, discountMinor, explanation } of computeDocument(input)?.lines ?? []) {
        assert.ok(discountMinor >= 0 && discountMinor <= ratedMinor)
        assert.equal(sum((explanation.discounts ?? []).map(({ amountMinor }) => amountMinor)), discountMinor)
      }
    }),
    runs,
  )
})

/** The amount once more, from nothing but what is printed of the line. */
function recompute({ quantity: printed, explanation }: DocumentLineDraft): number {
  const { price: agreed, daysServed: numerator, daysOfCycle: denominator, usage } = explanation
  assert.ok(agreed)
  const share = numerator && denominator ? { numerator, denominator } : { numerator: 1, denominator: 1 }
  const rated = usage
    ? ratePrice(agreed, new Big(usage.quantity), { boundShare: share }).amount
    : applyShare(ratePrice(agreed, new Big(printed)).amount, share)
  return roundHalfAwayFromZero(rated, 'USD')
}

test('what a line explains, computed anew, gives its amount', () => {
  fc.assert(
    fc.property(document, (input) => {
      for (const each of computeDocument(input)?.lines ?? []) {
        if (each.kind === 'true_up') continue
        assert.equal(recompute(each), each.ratedMinor)
        const { exactAmount } = each.explanation
        if (exactAmount) assert.equal(roundHalfAwayFromZero(new Big(exactAmount), 'USD'), each.ratedMinor)
      }
    }),
    runs,
  )
})

test('the order of the lines changes no price of a line', () => {
  fc.assert(
    fc.property(document, (input) => {
      const rated = (draft: DocumentDraft | null) =>
        (draft?.lines ?? [])
          .filter(({ kind }) => kind !== 'true_up')
          .map((each) => `${each.subscriptionLineId} ${each.servicePeriod?.start} ${each.ratedMinor}`)
          .toSorted()
      const reversed = { ...input, lines: input.lines.toReversed(), parts: input.parts.toReversed() }
      assert.deepEqual(rated(computeDocument(reversed)), rated(computeDocument(input)))
    }),
    runs,
  )
})

test('a subscription comes to no more than its greatest amount, and after its period to no less than its least', () => {
  fc.assert(
    fc.property(lines, bounds, quantity, ([first], limits, used) => {
      assert.ok(first)
      const whole = { ...first, startsOn: '2026-01-01', firstStartsOn: '2026-01-01' }
      const usage = { usageOf: () => ({ usage: usageOf(used) }) }
      const bill = (own: BillableLine, asOf: string) =>
        computeDocument(documentInput([own], asOf, { ...usage, bounds: limits }))
      const opening = bill(whole, '2026-01-01')
      const next = bill(afterBillingOf(whole, opening?.lines ?? []), '2026-02-01')
      const january = [...(opening?.lines ?? []), ...(next?.lines ?? [])].filter(
        ({ servicePeriod }) => servicePeriod?.start === '2026-01-01',
      )
      const netMinor = sum(january.map(({ amountMinor }) => amountMinor))
      const [limit] = limits
      if (limit?.greatestAmount != null) assert.ok(netMinor <= Number(limit.greatestAmount) * 100)
      if (limit?.leastAmount != null) assert.ok(netMinor >= Number(limit.leastAmount) * 100)
    }),
    runs,
  )
})

test('what is billed and wholly undone comes to nothing, net and tax, however it was discounted and taxed', () => {
  fc.assert(
    fc.property(document, (input) => {
      const charged = input.lines.filter(({ billingType }) => billingType !== 'usage')
      const at = { ...input, lines: charged, bounds: [] }
      const draft = computeDocument({ ...at, parts: documentInput(charged, '2026-01-31').parts })
      if (!draft) return
      const undone = charged.map((each): BillableLine => {
        const { billed } = afterBillingOf(each, draft.lines)
        const decision = input.tax.decide('standard', '2026-01-01')
        return {
          ...each,
          endsOn: each.startsOn,
          billed: billed.map((part) => ({ ...part, tax: decision })),
        }
      })
      const back = computeDocument({ ...at, parts: documentInput(undone, '2026-01-31').parts })
      assert.ok(back)
      checkTotals(back)
      assert.equal(back.netMinor + draft.netMinor, 0)
      assert.equal(back.taxMinor + draft.taxMinor, 0)
    }),
    runs,
  )
})
