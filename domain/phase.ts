import { addDays, cycleBoundary, laterDate, type BillingInterval } from './calendar.ts'
import { BusinessError } from './errors.ts'

/** A stretch of a line's life with terms of its own: a trial, a discount, a fixed term, or what holds from then on. */
export interface Phase<Agreed> {
  /** Null only for a last phase without end. */
  readonly length: BillingInterval | null
  readonly agreed: Agreed
}

/** A phase with its dates: half-open, the end is null while open. */
export interface DatedPhase<Agreed> {
  readonly startsOn: string
  readonly endsOn: string | null
  readonly agreed: Agreed
}

/**
 * The phases of a line one after the other from its start (C-43): 0.00 for 1 month, 5.00 for 2, then 10.00, from
 * 5 January, are 5 January, 5 February and 5 April. Each begins where the one before ends.
 * @throws `phases_invalid` if a phase without end is not the last, or there is none
 */
export function datePhases<Agreed>(startsOn: string, phases: readonly Phase<Agreed>[]): DatedPhase<Agreed>[] {
  if (phases.length === 0) throw new BusinessError('phases_invalid', 'There is no phase.')
  const dated: DatedPhase<Agreed>[] = []
  let start: string | null = startsOn
  for (const { length, agreed } of phases) {
    if (start === null) {
      throw new BusinessError('phases_invalid', 'Only the last phase may be without end.')
    }
    const endsOn: string | null = length === null ? null : cycleBoundary(start, length, 1)
    dated.push({ startsOn: start, endsOn, agreed })
    start = endsOn
  }
  return dated
}

/** The phase that holds a date; undefined before the first and after the last. */
export function phaseOn<Agreed>(
  phases: readonly DatedPhase<Agreed>[],
  date: string,
): DatedPhase<Agreed> | undefined {
  return phases.find(({ startsOn, endsOn }) => startsOn <= date && (endsOn === null || date < endsOn))
}

/**
 * The first day that is billed after a trial (C-42): 15 days from 3 January are free, 18 January is billed. A trial is
 * counted from the first start of service, also after a change to a product with a longer one; what was changed cannot be
 * billed before the change.
 */
export function firstBilledOn(trial: { startsOn: string; days: number; changedOn?: string }): string {
  const end = addDays(trial.startsOn, trial.days)
  return trial.changedOn === undefined ? end : laterDate(end, trial.changedOn)
}
