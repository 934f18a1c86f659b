import fc from 'fast-check'
import { soldCodes } from './story-catalog.ts'

/** What happens on a day of a customer's life with us. Whom it concerns is a number that is counted round. */
export type StoryEvent =
  | { readonly kind: 'sell'; readonly product: string; readonly quantity: number }
  | { readonly kind: 'sellKit'; readonly kit: string }
  | {
      readonly kind: 'change'
      readonly who: number
      readonly quantity: number
      readonly product: string | null
      readonly later: number | null
    }
  | { readonly kind: 'pause'; readonly who: number; readonly after: number; readonly days: number | null }
  | { readonly kind: 'unpause' | 'resume' | 'uncancel'; readonly who: number }
  | {
      readonly kind: 'cancel'
      readonly who: number
      readonly when: 'now' | 'period_end' | 'date'
      readonly after: number
    }
  | {
      readonly kind: 'term'
      readonly who: number
      readonly months: number
      readonly renewal: 'renew' | 'end'
    }
  | {
      readonly kind: 'use'
      readonly who: number
      readonly metric: string
      readonly quantity: number
      readonly ago: number
    }
  | { readonly kind: 'oneOff'; readonly cents: number; readonly after: number }
  | {
      readonly kind: 'discount'
      readonly percent: string | null
      readonly scope: 'line' | 'document'
      readonly periods: number | null
    }
  | { readonly kind: 'revise'; readonly percent: string; readonly after: number }
  | { readonly kind: 'pay' }
  | { readonly kind: 'credit'; readonly which: number; readonly share: number | null }
  | { readonly kind: 'void'; readonly which: number; readonly isReissued: boolean }

export interface LifeStory {
  /** Days after 1 January 2027, so that leap days and changes of the tax rate come by. */
  readonly startsAfter: number
  /** In order; so many days pass before each. */
  readonly events: readonly { readonly days: number; readonly event: StoryEvent }[]
}

const who = fc.nat(5)
const months = fc.integer({ min: 1, max: 4 })

const anySale: fc.Arbitrary<StoryEvent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('sell'),
      product: fc.constantFrom(...soldCodes),
      quantity: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('sellKit'),
      kit: fc.constantFrom('odoo-config-1', 'odoo-config-2'),
    }),
  },
)

const anyEvent: fc.Arbitrary<StoryEvent> = fc.oneof(
  { weight: 3, arbitrary: anySale },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('change'),
      who,
      quantity: fc.integer({ min: 1, max: 12 }),
      product: fc.option(fc.constantFrom('seats', 'seats-pro', 'tiers', 'quarterly', 'kept')),
      later: fc.option(fc.nat(40)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pause'),
      who,
      after: fc.nat(20),
      days: fc.option(fc.integer({ min: 1, max: 45 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('unpause', 'resume', 'uncancel'), who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('cancel'),
      who,
      when: fc.constantFrom('now', 'period_end', 'date'),
      after: fc.nat(50),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('term'),
      who,
      months,
      renewal: fc.constantFrom('renew', 'end'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('use'),
      who,
      metric: fc.constantFrom('requests', 'network', 'disk'),
      quantity: fc.nat(40),
      ago: fc.nat(45),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('oneOff'),
      cents: fc.integer({ min: 1, max: 9_999 }),
      after: fc.nat(20),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('discount'),
      percent: fc.option(fc.constantFrom('10', '33.3333', '100')),
      scope: fc.constantFrom('line', 'document'),
      periods: fc.option(months),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('revise'),
      percent: fc.constantFrom('5', '-12.5'),
      after: fc.nat(40),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pay') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('credit'),
      which: fc.nat(20),
      share: fc.option(fc.integer({ min: 1, max: 120 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('void'), which: fc.nat(20), isReissued: fc.boolean() }),
  },
)

export const anyStory: fc.Arbitrary<LifeStory> = fc
  .record({
    startsAfter: fc.nat(400),
    sales: fc.array(fc.record({ days: fc.nat(20), event: anySale }), { minLength: 1, maxLength: 3 }),
    events: fc.array(fc.record({ days: fc.nat(25), event: anyEvent }), { maxLength: 14 }),
  })
  .map(({ startsAfter, sales, events }) => ({ startsAfter, events: [...sales, ...events] }))
