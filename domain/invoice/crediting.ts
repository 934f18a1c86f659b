import { creditMinor, shareOf } from '../proration.ts'
import { unitPriceOf } from '../pricing/unit-price.ts'
import type { CreditPart } from './lines.ts'
import type { RatedLine } from './rated-line.ts'

/**
 * Gives back what was charged for days that are not served: the same share of its net and of its tax, each rounded once and
 * never more than is left of it (C-23). 599.95 for May, ended on the 7th, is credited 483.83. What takes the last of the net
 * takes the last of the tax, so that a charge that is wholly credited leaves nothing.
 */
export function rateCredit(part: CreditPart, arePricesInclusive: boolean): RatedLine {
  const { line, charge, servicePeriod } = part
  const share = shareOf(servicePeriod, charge.servicePeriod ?? servicePeriod, line.terms.proration)
  const netMinor = creditMinor(charge, share)
  const isRest = netMinor > 0 && netMinor === charge.amountMinor - charge.creditedMinor
  const leftTaxMinor = charge.taxMinor - charge.creditedTaxMinor
  const tax = { amountMinor: charge.taxMinor, creditedMinor: charge.creditedTaxMinor }
  const taxMinor = isRest ? leftTaxMinor : creditMinor(tax, share)
  return {
    kind: 'credit',
    line,
    subscriptionId: line.subscriptionId,
    productId: line.productId,
    oneOffChargeId: null,
    mirror: { chargeId: charge.id, netMinor: 0 - netMinor, taxMinor: 0 - taxMinor, tax: charge.tax },
    description: line.description,
    billingType: line.billingType,
    quantity: line.quantity,
    unit: line.unit,
    unitPrice: unitPriceOf(line.price),
    servicePeriod,
    ratedMinor: 0 - (arePricesInclusive ? netMinor + taxMinor : netMinor),
    taxCategory: line.taxCategory,
    taxedOn: servicePeriod.start,
    lateEventIds: [],
    explanation: {
      formula: `-(amount charged) × ${share.numerator} / ${share.denominator} days not served`,
      daysServed: share.numerator,
      daysOfCycle: share.denominator,
      chargedMinor: charge.amountMinor,
      ...(charge.creditedMinor === 0 ? {} : { creditedMinor: charge.creditedMinor }),
    },
  }
}
