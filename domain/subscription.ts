import type { Recurrence } from './calendar.ts'
import { BusinessError } from './errors.ts'
import { spread } from './spread.ts'

/** Where a subscription stands. The database holds the drawn paths between phases (`check_subscription_phase`). */
export type SubscriptionPhase = 'ordered' | 'building' | 'active' | 'suspended' | 'unbuilding' | 'ended'
export const subscriptionPhases: readonly SubscriptionPhase[] = [
  'ordered',
  'building',
  'active',
  'suspended',
  'unbuilding',
  'ended',
]

/** What a person may ask of a subscription. Each carries the id of its request, so that asking twice is asking once. */
export type SubscriptionCommand = { readonly requestId: string } & (
  | {
      readonly kind: 'cancel'
      readonly when: CancelMoment
      /** The first day that is not billed, for `date`. */
      readonly endsOn?: string
      /** The first day on which nothing runs any more; left out, the day on which billing ends. */
      readonly serviceEndsOn?: string
    }
  | { readonly kind: 'uncancel' }
  /** What else is asked than another quantity is in the command's note. */
  | { readonly kind: 'changePlan'; readonly subscriptionLineId: string; readonly quantity?: string }
  /** From today and until it is resumed, where a day is left out. */
  | { readonly kind: 'pause'; readonly startsOn?: string; readonly endsOn?: string }
  | { readonly kind: 'unpause' }
  /** Left out, the day is the end of what was billed. */
  | { readonly kind: 'stopLine'; readonly subscriptionLineId: string; readonly endsOn?: string }
  | LineCommand
  /** All of it, and from today, where a quantity or a day is left out. */
  | {
      readonly kind: 'transfer'
      readonly subscriptionLineId: string
      readonly customerId: string
      readonly quantity?: string
      readonly startsOn?: string
    }
  | { readonly kind: 'withdrawChange'; readonly waitingChangeId: string }
  /** The term is in the command's note. */
  | { readonly kind: 'setTerm' }
  /** All that recurs takes it over, each line from its next period on. */
  | { readonly kind: 'setRecurrence'; readonly recurrence: Recurrence }
  /** The reason's code; what is said of it is in the command's note. Left out: `requested`. */
  | { readonly kind: 'suspend'; readonly code?: string }
  /** Which reason is lifted; left out, the one that was set without a name. */
  | { readonly kind: 'resume'; readonly code?: string }
  /** In place of what the instance holds that was saved as this backup, or began with it. */
  | { readonly kind: 'restore'; readonly backupId: string }
  | { readonly kind: 'retryBuild' }
  | { readonly kind: 'advanceTestClock'; readonly nowMs: number }
)
/** What the table of line actions has beside stopping; the workflow passes them on as they are. */
export type LineCommand =
  | { readonly kind: 'cancelLine' | 'uncancelLine' | 'deleteLine'; readonly subscriptionLineId: string }
  | { readonly kind: 'delayLine'; readonly subscriptionLineId: string; readonly startsOn: string }
  /** Left out, the successor has no end of its own. */
  | {
      readonly kind: 'planSuccessor'
      readonly subscriptionLineId: string
      readonly startsOn: string
      readonly endsOn?: string
    }
export type CancelMoment = 'period_end' | 'now' | 'date'
export type SubscriptionCommandKind = SubscriptionCommand['kind']

/** The little that decides whether a command is allowed. */
export interface SubscriptionStanding {
  readonly phase: SubscriptionPhase
  /** Stuck in its phase until a person helps. */
  readonly isParked: boolean
  /** Cancelled for a later date, and still running. */
  readonly isCancelled: boolean
  /** A pause is planned that has not begun. */
  readonly isPausePlanned?: boolean
  /** A change waits until less is used. */
  readonly isChangeWaiting?: boolean
}

interface Rule {
  readonly phases: readonly SubscriptionPhase[]
  readonly holds?: (standing: SubscriptionStanding) => boolean
}

/** What is done with one line says itself which lines take it: see `line.ts`. */
const ofLines: Rule = {
  phases: ['active', 'suspended'],
  holds: (standing) => isFree(standing) && !standing.isCancelled,
}

