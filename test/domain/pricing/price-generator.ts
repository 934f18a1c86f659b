import fc from 'fast-check'
import type { Price, PriceTier } from '#domain/pricing/price.ts'

/** Decimals of up to four places: what people write into price lists. */
function decimalUpTo(greatest: number): fc.Arbitrary<string> {
  return fc.integer({ min: 0, max: greatest * 10_000 }).map((value) => (value / 10_000).toFixed(4))
}

export const anyQuantity = decimalUpTo(5000)
const anyAmount = decimalUpTo(1000)
const anyBounds = fc
  .uniqueArray(fc.integer({ min: 0, max: 4000 }), { minLength: 0, maxLength: 5 })
  .map((bounds) => [...bounds.toSorted((first, second) => first - second).map(String), null])

export const anyTiers: fc.Arbitrary<PriceTier[]> = fc
  .tuple(anyBounds, fc.array(anyAmount, { minLength: 12, maxLength: 12 }))
  .map(([bounds, amounts]) =>
    bounds.map((upTo, index) => ({
      upTo,
      unitAmount: amounts[2 * index] ?? '1',
      flatAmount: amounts[2 * index + 1] ?? '1',
    })),
  )

const anySize = fc.integer({ min: 1, max: 500 }).map(String)

const anyModel: fc.Arbitrary<Price> = fc.oneof(
  anyAmount.map((unitAmount): Price => ({ model: 'per_unit', unitAmount })),
  fc
    .tuple(anyAmount, anySize)
    .map(([unitAmount, perUnits]): Price => ({ model: 'per_unit', unitAmount, perUnits })),
  anyAmount.map((amount): Price => ({ model: 'flat', amount })),
  anyTiers.map((tiers): Price => ({ model: 'graduated', tiers })),
  fc.tuple(anyTiers, anySize).map(([tiers, packageSize]): Price => ({ model: 'volume', tiers, packageSize })),
  anyTiers.map((tiers): Price => ({
    model: 'graduated_percentage',
    tiers: tiers.map(({ upTo, unitAmount }) => ({ upTo, ratePercent: unitAmount })),
  })),
  anyTiers.map((tiers): Price => ({
    model: 'stairstep',
    tiers: tiers.map(({ upTo, flatAmount }) => ({ upTo, flatAmount: flatAmount ?? '0' })),
  })),
  fc
    .tuple(anySize, anyAmount, fc.constantFrom('up', 'down', 'exact'))
    .map(([packageSize, packageAmount, rounding]): Price => ({
      model: 'package',
      packageSize,
      packageAmount,
      rounding,
    })),
  fc
    .tuple(decimalUpTo(100), anyAmount)
    .map(([ratePercent, amountPerEvent]): Price => ({ model: 'percentage', ratePercent, amountPerEvent })),
  fc.tuple(anyAmount, anySize, fc.boolean()).map(([unitAmount, committedQuantity, isTruedUp]): Price => ({
    model: 'commitment',
    unitAmount,
    committedQuantity,
    overageFactor: '1.5',
    isTruedUp,
  })),
  anyTiers.map((tiers): Price => ({
    model: 'grid',
    fixedAmount: '1.5',
    steps: tiers.map(({ upTo, unitAmount }, index) => ({
      from: upTo ?? '4001',
      amount: unitAmount,
      kind: index % 2 === 0 ? 'fixed' : 'times_value',
    })),
  })),
)

/** Every model that needs nothing but a quantity, with and without what modifies it. */
export const anyPrice: fc.Arbitrary<Price> = fc
  .tuple(
    anyModel,
    fc.record(
      {
        includedQuantity: anySize,
        greatestQuantity: anySize,
        leastAmount: anyAmount,
        greatestAmount: anyAmount,
      },
      { requiredKeys: [] },
    ),
  )
  .map(([model, modifiers]) => ({ ...model, ...modifiers }))
