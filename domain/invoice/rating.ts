import Big from 'big.js'
import { roundHalfAwayFromZero } from '../money.ts'
import { ratePrice } from '../pricing/rate.ts'
import { unitPriceOf } from '../pricing/unit-price.ts'
import { applyShare } from '../proration.ts'
import {
  explainBound,
  explainDays,
  explainNotBilled,
  explainPrice,
  explainRounding,
  isWhole,
  notBilledOf,
  shareServed,
  type InvoiceLineExplanation,
} from './explanation.ts'
import { tellShare, tellSteps } from './formula-text.ts'
import { rateAdded, rateLateUsage } from './late-rating.ts'
import type {
  CreditPart,
  DuePart,
  MeasuredUsage,
  OneOffCharge,
  OneOffPart,
  OneTimePart,
  RecurringPart,
  UsagePart,
} from './lines.ts'
import { lineFacts, lineValues, noEvents, usageContext, type RatedLine } from './rated-line.ts'

export interface RatingTerms {
  readonly currency: string
  readonly usageOf: (part: UsagePart) => MeasuredUsage
}

/** A charge of any kind; credits mirror what was charged and are no matter of prices. */
export type ChargePart = Exclude<DuePart, CreditPart>

/**
 * Prices a part that is due. One rounding per line, half away from zero. A part of a cycle costs the full price, tier and
 * flat amounts included, times its share of the cycle (C-22): 24.95 for 22 of 30 days is 18.30. Usage is never prorated,
 * only what it costs at least or at most.
 * @throws as `ratePrice`
 */
export function ratePart(part: ChargePart, terms: RatingTerms): RatedLine {
  switch (part.kind) {
    case 'one_time':
      return rateOneTime(part, terms)
    case 'one_off':
      return rateOneOff(part, terms)
    case 'recurring':
      return rateRecurring(part, terms)
    case 'usage':
      return rateUsage(part, terms)
    case 'late_usage':
      return rateLateUsage(part, terms.currency)
  }
}

function rateOneTime({ line }: OneTimePart, { currency }: RatingTerms): RatedLine {
  const rated = ratePrice(line.price, new Big(line.quantity), lineValues(line))
  const ratedMinor = roundHalfAwayFromZero(rated.amount, currency)
  return {
    ...lineFacts(line),
    kind: 'one_time',
    servicePeriod: null,
    taxedOn: line.startsOn,
    ratedMinor,
    explanation: {
      formula: `${tellSteps(rated.steps)}, once`,
      ...explainPrice(line, rated),
      ...explainRounding(rated.amount, ratedMinor, currency),
    },
  }
}

function rateOneOff({ charge }: OneOffPart, { currency }: RatingTerms): RatedLine {
  if (charge.isText) return sayText(charge)
  const rated = ratePrice(charge.price, new Big(charge.quantity))
  const ratedMinor = roundHalfAwayFromZero(rated.amount, currency)
  return {
    ...oneOffFacts(charge),
    unitPrice: unitPriceOf(charge.price),
    ratedMinor,
    explanation: {
      formula: `${tellSteps(rated.steps)}, once`,
      ...explainPrice({ price: charge.price, priceListItemId: null }, rated),
      ...explainRounding(rated.amount, ratedMinor, currency),
    },
  }
}

function sayText(charge: OneOffCharge): RatedLine {
  return {
    ...oneOffFacts(charge),
    unitPrice: null,
    ratedMinor: 0,
    isText: true,
    explanation: { formula: 'a text, which costs nothing' },
  }
}

function oneOffFacts(charge: OneOffCharge) {
  return {
    kind: 'one_off' as const,
    line: null,
    subscriptionId: charge.subscriptionId,
    productId: charge.productId,
    oneOffChargeId: charge.id,
    mirror: null,
    description: charge.description,
    billingType: 'flat' as const,
    quantity: charge.quantity,
    unit: charge.unit,
    servicePeriod: null,
    taxCategory: charge.taxCategory,
    taxedOn: charge.chargedOn,
    lateEventIds: noEvents,
  }
}

function rateRecurring(part: RecurringPart, { currency }: RatingTerms): RatedLine {
  const { line, servicePeriod } = part
  const rated = ratePrice(line.price, new Big(line.quantity), lineValues(line, part))
  const share = shareServed(part)
  const amount = applyShare(rated.amount, share)
  const ratedMinor = roundHalfAwayFromZero(amount, currency)
  return {
    ...lineFacts(line),
    kind: 'recurring',
    servicePeriod,
    taxedOn: servicePeriod.start,
    ratedMinor,
    explanation: {
      formula: `${tellSteps(rated.steps, isWhole(share) ? {} : { isFactor: true })}${tellShare(share)}`,
      ...explainPrice(line, rated),
      ...explainDays(part, share),
      ...explainRounding(amount, ratedMinor, currency),
    },
  }
}

function rateUsage(part: UsagePart, { currency, usageOf }: RatingTerms): RatedLine {
  const { line, servicePeriod } = part
  const measured = usageOf(part)
  if (part.billedQuantity !== undefined) return rateGoingOn(part, part.billedQuantity, measured, currency)
  const rated = ratePrice(
    line.price,
    new Big(measured.usage.quantity),
    usageContext(part, line.price, measured),
  )
  const ratedMinor = roundHalfAwayFromZero(rated.amount, currency)
  const notBilled = notBilledOf(rated)
  return {
    ...lineFacts(line),
    kind: 'usage',
    quantity: new Big(measured.usage.quantity).minus(notBilled).toFixed(),
    servicePeriod,
    taxedOn: servicePeriod.start,
    ratedMinor,
    explanation: {
      formula: tellSteps(rated.steps, { unit: measured.usage.unit }),
      ...explainPrice(line, rated),
      ...explainBound(part, line.price),
      ...explainEarly(part),
      usage: measured.usage,
      ...explainNotBilled(notBilled),
      ...explainRounding(rated.amount, ratedMinor, currency),
    },
  }
}

/** What came after days of the cycle were billed early: as late usage, tiers go on counting from what was billed. */
function rateGoingOn(
  part: UsagePart,
  billedQuantity: string,
  measured: MeasuredUsage,
  currency: string,
): RatedLine {
  const { line } = part
  const added = rateAdded({ ...part, price: line.price, billedQuantity, late: measured }, currency)
  const { priceListItemId } = line
  return {
    ...added,
    kind: 'usage',
    explanation: {
      ...added.explanation,
      ...(priceListItemId === null ? {} : { priceListItemId }),
      ...explainEarly(part),
      cycle: part.cycle,
    },
  }
}

function explainEarly({ isEarly, cycle }: UsagePart): Partial<InvoiceLineExplanation> {
  return isEarly ? { isEarly, cycle } : {}
}
