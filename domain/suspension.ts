import { BusinessError } from './errors.ts'

/** The reason that is meant where none is named. */
export const requested = 'requested'

/** What a subscription is suspended for. */
export interface SuspensionStanding {
  /** Codes of the reasons that stand, such as `debt`. */
  readonly codes: readonly string[]
  /** A pause is in force whose end has not come: it ends by the calendar, or by a resumption that names no reason. */
  readonly isPaused: boolean
}

/** What a resumption lifts, and what keeps the subscription suspended afterwards: nothing means that it may run again. */
export interface Lift {
  readonly lifted: string | null
  readonly left: readonly string[]
}

/**
 * Decides what a resumption comes to: it runs again only when every reason is gone. Named, one reason is lifted; without a name,
 * the one that was set without a name, or, where no reason stands, the pause ends.
 * @example suspended for `debt` and `abuse`, a resumption of `debt` lifts it and leaves `['abuse']`
 * @throws `suspended` where a name is needed, `action_not_allowed` for a reason that does not stand
 */
export function decideLift({ codes, isPaused }: SuspensionStanding, code?: string): Lift {
  if (code === undefined && codes.length === 0) return { lifted: null, left: [] }
  const lifted = code ?? (codes.includes(requested) ? requested : undefined)
  if (lifted === undefined) {
    const detail = `It is suspended for ${codes.join(', ')}. Each reason is lifted by its name.`
    throw new BusinessError('suspended', detail)
  }
  if (!codes.includes(lifted)) {
    const stands = codes.join(', ') || 'nothing that has a name'
    throw new BusinessError(
      'action_not_allowed',
      `It is not suspended for ${lifted}. What stands: ${stands}.`,
    )
  }
  return { lifted, left: [...codes.filter((one) => one !== lifted), ...(isPaused ? ['pause'] : [])] }
}
