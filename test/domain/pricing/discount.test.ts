import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { BusinessError } from '#domain/errors.ts'
import {
  applyDiscounts,
  applyDiscountsExactly,
  checkDiscount,
  type Discount,
  type DiscountableLine,
} from '#domain/pricing/discount.ts'

const document = { kind: 'document' } as const

function lines(...amountsMinor: number[]): DiscountableLine[] {
  return amountsMinor.map((amountMinor, index) => ({
    id: `line-${index}`,
    productId: index === 0 ? 'first' : 'other',
    amountMinor,
  }))
}

test('two discounts of 10 % on the document leave 81.00 of 100.00', () => {
  const tenPercent: Discount = { id: 'ten', scope: document, percent: '10' }
  const { applied, netMinor } = applyDiscounts(lines(10_000), [tenPercent, { ...tenPercent, id: 'again' }])
  assert.deepEqual(netMinor, [8100])
  assert.deepEqual(
    applied.map(({ discountId, amountMinor, afterMinor }) => [discountId, amountMinor, afterMinor]),
    [
      ['ten', 1000, 9000],
      ['again', 900, 8100],
    ],
  )
})

test('10.00 off a document of three equal lines is 3.34, 3.33, 3.33', () => {
  const { applied } = applyDiscounts(lines(2000, 2000, 2000), [
    { id: 'a', scope: document, amountMinor: 1000 },
  ])
  assert.deepEqual(applied[0]?.sharesMinor, [334, 333, 333])
})

test('discounts of lines and products come before those of the document, however they are given', () => {
  const discounts: Discount[] = [
    { id: 'document', scope: document, percent: '10' },
    { id: 'product', scope: { kind: 'product', productIds: ['first'] }, percent: '50' },
    { id: 'line', scope: { kind: 'line', lineIds: ['line-1'] }, amountMinor: 500 },
  ]
  const { applied, netMinor } = applyDiscounts(lines(1000, 1000, 1000), discounts)
  assert.deepEqual(
    applied.map(({ discountId, sharesMinor }) => [discountId, sharesMinor]),
    [
      ['product', [500, 0, 0]],
      ['line', [0, 500, 0]],
      ['document', [50, 50, 100]],
    ],
  )
  assert.deepEqual(netMinor, [450, 450, 900])
})

test('a discount never takes off more than there is', () => {
  const discounts: Discount[] = [
    { id: 'a', scope: document, amountMinor: 3000 },
    { id: 'b', scope: document, amountMinor: 3000 },
    { id: 'c', scope: document, percent: '50' },
  ]
  const { applied, netMinor } = applyDiscounts(lines(2000, 3000), discounts)
  assert.deepEqual(netMinor, [0, 0])
  assert.deepEqual(
    applied.map(({ amountMinor }) => amountMinor),
    [3000, 2000, 0],
  )
})

test('a credit on the document is not discounted', () => {
  const { netMinor } = applyDiscounts(lines(1000, -400), [{ id: 'a', scope: document, percent: '10' }])
  assert.deepEqual(netMinor, [900, -400])
})

test('exact shares keep what rounding would take', () => {
  const { applied, netMinor } = applyDiscountsExactly(lines(1000, 2000), [
    { id: 'a', scope: document, amountMinor: 1000 },
  ])
  assert.deepEqual(
    applied[0]?.sharesMinor.map((share) => share.toFixed(5)),
    ['333.33333', '666.66667'],
  )
  assert.equal(netMinor[0]?.toFixed(5), '666.66667')
})

test('120 %, a negative percentage, and amounts that take nothing off are refused', () => {
  const wrong: Discount[] = [
    { id: 'a', scope: document, percent: '120' },
    { id: 'a', scope: document, percent: '-1' },
    { id: 'a', scope: document, percent: 'ten' },
    { id: 'a', scope: document, amountMinor: 0 },
    { id: 'a', scope: document, amountMinor: -5 },
    { id: 'a', scope: document, amountMinor: 0.5 },
  ]
  for (const discount of wrong) {
    assert.throws(
      () => checkDiscount(discount, '/discount'),
      (error) => error instanceof BusinessError && error.code === 'discount_invalid',
    )
  }
  checkDiscount({ id: 'a', scope: document, percent: '100' }, '/discount')
  checkDiscount({ id: 'a', scope: document, amountMinor: 1 }, '/discount')
})

const anyScope = fc.constantFrom<Discount['scope']>(
  document,
  { kind: 'product', productIds: ['first'] },
  { kind: 'product', productIds: ['other'] },
  { kind: 'line', lineIds: ['line-0', 'line-2'] },
)
const anyDiscount: fc.Arbitrary<Discount> = fc.oneof(
  fc
    .tuple(anyScope, fc.integer({ min: 0, max: 10_000 }))
    .map(([scope, percent]) => ({ id: 'percent', scope, percent: (percent / 100).toFixed(2) })),
  fc
    .tuple(anyScope, fc.integer({ min: 1, max: 1_000_000 }))
    .map(([scope, amountMinor]) => ({ id: 'amount', scope, amountMinor })),
)

test('shares add up to the discount to the cent, and no line falls below 0', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 8 }),
      fc.array(anyDiscount, { maxLength: 4 }),
      (amounts, discounts) => {
        const { applied, netMinor } = applyDiscounts(lines(...amounts), discounts)
        const sum = (all: readonly number[]) => all.reduce((total, amount) => total + amount, 0)
        for (const { amountMinor, sharesMinor } of applied) {
          assert.equal(sum(sharesMinor), amountMinor)
          assert.ok(sharesMinor.every((share) => Number.isSafeInteger(share) && share >= 0))
        }
        assert.ok(netMinor.every((net) => net >= 0))
        assert.equal(sum(netMinor), sum(amounts) - sum(applied.map(({ amountMinor }) => amountMinor)))
        assert.equal(applied.at(-1)?.afterMinor ?? sum(amounts), sum(netMinor))
      },
    ),
    { numRuns: 2000 },
  )
})
