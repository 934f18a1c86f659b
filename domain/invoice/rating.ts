import Big from 'big.js'
import { daysIn, type Period } from '../calendar.ts'
import { roundHalfAwayFromZero } from '../money.ts'
import { rateDifference, type RatedDifference } from '../pricing/difference.ts'
import type { FormulaValues } from '../pricing/formula.ts'
import type { Price } from '../pricing/price.ts'
import { ratePrice } from '../pricing/rate.ts'
import type { RatingContext } from '../pricing/rated-price.ts'
import { unitPriceOf } from '../pricing/unit-price.ts'
import type { BillingType } from '../product.ts'
import { applyShare } from '../proration.ts'
import type { TaxDecision } from '../tax.ts'
import {
  explainBound,
  explainDays,
  explainPrice,
  explainRounding,
  isBounded,
  isWhole,
  shareServed,
  type InvoiceLineExplanation,
} from './explanation.ts'
import { tellShare, tellSteps } from './formula-text.ts'
import type {
  BillableLine,
  CreditPart,
  DuePart,
  InvoiceLineKind,
  LateUsagePart,
  MeasuredUsage,
  OneOffPart,
  OneTimePart,
  RecurringPart,
  UsagePart,
} from './lines.ts'

/** A priced part, before discounts and tax. */
export interface RatedLine {
  readonly kind: InvoiceLineKind
  /** Null for a one-off, which belongs to no line. */
  readonly line: BillableLine | null
  readonly subscriptionId: string | null
  readonly productId: string | null
  readonly oneOffChargeId: string | null
  /** Null but for a credit. */
  readonly mirror: MirroredCharge | null
  readonly description: string
  readonly billingType: BillingType
  readonly quantity: string
  readonly unit: string
  readonly unitPrice: string | null
  readonly servicePeriod: Period | null
  /** In minor units, rounded once; with tax where prices include it. */
  readonly ratedMinor: number
  /** The product's own, and the day that decides the rate. */
  readonly taxCategory: string
  readonly taxedOn: string
  readonly lateEventIds: readonly string[]
  readonly explanation: InvoiceLineExplanation
}

/** What a credit gives back of a charge, 0 or less, under the tax decision of the charge. */
export interface MirroredCharge {
  readonly chargeId: string
  readonly netMinor: number
  readonly taxMinor: number
  readonly tax: TaxDecision
}

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
      return rateLateUsage(part, terms)
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
      ...explainPrice(line.price, line.priceListItemId, rated),
      ...explainRounding(rated.amount, ratedMinor, currency),
    },
  }
}

function rateOneOff({ charge }: OneOffPart, { currency }: RatingTerms): RatedLine {
  const rated = ratePrice(charge.price, new Big(charge.quantity))
  const ratedMinor = roundHalfAwayFromZero(rated.amount, currency)
  return {
    kind: 'one_off',
    line: null,
    subscriptionId: charge.subscriptionId,
    productId: charge.productId,
    oneOffChargeId: charge.id,
    mirror: null,
    description: charge.description,
    billingType: 'flat',
    quantity: charge.quantity,
    unit: charge.unit,
    unitPrice: unitPriceOf(charge.price),
    servicePeriod: null,
    taxCategory: charge.taxCategory,
    taxedOn: charge.chargedOn,
    ratedMinor,
    lateEventIds: none,
    explanation: {
      formula: `${tellSteps(rated.steps)}, once`,
      ...explainPrice(charge.price, null, rated),
      ...explainRounding(rated.amount, ratedMinor, currency),
    },
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
      ...explainPrice(line.price, line.priceListItemId, rated),
      ...explainDays(part, share),
      ...explainRounding(amount, ratedMinor, currency),
    },
  }
}

function rateUsage(part: UsagePart, { currency, usageOf }: RatingTerms): RatedLine {
  const { line, servicePeriod } = part
  const measured = usageOf(part)
  const rated = ratePrice(
    line.price,
    new Big(measured.usage.quantity),
    usageContext(part, line.price, measured),
  )
  const ratedMinor = roundHalfAwayFromZero(rated.amount, currency)
  return {
    ...lineFacts(line),
    kind: 'usage',
    quantity: measured.usage.quantity,
    servicePeriod,
    taxedOn: servicePeriod.start,
    ratedMinor,
    explanation: {
      formula: tellSteps(rated.steps, { unit: measured.usage.unit }),
      ...explainPrice(line.price, line.priceListItemId, rated),
      ...explainBound(part, line.price),
      usage: measured.usage,
      ...explainRounding(rated.amount, ratedMinor, currency),
    },
  }
}

/** Tiers go on counting: the price of the whole quantity less the price of what was billed, at the period's price. */
function rateLateUsage(part: LateUsagePart, { currency }: RatingTerms): RatedLine {
  const { line, servicePeriod, price, late } = part
  const difference = rateLate(part)
  const ratedMinor = roundHalfAwayFromZero(difference.amount, currency)
  return {
    ...lineFacts(line),
    kind: 'late_usage',
    quantity: late.usage.quantity,
    unitPrice: unitPriceOf(price),
    servicePeriod,
    taxedOn: servicePeriod.start,
    ratedMinor,
    lateEventIds: part.eventIds,
    explanation: {
      formula: `late: ${tellSteps(difference.charged.steps, { unit: late.usage.unit })}${
        difference.reversed.eq(0) ? '' : `, less ${difference.reversed.neg().toFixed()} that were billed`
      }`,
      ...explainPrice(price, null, difference.charged),
      ...explainBound(part, price),
      usage: late.usage,
      billedQuantity: part.billedQuantity,
      ...explainRounding(difference.amount, ratedMinor, currency),
    },
  }
}

/** A share of values is owed for each event by itself, so that late ones are priced alone. */
function rateLate(part: LateUsagePart): Pick<RatedDifference, 'amount' | 'reversed' | 'charged'> {
  const { price, late } = part
  const quantity = new Big(late.usage.quantity)
  const { events, ...context } = usageContext(part, price, late)
  if (price.model === 'percentage' && events?.kind === 'each') {
    const after = { ...events, eventsBefore: part.billedEvents }
    const charged = ratePrice(price, quantity, { ...context, events: after })
    return { amount: charged.amount, reversed: new Big(0), charged }
  }
  const billed = new Big(part.billedQuantity)
  return rateDifference(price, billed, billed.plus(quantity), context)
}

const none: readonly string[] = []

function lineFacts(line: BillableLine) {
  return {
    line,
    subscriptionId: line.subscriptionId,
    productId: line.productId,
    oneOffChargeId: null,
    mirror: null,
    description: line.description,
    billingType: line.billingType,
    quantity: line.quantity,
    unit: line.unit,
    unitPrice: unitPriceOf(line.price),
    taxCategory: line.taxCategory,
    lateEventIds: none,
  }
}

/** What a formula price may name. */
function lineValues(line: BillableLine, part?: { servicePeriod: Period; cycle: Period }): FormulaValues {
  if (line.price.model !== 'formula') return {}
  const ofLine = { 'line.quantity': line.quantity }
  if (part === undefined) return { values: ofLine }
  const values = {
    ...ofLine,
    'period.days': String(daysIn(part.servicePeriod)),
    'cycle.days': String(daysIn(part.cycle)),
  }
  return { values }
}

function usageContext(part: UsagePart | LateUsagePart, price: Price, measured: MeasuredUsage): RatingContext {
  return {
    ...lineValues({ ...part.line, price }, part),
    ...(measured.events === undefined ? {} : { events: measured.events }),
    ...(isBounded(price) ? { boundShare: shareServed(part) } : {}),
  }
}
