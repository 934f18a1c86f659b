import type { Recurrence } from './calendar.ts'
import { defaultTerms, type Terms } from './terms.ts'

/** What is agreed with a subscription beside what it sells (C-48). What is left out is as the product says, or is not there. */
export interface SubscriptionDefaults {
  /** In the place of the product's own, of every line that the order line makes. */
  readonly terms?: Partial<Terms>
  /** What recurs is sold as the product of its family with this recurrence. */
  readonly recurrence?: Recurrence
  /** Counted from the first day of service. */
  readonly term?: {
    readonly length: Recurrence
    readonly notice: Recurrence
    readonly renewal: 'renew' | 'end'
  }
  readonly tags?: readonly string[]
  readonly notes?: string
}

/**
 * The defaults of a template with an order's own words over them. Terms are laid over one by one: a template of 15 days on
 * trial and a month's notice, ordered with 0 days on trial, keeps the notice.
 */
export function applyTemplate(
  template: SubscriptionDefaults,
  own: SubscriptionDefaults,
): SubscriptionDefaults {
  const terms = { ...template.terms, ...own.terms }
  return { ...template, ...own, ...(Object.keys(terms).length === 0 ? {} : { terms }) }
}

/** A product's terms with what was agreed in their place. Only what differs from the usual is kept. */
export function agreeTerms(terms: Partial<Terms>, agreed: Partial<Terms> | undefined): Partial<Terms> {
  const isUnusual = ([name, value]: [string, unknown]) => defaultTerms[name as keyof Terms] !== value
  return Object.fromEntries(Object.entries({ ...terms, ...agreed }).filter(isUnusual))
}
