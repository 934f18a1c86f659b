import { compareDates } from './calendar.ts'
import { BusinessError } from './errors.ts'
import {
  exemptBuyer,
  type TaxCategory,
  type TaxDetermination,
  type TaxDecision,
  type TaxQuestion,
} from './tax.ts'

/** What of a question a tax service is told, and by what its answer is found again: the same for all buyers alike. */
export interface TaxFacts {
  readonly sellerCountry: string
  readonly buyerCountry: string
  readonly buyerRegion: string | null
  readonly isBusiness: boolean
  readonly isTaxIdVerified: boolean
  /** The product's own: standard, reduced, books. */
  readonly productCategory: string
}

/** What a tax service says. Charged are `standard` with rates above zero and `zero`; everything else has no rates. */
export interface TaxServiceAnswer {
  readonly decision: Omit<TaxDecision, 'rule' | 'source'>
  /** Which service answered, and under which number if it gave one. */
  readonly source: string
  /** The days of service for which it holds: the first, and the first on which it does not any more; null is open. */
  readonly startsOn: string | null
  readonly endsOn: string | null
}

export interface KeptTaxAnswer extends TaxServiceAnswer {
  readonly facts: TaxFacts
}

/** Asks a service what tax applies on a day. It rejects where the service is away or answers what cannot be: nothing is guessed. */
export type TaxService = (facts: TaxFacts, on: string) => Promise<TaxServiceAnswer>

/** A refusal that carries what has to be asked. Whoever catches it writes that down, once all else was rolled back. */
export class TaxAnswerMissing extends BusinessError {
  readonly facts: TaxFacts
  readonly on: string

  constructor(facts: TaxFacts, on: string) {
    const { productCategory, buyerCountry } = facts
    super(
      'tax_answer_missing',
      `The tax service has not answered yet for ${productCategory} in ${buyerCountry} on ${on}. It is asked by itself.`,
    )
    this.facts = facts
    this.on = on
  }
}

/**
 * Determines by what a service answered before; of several answers for a day the last of the list holds. An exempt buyer
 * is not asked about: that is the seller's word.
 * @throws `tax_answer_missing` where there is none, as a `TaxAnswerMissing`
 */
export function taxByService(answers: readonly KeptTaxAnswer[]): TaxDetermination {
  const byFacts = Map.groupBy(answers, ({ facts }) => keyOf(facts))
  return (question) => {
    const exempt = exemptBuyer(question.buyer)
    if (exempt !== null) return exempt
    const facts = factsOf(question)
    const answer = byFacts.get(keyOf(facts))?.findLast((kept) => holdsOn(kept, question.on))
    if (answer === undefined) throw new TaxAnswerMissing(facts, question.on)
    return { ...answer.decision, rule: 'service', source: answer.source }
  }
}

/** Half-open: an answer for 1 to 2 March holds on the 1st alone. */
export function holdsOn(
  { startsOn, endsOn }: Pick<TaxServiceAnswer, 'startsOn' | 'endsOn'>,
  on: string,
): boolean {
  return (
    (startsOn === null || compareDates(startsOn, on) <= 0) &&
    (endsOn === null || compareDates(on, endsOn) < 0)
  )
}

/** Whether rates go with a category: what is charged has some, `zero` at 0 percent, and everything else has none. */
export function ratesFit(category: TaxCategory, ratePercents: readonly number[]): boolean {
  if (category === 'standard') return ratePercents.some((percent) => percent > 0)
  if (category === 'zero') return ratePercents.length > 0 && ratePercents.every((percent) => percent === 0)
  return ratePercents.length === 0
}

function factsOf({ seller, buyer, category }: TaxQuestion): TaxFacts {
  return {
    sellerCountry: seller.country,
    buyerCountry: buyer.country,
    buyerRegion: buyer.region,
    isBusiness: buyer.isBusiness,
    isTaxIdVerified: buyer.taxId !== null && buyer.isTaxIdVerified,
    productCategory: category,
  }
}

function keyOf(facts: TaxFacts): string {
  const { sellerCountry, buyerCountry, buyerRegion, isBusiness, isTaxIdVerified, productCategory } = facts
  return JSON.stringify([
    sellerCountry,
    buyerCountry,
    buyerRegion,
    isBusiness,
    isTaxIdVerified,
    productCategory,
  ])
}
