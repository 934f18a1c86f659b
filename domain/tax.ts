import Big from 'big.js'
import { compareDates } from './calendar.ts'
import { BusinessError } from './errors.ts'

/** A rate as the seller keeps it. `category` is the product's own: standard, reduced, books. */
export interface TaxRate {
  readonly id: string
  /** ISO 3166, two letters. */
  readonly country: string
  /** Null is the whole country. */
  readonly region: string | null
  readonly category: string
  readonly name: string
  readonly ratePercent: string
  /** First day on which the rate is in force, and the first on which it is not any more; null is open. */
  readonly startsOn: string | null
  readonly endsOn: string | null
}

/** What a tax depends on. `on` is the service date: it selects the rate, whenever the invoice is made. */
export interface TaxQuestion {
  readonly seller: { readonly country: string }
  readonly buyer: TaxedBuyer
  readonly category: string
  readonly on: string
  readonly isElectronicService?: boolean
}

export interface TaxedBuyer {
  readonly country: string
  readonly region: string | null
  readonly isBusiness: boolean
  readonly taxId: string | null
  /** The register confirmed the id. Not asked yet, or not reachable, is not verified, and not verified means taxed. */
  readonly isTaxIdVerified: boolean
  /** Why the buyer pays no tax, as it is printed; null for everyone else. */
  readonly exemption: string | null
}

export type TaxCategory = 'standard' | 'zero' | 'exempt' | 'reverse_charge' | 'out_of_scope'

export interface AppliedTaxRate {
  readonly name: string
  readonly ratePercent: string
}

/** The answer, kept with the document together with the question. */
export interface TaxDecision {
  readonly category: TaxCategory
  /** All on the same base, never on each other. Empty where nothing is charged. */
  readonly rates: readonly AppliedTaxRate[]
  /** What the document must say of it; null where nothing needs to be said. */
  readonly note: string | null
  readonly rule: TaxRule
  /** Who answered, where it was an outside service. */
  readonly source?: string
}

/** Which rule of the default determination answered, or that an outside service did. */
export type TaxRule =
  | 'buyer_is_exempt'
  | 'seller_has_no_rates'
  | 'same_country'
  | 'eu_business_verified'
  | 'rates_of_buyers_country'
  | 'business_abroad'
  | 'electronic_service_abroad'
  | 'rates_of_sellers_country'
  | 'service'

/** What an outside tax service must answer to take the place of the table. It fails rather than guess a rate. */
export type TaxDetermination = (question: TaxQuestion) => TaxDecision

/** The default determination: by the seller's table of rates. */
export function taxTable(rates: readonly TaxRate[]): TaxDetermination {
  return (question) => determineTax(question, rates)
}

/** Member states of the European Union, for whose businesses article 196 of directive 2006/112/EC moves the tax. */
const europeanUnion = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
)

export function isInEuropeanUnion(country: string): boolean {
  return europeanUnion.has(country)
}

const reverseChargeNote =
  'Reverse charge: the recipient accounts for the tax (article 196, directive 2006/112/EC).'
const abroadNote = 'Not taxable in the country of the seller.'

/**
 * Which tax is charged. An exempt buyer pays none. In the seller's country its rates apply. A business of another member
 * state of the EU pays none if its tax id was verified, and is taxed like a consumer if not. Rates that the seller
 * keeps for the buyer's country apply to everyone else there; without them, businesses outside the EU and buyers of
 * electronic services outside it are out of scope, and the rest pays the rates of the seller's country.
 * A seller that keeps no rates charges no tax.
 * @throws `tax_rate_missing` when rates are kept, and none is in force for that category on that day: never a guessed one
 */
export function determineTax(question: TaxQuestion, rates: readonly TaxRate[]): TaxDecision {
  const { seller, buyer } = question
  const exempt = exemptBuyer(buyer)
  if (exempt !== null) return exempt
  if (rates.length === 0) return untaxed('out_of_scope', null, 'seller_has_no_rates')
  if (seller.country === buyer.country) return taxed(question, seller.country, rates, 'same_country')
  const isInsideUnion = europeanUnion.has(seller.country) && europeanUnion.has(buyer.country)
  if (isInsideUnion && buyer.isBusiness && buyer.taxId !== null && buyer.isTaxIdVerified) {
    return untaxed('reverse_charge', reverseChargeNote, 'eu_business_verified')
  }
  const isTaxedAtBuyer = !isInsideUnion || !!question.isElectronicService
  if (isTaxedAtBuyer && rates.some((rate) => rate.country === buyer.country)) {
    return taxed(question, buyer.country, rates, 'rates_of_buyers_country')
  }
  if (!isInsideUnion && buyer.isBusiness) return untaxed('out_of_scope', abroadNote, 'business_abroad')
  if (!isInsideUnion && question.isElectronicService) {
    return untaxed('out_of_scope', abroadNote, 'electronic_service_abroad')
  }
  return taxed(question, seller.country, rates, 'rates_of_sellers_country')
}

/** Null where the buyer is not exempt. */
export function exemptBuyer({ exemption }: TaxedBuyer): TaxDecision | null {
  return exemption === null ? null : untaxed('exempt', exemption, 'buyer_is_exempt')
}

function untaxed(category: TaxCategory, note: string | null, rule: TaxRule): TaxDecision {
  return { category, rates: [], note, rule }
}

function taxed(
  question: TaxQuestion,
  country: string,
  rates: readonly TaxRate[],
  rule: TaxRule,
): TaxDecision {
  const applied = ratesInForce(question, country, rates)
  if (applied.length === 0) {
    throw new BusinessError(
      'tax_rate_missing',
      `There is no tax rate for ${question.category} in ${country} on ${question.on}. Add it to the tax rates.`,
    )
  }
  const isZero = applied.every((rate) => new Big(rate.ratePercent).eq(0))
  return {
    category: isZero ? 'zero' : 'standard',
    rates: applied.map(({ name, ratePercent }) => ({ name, ratePercent })),
    note: null,
    rule,
  }
}

/** The most specific rank wins whole: the rates of the buyer's region, else those of the country; all of one rank apply. */
function ratesInForce(question: TaxQuestion, country: string, rates: readonly TaxRate[]): TaxRate[] {
  const inForce = rates.filter(
    (rate) =>
      rate.country === country &&
      rate.category === question.category &&
      (rate.startsOn === null || compareDates(rate.startsOn, question.on) <= 0) &&
      (rate.endsOn === null || compareDates(question.on, rate.endsOn) < 0),
  )
  const { region } = question.buyer
  const ofRegion =
    country === question.buyer.country && region !== null
      ? inForce.filter((rate) => rate.region === region)
      : []
  const ofRank = ofRegion.length > 0 ? ofRegion : inForce.filter((rate) => rate.region === null)
  return ofRank.toSorted((first, second) =>
    first.name < second.name ? -1 : first.name > second.name ? 1 : 0,
  )
}

/** The exact tax on a base, both in minor units: 2097 at 20 percent is 419.4. */
export function taxOn(baseMinor: Big, ratePercent: string): Big {
  return baseMinor.times(ratePercent).times('0.01')
}
