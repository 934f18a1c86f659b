import { addDays, compareDates, laterDate } from './calendar.ts'
import { defaultTerms, type Terms } from './terms.ts'

/** What a trial becomes when it is over (C-42): it is billed, it is suspended until it is resumed, or it ends. */
export type TrialEnd = Terms['trialEnd']

export interface Trial {
  /** The first day that is not free. */
  readonly endsOn: string
  readonly becomes: TrialEnd
}

/** How long before its end a trial's end is told. */
const noticeDays = 3

const strength: Readonly<Record<TrialEnd, number>> = { bill: 0, suspend: 1, cancel: 2 }

/**
 * The trial of a subscription: 15 days from 3 January end on 18 January. Where lines differ, it ends with the first that
 * suspends or ends the whole; without such a one, with the last that begins to cost something. Null where nothing is free.
 */
export function trialOf(lines: readonly Partial<Terms>[], startsOn: string): Trial | null {
  const trials = lines
    .map((terms) => ({ ...defaultTerms, ...terms }))
    .filter(({ trialDays }) => trialDays > 0)
    .map(({ trialDays, trialEnd }) => ({ endsOn: addDays(startsOn, trialDays), becomes: trialEnd }))
  const ending = trials.filter(({ becomes }) => becomes !== 'bill')
  const [first] = ending.toSorted(
    (one, other) => compareDates(one.endsOn, other.endsOn) || strength[other.becomes] - strength[one.becomes],
  )
  if (first) return first
  return trials.reduce<Trial | null>(
    (last, trial) => ({ ...trial, endsOn: laterDate(last?.endsOn ?? trial.endsOn, trial.endsOn) }),
    null,
  )
}

/** The day on which the end of a trial is told: three days before. */
export function trialNoticeOn(endsOn: string): string {
  return addDays(endsOn, -noticeDays)
}
