import fc from 'fast-check'
import { addDays, compareDates, cycleBoundary, laterDate, type BillingInterval } from '#domain/calendar.ts'
import { afterBilling } from '#domain/invoice/billed.ts'
import type { DiscountInForce } from '#domain/invoice/discounting.ts'
import {
  computeDocument,
  type DocumentDraft,
  type DocumentInput,
  type DocumentTaxTerms,
  type SubscriptionBounds,
} from '#domain/invoice/document.ts'
import { dueParts } from '#domain/invoice/due.ts'
import type { BillableLine, UsagePart } from '#domain/invoice/lines.ts'
import type { TaxDecision } from '#domain/tax.ts'
import type { Terms } from '#domain/terms.ts'
import { anyPrice } from '#test/domain/pricing/price-generator.ts'
import { billableLine, untaxed, usageOf } from '#test/support/billing.ts'

/** All that the bills of a document over its first periods follow from. */
export interface DocumentStory {
  readonly anchor: string
  readonly interval: BillingInterval
  readonly currency: string
  readonly lines: readonly BillableLine[]
  readonly discounts: readonly DiscountInForce[]
  readonly bounds: readonly SubscriptionBounds[]
  readonly tax: DocumentTaxTerms
  readonly periodCount: number
}

export const anyInterval = fc.constantFrom<BillingInterval>(
  { count: 1, unit: 'month' },
  { count: 1, unit: 'month_last_day' },
  { count: 3, unit: 'month' },
  { count: 12, unit: 'month' },
  { count: 2, unit: 'month_last_day' },
  { count: 7, unit: 'day' },
  { count: 30, unit: 'day' },
)

/** Leap years, ends of months, changes of the year. */
export const anyDate = fc.integer({ min: 0, max: 1_600 }).map((days) => addDays('2023-11-25', days))

const anyTerms: fc.Arbitrary<Partial<Terms>> = fc.record(
  {
    proration: fc.constantFrom<Terms['proration']>('day', 'month_30', 'none'),
    unusedTime: fc.constantFrom<Terms['unusedTime']>('credit', 'refund', 'keep'),
    periodCount: fc.integer({ min: 1, max: 4 }),
    trialDays: fc.integer({ min: 0, max: 45 }),
    isZeroShown: fc.boolean(),
  },
  { requiredKeys: [] },
)

const tax = (name: string, ratePercent: string) => ({ name, ratePercent })
const decisions: readonly TaxDecision[] = [
  { category: 'standard', rates: [tax('VAT', '19')], note: null, rule: 'same_country' },
  { category: 'standard', rates: [tax('VAT', '7')], note: null, rule: 'same_country' },
  { category: 'standard', rates: [tax('GST', '5'), tax('QST', '9.975')], note: null, rule: 'same_country' },
  { category: 'zero', rates: [tax('VAT', '0')], note: null, rule: 'same_country' },
  { category: 'reverse_charge', rates: [], note: 'Reverse charge', rule: 'eu_business_verified' },
  untaxed,
]

/** Each category of products is taxed by one of the decisions; in the middle of the story another one holds. */
const anyTax: fc.Arbitrary<DocumentTaxTerms> = fc
  .record({
    arePricesInclusive: fc.boolean(),
    taxRounding: fc.constantFrom('document', 'line'),
    shift: fc.nat(5),
    changesOn: anyDate,
  })
  .map(({ shift, changesOn, ...terms }) => ({
    ...terms,
    decide: (category, on) => {
      const later = compareDates(changesOn, on) <= 0 ? 1 : 0
      return decisions[(category.length + shift + later) % decisions.length] ?? untaxed
    },
  }))

const anyLine = fc.record({
  billingType: fc.constantFrom<BillableLine['billingType']>('flat', 'threshold', 'usage'),
  isInAdvance: fc.boolean(),
  isOnce: fc.boolean(),
  subscription: fc.constantFrom('s1', 's2'),
  price: anyPrice,
  quantity: fc.constantFrom('1', '5', '0.25', '12', '300'),
  taxCategory: fc.constantFrom('standard', 'reduced', 'books'),
  terms: anyTerms,
  // Before the anchor as well: a start may be agreed on a day that has passed.
  startsAfter: fc.integer({ min: -50, max: 80 }),
  livesFor: fc.option(fc.nat(200)),
})

const anyDiscount = fc.record({
  scope: fc.constantFrom<DiscountInForce['scope']>('line', 'document'),
  percent: fc.option(fc.constantFrom('5', '12.5', '33.3333', '100')),
  amountMinor: fc.integer({ min: 1, max: 50_000 }),
  subscriptionId: fc.constantFrom(null, 's1', 's2'),
  startsAfter: fc.nat(90),
  periodCount: fc.option(fc.integer({ min: 1, max: 4 })),
})