/** One table: in which phases a command is taken, and what else must hold. */
const allowed: Readonly<Record<SubscriptionCommandKind, Rule>> = {
  cancel: { phases: ['ordered', 'building', 'active', 'suspended'], holds: isFree },
  uncancel: {
    phases: ['active', 'suspended'],
    holds: (standing) => isFree(standing) && standing.isCancelled,
  },
  changePlan: { phases: ['active'], holds: (standing) => isFree(standing) && !standing.isCancelled },
  withdrawChange: {
    phases: ['active'],
    holds: (standing) => isFree(standing) && !standing.isCancelled && (standing.isChangeWaiting ?? false),
  },
  pause: { phases: ['active'], holds: (standing) => isFree(standing) && !standing.isCancelled },
  unpause: {
    phases: ['active'],
    holds: (standing) => isFree(standing) && (standing.isPausePlanned ?? false),
  },
  stopLine: ofLines,
  cancelLine: ofLines,
  uncancelLine: ofLines,
  delayLine: ofLines,
  deleteLine: ofLines,
  planSuccessor: ofLines,
  transfer: { phases: ['active'], holds: (standing) => isFree(standing) && !standing.isCancelled },
  setTerm: {
    phases: ['active', 'suspended'],
    holds: (standing) => isFree(standing) && !standing.isCancelled,
  },
  setRecurrence: { phases: ['active'], holds: (standing) => isFree(standing) && !standing.isCancelled },
  suspend: { phases: ['active', 'suspended'], holds: isFree },
  resume: { phases: ['suspended'], holds: isFree },
  restore: { phases: ['active'], holds: isFree },
  retryBuild: {
    phases: ['building', 'active', 'suspended', 'unbuilding'],
    holds: (standing) => standing.isParked,
  },
  advanceTestClock: { phases: subscriptionPhases },
}

/** A bill that cannot be made holds everything up until a person helped; a parked build can always be cancelled. */
function isFree(standing: SubscriptionStanding): boolean {
  return !standing.isParked || standing.phase === 'ordered' || standing.phase === 'building'
}

/**
 * Whether a command may be given now. The API asks it for a quick answer, the workflow's validator for the binding one.
 * @returns the refusal, or undefined
 */
export function refuseCommand(
  standing: SubscriptionStanding,
  kind: SubscriptionCommandKind,
): BusinessError | undefined {
  const rule = allowed[kind]
  if (rule.phases.includes(standing.phase) && (rule.holds?.(standing) ?? true)) return undefined
  if (standing.phase === 'ended') {
    return new BusinessError(
      'subscription_ended',
      'The subscription has ended; nothing can be asked of it any more. Reinstate it while its last backup is kept, or place a new order.',
    )
  }
  const stand = [standing.phase, standing.isParked ? 'parked' : '', standing.isCancelled ? 'cancelled' : '']
    .filter(Boolean)
    .join(', ')
  return new BusinessError(
    'action_not_allowed',
    `${kind} is not possible while the subscription is ${stand}. Possible now: ${allowedCommands(standing).join(', ') || 'nothing'}.`,
  )
}

/** The commands a person may give now, for pages and the API. */
export function allowedCommands(standing: SubscriptionStanding): SubscriptionCommandKind[] {
  return (Object.keys(allowed) as SubscriptionCommandKind[]).filter(
    (kind) => kind !== 'advanceTestClock' && isAllowed(standing, kind),
  )
}

function isAllowed(standing: SubscriptionStanding, kind: SubscriptionCommandKind): boolean {
  const rule = allowed[kind]
  return rule.phases.includes(standing.phase) && (rule.holds?.(standing) ?? true)
}

/**
 * Milliseconds after a boundary at which this subscription settles its period, steady per subscription and spread over
 * the window, so that the first of the month is not one burst.
 */
export function settlementJitterMs(subscriptionId: string, windowMs: number): number {
  return Math.floor((spread(subscriptionId) / 2 ** 32) * windowMs)
}
