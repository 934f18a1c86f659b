import type { PresentLine } from '#db/present-usage.ts'
import { readableQuantity } from '#domain/invoice/present-usage.ts'
import { spendLimit } from '#domain/limit-hold.ts'
import { parseAmount } from '#domain/money.ts'
import { isCountedUnit } from '#domain/unit.ts'
import type { Speech } from './language.ts'
import type { OwnSubscription } from './own.ts'

/** How much of what is used: of what is included or sold; of what has no bound only how much. */
export interface Gauge {
  readonly title: string
  readonly says: string
  /** Of the whole width, at most 1: what is used. Null where there is nothing to compare it with. */
  readonly share: number | null
  /** Where the bound is. */
  readonly boundAt: number
  /** Where it ends at this pace; null where nothing can be said. */
  readonly projectedAt: number | null
  readonly isReached: boolean
}

/** What is metered, and what is sold up to a limit. */
export function gaugesOf(content: OwnSubscription, speech: Speech): readonly Gauge[] {
  const metered = (content.present?.lines ?? []).map((line) => meteredGauge(line, content, speech))
  return [...limitGauges(content, speech), ...metered]
}

/** `62 of 100 GiB. At this pace 118 GiB on 31 May: 18.00 USD.` */
function sayUsage(line: PresentLine, currency: string, { words, formats, locale }: Speech): string {
  const { quantity, includedQuantity, projection } = line
  const [used, unit] = [formats.quantity(readableQuantity(quantity)), formats.unit(line.unit)]
  const included = includedQuantity === null ? null : formats.quantity(readableQuantity(includedQuantity))
  if (projection === null) {
    const cost = formats.amount(line.costMinor, currency)
    return included === null
      ? words.usedSoFar(used, unit, cost)
      : words.usedOfIncludedSoFar(used, included, unit, cost)
  }
  const now = included === null ? words.used(used, unit) : words.usedOfIncluded(used, included, unit)
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', timeZone: 'UTC' })
  const pace = words.atThisPace(
    formats.quantity(readableQuantity(projection.quantity)),
    unit,
    day.format(new Date(projection.on)),
    formats.amount(projection.costMinor, currency),
  )
  return `${now} ${pace}`
}

function meteredGauge(line: PresentLine, { row }: OwnSubscription, speech: Speech): Gauge {
  const says = sayUsage(line, row.currency, speech)
  const gauge = { title: line.description, says, isReached: false }
  const bound = Number(line.includedQuantity ?? 0)
  if (bound === 0) return { ...gauge, share: null, boundAt: 1, projectedAt: null }
  const projected = line.projection === null ? null : Number(line.projection.quantity)
  return { ...gauge, ...scale({ used: Number(line.quantity), bound, projected }) }
}

/** The greatest of them is the whole width. */
function scale(of: { used: number; bound: number; projected: number | null }) {
  const whole = Math.max(of.used, of.bound, of.projected ?? 0)
  return {
    share: of.used / whole,
    boundAt: of.bound / whole,
    projectedAt: of.projected === null ? null : of.projected / whole,
  }
}

export interface ReachedLimit {
  readonly title: string
  /** What is done about it; null where the application or the engine holds it by itself. */
  readonly way: NonNullable<OwnLimit['hold']>['way'] | null
  readonly isSpend: boolean
}

type OwnLimit = OwnSubscription['instances'][number]['limits'][number]

/** Limits that are reached and held; of those that are only warned of, their gauge tells. */
export function reachedLimits(content: OwnSubscription): readonly ReachedLimit[] {
  return limitsOf(content)
    .filter(({ limit }) => limit.reached_at !== null && limit.enforcement !== 'soft')
    .map(({ limit, title }) => ({
      title,
      way: limit.hold?.way ?? null,
      isSpend: limit.code === spendLimit,
    }))
}

/** What the customer was warned of, newest first. */
export function warningsOf(content: OwnSubscription, { words, formats }: Speech): readonly Warning[] {
  return content.warnings.map(({ kind, subject, used, ceiling, unit, warned_at: at }) => {
    if (kind === 'spend') {
      const [cost, cap] = [used, ceiling].map((amount) => formats.amount(parseAmount(amount, unit), unit))
      return { at, says: words.warnedOfCost(cost ?? '', cap ?? '') }
    }
    const title = content.lines.findLast(({ limit_code: code }) => code === subject)?.description ?? subject
    const amount = formats.quantity(readableQuantity(ceiling))
    const bound = isCountedUnit(unit) ? amount : `${amount} ${formats.unit(unit)}`
    return { at, says: words.warnedOfLimit(title, formats.quantity(readableQuantity(used)), bound) }
  })
}

interface Warning {
  readonly at: string
  readonly says: string
}

function limitGauges(content: OwnSubscription, speech: Speech): Gauge[] {
  const { words, formats } = speech
  return limitsOf(content)
    .filter(({ limit }) => limit.code !== spendLimit)
    .map(({ limit, title, unit: lineUnit }) => {
      const unit = limit.unit ?? lineUnit
      const amount = formats.quantity(readableQuantity(limit.sold_quantity))
      // What is counted is said by the title: nobody says "5 of 5 user".
      const bound = isCountedUnit(unit) || unit === '' ? amount : `${amount} ${formats.unit(unit)}`
      const isReached = limit.reached_at !== null
      if (limit.used_quantity === null)
        return { title, says: words.notMeasured(bound), share: 0, boundAt: 1, projectedAt: null, isReached }
      const used = Number(limit.used_quantity)
      const says = words.ofLimit(formats.quantity(readableQuantity(limit.used_quantity)), bound)
      const of = { used, bound: Math.max(Number(limit.sold_quantity), Number.MIN_VALUE), projected: null }
      return { title, says, ...scale(of), isReached }
    })
}

/** By the name of the line that sold it. */
function limitsOf({ instances, lines }: OwnSubscription) {
  return instances.flatMap((instance) =>
    instance.limits.map((limit) => {
      const line = lines.findLast(
        ({ limit_code: code, instance_id: id }) => code === limit.code && (id === null || id === instance.id),
      )
      return { limit, title: line?.description ?? limit.code, unit: line?.unit ?? '' }
    }),
  )
}
