import { formatMoney } from './money.ts'
import type { Terms } from './terms.ts'

/** What an order can wait for before it is built. At most one of a kind is open. */
export type OrderHoldKind = 'payment' | 'acceptance' | 'review' | 'mail_verification'
export const orderHoldKinds: readonly OrderHoldKind[] = [
  'payment',
  'acceptance',
  'review',
  'mail_verification',
]

/** How a hold came to its end; only when all of an order are released it is built. */
export type OrderHoldOutcome = 'released' | 'refused' | 'expired' | 'withdrawn'
export const orderHoldOutcomes: readonly OrderHoldOutcome[] = ['released', 'refused', 'expired', 'withdrawn']

/** Where an order was placed. */
export type OrderChannel = 'api' | 'console' | 'command_line' | 'shop'

/** For which orders a mail address must be known to be the customer's own. */
export type MailVerification = 'never' | 'shop' | 'always'

/** Which orders a person looks at before they are built. What is left out holds none. */
export interface ReviewRules {
  /** What is to be paid first comes to so much, or more; minor units of the seller's currency, with tax. */
  readonly amountFromMinor?: number
  /** Of the customer: two letters of ISO 3166. */
  readonly countries?: readonly string[]
  readonly isFirstOrder?: boolean
  readonly isMailUnverified?: boolean
}

export interface HoldSettings {
  readonly unpaidOrderDays: number
  readonly mailVerification: MailVerification
  readonly reviewRules: ReviewRules
}

export interface HoldFacts {
  readonly channel: OrderChannel
  /** Of each line that is sold. */
  readonly buildTriggers: readonly Terms['buildTrigger'][]
  /** What the first invoices come to, with tax, in minor units. */
  readonly dueMinor: number
  readonly currency: string
  readonly customer: {
    readonly country: string | null
    readonly email: string | null
    readonly isMailVerified: boolean
    readonly isFirstOrder: boolean
  }
  /** The instant of the order in its own time. */
  readonly now: string
}

/** A hold that an order begins with. Instants; without an end it waits until it is settled. */
export interface PlannedHold {
  readonly kind: OrderHoldKind
  readonly rule: string | null
  readonly detail: string
  readonly expiresAt: string | null
}

/** A mail address that nobody confirmed for so long is not waited for any more. */
export const mailVerificationDays = 7

/** True where the amount decides: to know it, the first invoices are computed. */
export function isAmountAsked(
  settings: HoldSettings,
  facts: Pick<HoldFacts, 'channel' | 'buildTriggers'>,
): boolean {
  return settings.reviewRules.amountFromMinor !== undefined || triggersOf(facts).has('payment')
}

/**
 * What an order waits for before anything of it is built (B-08, B-15, B-16). The build begins at confirmation, with the
 * payment, or when an operator accepts, as the products say; where they say nothing, with the payment in the shop and at
 * confirmation elsewhere. Nothing is paid for what costs nothing now. Ordered on 1 March, a payment is waited for until
 * 15 March, a mail address until 8 March.
 */
export function decideHolds(settings: HoldSettings, facts: HoldFacts): PlannedHold[] {
  const triggers = triggersOf(facts)
  const holds: PlannedHold[] = []
  const rules = brokenRules(settings.reviewRules, facts)
  if (rules.length > 0) {
    holds.push({ kind: 'review', rule: rules.join(', '), detail: sayRules(rules, facts), expiresAt: null })
  }
  if (triggers.has('acceptance')) {
    holds.push({ kind: 'acceptance', rule: null, detail: 'An operator accepts it first.', expiresAt: null })
  }
  if (isMailAsked(settings.mailVerification, facts)) {
    const detail =
      facts.customer.email === null
        ? 'The customer has no mail address that could be verified.'
        : 'The mail address of the customer is not verified.'
    const expiresAt = daysAfter(facts.now, mailVerificationDays)
    holds.push({ kind: 'mail_verification', rule: null, detail, expiresAt })
  }
  if (triggers.has('payment') && facts.dueMinor > 0) {
    const detail = `${formatMoney(facts.dueMinor, facts.currency)} is to be paid first.`
    holds.push({
      kind: 'payment',
      rule: null,
      detail,
      expiresAt: daysAfter(facts.now, settings.unpaidOrderDays),
    })
  }
  return holds
}

function triggersOf({ channel, buildTriggers }: Pick<HoldFacts, 'channel' | 'buildTriggers'>) {
  const usual = channel === 'shop' ? 'payment' : 'confirmation'
  return new Set(buildTriggers.map((trigger) => trigger ?? usual))
}

function isMailAsked(setting: MailVerification, { channel, customer }: HoldFacts): boolean {
  if (customer.isMailVerified) return false
  return setting === 'always' || (setting === 'shop' && channel === 'shop')
}

type ReviewRule = 'amount' | 'country' | 'first_order' | 'mail_not_verified'

function brokenRules(rules: ReviewRules, { customer, dueMinor }: HoldFacts): ReviewRule[] {
  const { amountFromMinor, countries = [] } = rules
  return [
    ...(amountFromMinor !== undefined && dueMinor >= amountFromMinor ? (['amount'] as const) : []),
    ...(customer.country !== null && countries.includes(customer.country) ? (['country'] as const) : []),
    ...(rules.isFirstOrder && customer.isFirstOrder ? (['first_order'] as const) : []),
    ...(rules.isMailUnverified && !customer.isMailVerified ? (['mail_not_verified'] as const) : []),
  ]
}

function sayRules(rules: readonly ReviewRule[], { customer, dueMinor, currency }: HoldFacts): string {
  const sentences: Readonly<Record<ReviewRule, () => string>> = {
    amount: () => `it comes to ${formatMoney(dueMinor, currency)} at once`,
    country: () => `the customer is in ${customer.country}`,
    first_order: () => 'it is the first order of the customer',
    mail_not_verified: () => 'the mail address of the customer is not verified',
  }
  return `Held for review: ${rules.map((rule) => sentences[rule]()).join('; ')}.`
}

function daysAfter(instant: string, days: number): string {
  return new Date(Date.parse(instant) + days * 86_400_000).toISOString()
}

/** What a customer is told of it. Why an order is reviewed is not told. */
export function sayHold(kind: OrderHoldKind): string {
  const texts: Readonly<Record<OrderHoldKind, string>> = {
    payment: 'waiting for payment',
    acceptance: 'waiting to be accepted',
    review: 'being checked',
    mail_verification: 'waiting for the mail address to be verified',
  }
  return texts[kind]
}

/** How an order stands as the workflows of its subscriptions wait for it, in milliseconds of its own time. */
export type OrderTicket =
  | { readonly state: 'released' | 'ended' }
  | {
      readonly state: 'held'
      readonly kinds: readonly OrderHoldKind[]
      readonly sinceMs: number
      /** When it ends by itself; null: it does not. */
      readonly untilMs: number | null
    }

/** The request by which each subscription of an ended order is cancelled; who asked and why is in its note. */
export const orderClosedRequest = 'order_closed'
