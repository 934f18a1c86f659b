import { addDays, compareDates } from './calendar.ts'

/** The days on which a payment that failed is tried again, each wait counted from the try before. */
export function retryDates(failedOn: string, waitsDays: readonly number[]): string[] {
  const dates: string[] = []
  for (const days of waitsDays) dates.push(addDays(dates.at(-1) ?? failedOn, days))
  return dates
}

/** A step of dunning, reached so many days after the oldest unpaid invoice. */
export interface DunningStep {
  readonly name: string
  readonly afterDays: number
}

/** The last step whose days have passed on that date; null while none has. Retries in between do not change it. */
export function dunningStepOn(
  unpaidSince: string,
  steps: readonly DunningStep[],
  date: string,
): DunningStep | null {
  const reached = steps.filter((step) => compareDates(addDays(unpaidSince, step.afterDays), date) <= 0)
  return reached.reduce<DunningStep | null>(
    (last, step) => (last === null || step.afterDays >= last.afterDays ? step : last),
    null,
  )
}

/** Asks for payment again and again while a debt is large enough, by currency. */
export interface DunningCampaign {
  readonly maxAttempts: number
  readonly daysBetweenAttempts: number
  /** The debt in minor units from which a currency is asked for. */
  readonly thresholdMinor: Readonly<Record<string, number>>
}

export interface DunningAttempts {
  readonly count: number
  readonly lastAt: string
}

/** How far a customer's campaign has come. */
export interface DunningStanding {
  readonly attempts: Readonly<Record<string, DunningAttempts>>
  /** When every debt that counts had used its attempts; told of once. */
  readonly finishedAt: string | null
}

export const noDunning: DunningStanding = { attempts: {}, finishedAt: null }

/**
 * One run of a campaign at an instant: every currency whose debt has reached its threshold is asked for, if an attempt is
 * left and more than the days between have passed since its last. The campaign is finished when no such currency has an
 * attempt left, and stays so.
 * @param debtMinor what is overdue at the run, by currency, in minor units
 */
export function runDunning(
  campaign: DunningCampaign,
  standing: DunningStanding,
  debtMinor: Readonly<Record<string, number>>,
  runAt: string,
): DunningStanding {
  const owing = Object.entries(campaign.thresholdMinor)
    .filter(([currency, threshold]) => (debtMinor[currency] ?? 0) >= threshold)
    .map(([currency]) => currency)
  const attempts = { ...standing.attempts }
  for (const currency of owing) {
    const before = attempts[currency]
    if (before === undefined) attempts[currency] = { count: 1, lastAt: runAt }
    else if (isAttemptDue(campaign, before, runAt)) {
      attempts[currency] = { count: before.count + 1, lastAt: runAt }
    }
  }
  const isFinished =
    owing.length > 0 && owing.every((currency) => (attempts[currency]?.count ?? 0) >= campaign.maxAttempts)
  return { attempts, finishedAt: standing.finishedAt ?? (isFinished ? runAt : null) }
}

function isAttemptDue(campaign: DunningCampaign, attempts: DunningAttempts, runAt: string): boolean {
  if (attempts.count >= campaign.maxAttempts) return false
  const waitedUntil = Temporal.Instant.from(attempts.lastAt).add({ hours: 24 * campaign.daysBetweenAttempts })
  return Temporal.Instant.compare(runAt, waitedUntil) > 0
}
