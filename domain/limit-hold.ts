import type { ApplicationDefinition, LimitDefinition, OutsideWay } from './application.ts'
import type { InstanceState } from './instance.ts'
import { isLimitReached, type LimitUse } from './limit-use.ts'
import type { Enforcement } from './terms.ts'

/** The code of the limit that a spend cap is: what usage costs in a period, of what it may cost. No application declares it. */
export const spendLimit = 'spend'

/** So long a sold limit may not be in force before a person is told (D-29). */
export const limitPatienceMs = 60_000

/** What is done to an instance from outside while a limit of it is reached. A plain JSON value. */
export type Hold =
  | { readonly way: Exclude<OutsideWay, 'read_only'> }
  /** Null: every volume. */
  | { readonly way: 'read_only'; readonly volume: string | null }
  | { readonly way: 'throttle_network'; readonly rateKbit: number }

/**
 * Whether an application can hold a limit as it is sold: a warning alone can be given for any, the rest needs a way that the
 * application states.
 */
export function canHold(limit: LimitDefinition, enforcement: Enforcement): boolean {
  if (enforcement === 'soft') return true
  if (!('metric' in limit)) return enforcement === 'hard'
  return enforcement === 'hard' ? limit.hard !== undefined : limit.throttleKbit !== undefined
}

/** Codes of the metrics by which alone it is seen that sold limits are reached, and held from outside. What only warns can wait. */
export function watchedMetrics(
  sold: readonly {
    readonly definition: LimitDefinition
    readonly limit: { readonly enforcement: Enforcement }
  }[],
): ReadonlySet<string> {
  return new Set(
    sold.flatMap(({ definition, limit }) =>
      'metric' in definition && limit.enforcement !== 'soft' ? definition.metric : [],
    ),
  )
}

/** What is sold of one limit of an instance today, and what was written down of it. */
export interface LimitStanding {
  readonly code: string
  readonly enforcement: Enforcement
  /** Null as long as nothing was measured. */
  readonly use: LimitUse | null
  /** It was reached, and what was decided then. */
  readonly isReached: boolean
  readonly hold: Hold | null
  /** The hold was seen in force, or was refused for good. */
  readonly isSettled: boolean
}

export interface LimitDecision {
  readonly code: string
  readonly isReached: boolean
  readonly hold: Hold | null
}

export interface InstanceDecision {
  /** Limits that are reached now and were not, that are not any more, or that are held otherwise. */
  readonly changed: readonly LimitDecision[]
  readonly state: 'running' | 'limited'
  /** Something has to be done to the instance, or was begun and not seen to its end. */
  readonly isToBeHeld: boolean
}

/**
 * Decides which limits of a running instance are reached, what holds each, and whether anything is left to do. What was not
 * measured stays as it was. Decided again without a change in between, it changes nothing.
 */
export function decideLimits(
  definition: Pick<ApplicationDefinition, 'limits' | 'metrics'>,
  instance: { readonly state: InstanceState; readonly limits: readonly LimitStanding[] },
): InstanceDecision {
  const decided = instance.limits.map((limit) => ({ limit, decision: decideLimit(definition, limit) }))
  const changed = decided.filter(({ limit, decision }) => isOther(limit, decision))
  const isLimited = decided.some(({ limit, decision }) => decision.isReached && limit.enforcement !== 'soft')
  const isUnsettled = decided.some(({ limit, decision }) => decision.hold !== null && !limit.isSettled)
  const isHoldOther = changed.some(({ limit, decision }) => !isSame(limit.hold, decision.hold))
  const state = isLimited ? 'limited' : 'running'
  return {
    changed: changed.map(({ decision }) => decision),
    state,
    isToBeHeld: isUnsettled || isHoldOther || state !== instance.state,
  }
}

function decideLimit(
  definition: Pick<ApplicationDefinition, 'limits' | 'metrics'>,
  { code, enforcement, use, isReached: wasReached }: LimitStanding,
): LimitDecision {
  const isReached = use === null ? wasReached : isLimitReached(use)
  return { code, isReached, hold: isReached ? holdOf(definition, code, enforcement) : null }
}

/** Null where the application or the engine holds it by itself, and where it is only told of. */
function holdOf(
  { limits, metrics }: Pick<ApplicationDefinition, 'limits' | 'metrics'>,
  code: string,
  enforcement: Enforcement,
): Hold | null {
  // An application knows nothing of money: it is stopped.
  if (code === spendLimit) return { way: 'stop' }
  const limit = limits.find((one) => one.code === code)
  if (limit === undefined || !('metric' in limit) || enforcement === 'soft') return null
  if (enforcement === 'throttle') {
    return limit.throttleKbit === undefined ? null : { way: 'throttle_network', rateKbit: limit.throttleKbit }
  }
  if (limit.hard === undefined) return null
  if (limit.hard !== 'read_only') return { way: limit.hard }
  const source = metrics.find((metric) => metric.code === limit.metric)?.source
  return { way: 'read_only', volume: source?.volume ?? null }
}

function isOther(limit: LimitStanding, decision: LimitDecision): boolean {
  return limit.isReached !== decision.isReached || !isSame(limit.hold, decision.hold)
}

/** Both were made here, with their keys in one order, or read from the database, which keeps its own. */
function isSame(first: Hold | null, second: Hold | null): boolean {
  const text = (hold: Hold | null) =>
    Object.entries(hold ?? {})
      .map(([key, value]) => `${key}=${String(value)}`)
      .toSorted()
      .join()
  return text(first) === text(second)
}

/** How fast an instance may send: of several limits that slow it down the slowest; null where none does. */
export function heldRateKbit(holds: readonly Hold[] | undefined): number | null {
  const rates = (holds ?? []).flatMap((hold) => (hold.way === 'throttle_network' ? hold.rateKbit : []))
  return rates.length === 0 ? null : Math.min(...rates)
}

/** Whether something of an instance is held in one of some ways. */
export function isHeldBy(holds: readonly Hold[] | undefined, ...ways: readonly Hold['way'][]): boolean {
  return (holds ?? []).some(({ way }) => ways.includes(way))
}