const anyBounds = fc.record({
  subscriptionId: fc.constantFrom('s1', 's2'),
  least: fc.option(fc.nat(500)),
  more: fc.option(fc.nat(2_000)),
})

export const anyDocument: fc.Arbitrary<DocumentStory> = fc
  .record({
    anchor: anyDate,
    interval: anyInterval,
    currency: fc.constantFrom('USD', 'USD', 'JPY', 'KWD'),
    lines: fc.array(anyLine, { minLength: 1, maxLength: 6 }),
    discounts: fc.array(anyDiscount, { maxLength: 3 }),
    bounds: fc.uniqueArray(anyBounds, { maxLength: 2, selector: ({ subscriptionId }) => subscriptionId }),
    tax: anyTax,
    periodCount: fc.integer({ min: 1, max: 5 }),
  })
  .map((story) => ({
    ...story,
    lines: story.lines.map((line, index) => toLine(line, index, story)),
    discounts: story.discounts.map((discount, index) => toDiscount(discount, index, story.anchor)),
    bounds: story.bounds.map(({ subscriptionId, least, more }) => ({
      subscriptionId,
      leastAmount: least === null ? null : String(least),
      greatestAmount: more === null ? null : String((least ?? 0) + more),
    })),
  }))

type Drawn<Of> = Of extends fc.Arbitrary<infer Value> ? Value : never

function toLine(
  drawn: Drawn<typeof anyLine>,
  index: number,
  { anchor, interval }: { anchor: string; interval: BillingInterval },
): BillableLine {
  const startsOn = addDays(anchor, drawn.startsAfter)
  const isUsage = drawn.billingType === 'usage'
  return billableLine({
    id: `line-${index}`,
    subscriptionId: drawn.subscription,
    productId: `product-${index}`,
    billingType: drawn.billingType,
    billingTiming: isUsage || !drawn.isInAdvance ? 'arrears' : 'advance',
    interval: drawn.isOnce && !isUsage ? null : interval,
    billingCycleAnchor: anchor,
    quantity: drawn.quantity,
    metric: isUsage ? 'network' : null,
    price: drawn.price,
    taxCategory: drawn.taxCategory,
    terms: drawn.terms,
    startsOn,
    firstStartsOn: startsOn,
    endsOn: drawn.livesFor === null ? null : addDays(startsOn, drawn.livesFor),
  })
}

function toDiscount(drawn: Drawn<typeof anyDiscount>, index: number, anchor: string): DiscountInForce {
  return {
    id: `discount-${index}`,
    name: `Discount ${index}`,
    scope: drawn.scope,
    percent: drawn.percent,
    amountMinor: drawn.percent === null ? drawn.amountMinor : null,
    productId: null,
    subscriptionId: drawn.subscriptionId,
    startsOn: addDays(anchor, drawn.startsAfter),
    endsOn: null,
    periodCount: drawn.periodCount,
  }
}

/** As much as its line and day say, the same each time it is asked. */
function measured(part: UsagePart) {
  const day = Temporal.PlainDate.from(part.servicePeriod.start).dayOfYear
  return { usage: usageOf(String((day * 37 + part.line.id.length * 11) % 400)) }
}

export interface MadeDocument {
  readonly input: DocumentInput
  readonly draft: DocumentDraft
}

export function inputOn(story: DocumentStory, lines: readonly BillableLine[], asOf: string): DocumentInput {
  const { currency, discounts, bounds, tax, anchor, interval } = story
  const cycles = { anchor, interval }
  const parts = dueParts(lines, asOf)
  return {
    reason: 'period',
    currency,
    asOf,
    cycles,
    lines,
    parts,
    usageOf: measured,
    discounts,
    bounds,
    tax,
    language: 'en',
  }
}

/** Bills the document on the first day of each of its periods, as a billing run that never misses one does. */
export function billInCourse(story: DocumentStory): {
  documents: MadeDocument[]
  lines: readonly BillableLine[]
  lastDay: string
} {
  let lines = story.lines
  const documents: MadeDocument[] = []
  let lastDay = story.anchor
  for (let index = 0; index <= story.periodCount; index += 1) {
    const asOf = cycleBoundary(story.anchor, story.interval, index)
    lastDay = laterDate(lastDay, asOf)
    const input = inputOn(story, lines, asOf)
    const draft = computeDocument(input)
    if (draft === null) continue
    documents.push({ input, draft })
    lines = afterBilling(lines, draft, story.tax, String(index))
  }
  return { documents, lines, lastDay }
}
