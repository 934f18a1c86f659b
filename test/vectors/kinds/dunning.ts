import { addDays } from '#domain/calendar.ts'
import { dunningStepOn, noDunning, retryDates, runDunning, type DunningCampaign } from '#domain/dunning.ts'
import type { Adapter, Vector } from '../adapter.ts'
import {
  decimal,
  has,
  integer,
  text,
  textOr,
  withYear,
  writtenLike,
  type Inputs,
} from '../calendar-inputs.ts'

/** Some examples count days instead of dates: their day 0. */
const dayZero = '2021-01-01'

function retries({ inputs }: Vector) {
  if (has(inputs, 'failed_on')) {
    const failedOn = text(inputs, 'failed_on')
    const dates = retryDates(withYear(failedOn), (inputs['retry_days'] as unknown[]).map(Number))
    return { retries: dates.map((date) => writtenLike(date, failedOn)) }
  }
  const waits = inputs['wait_days']
  const dates = retryDates(
    addDays(dayZero, integer(inputs, 'failed_on_day')),
    (Array.isArray(waits) ? waits : [waits]).map(Number),
  )
  const days = dates.map((date) => Temporal.PlainDate.from(dayZero).until(date).total('days'))
  return { retry_on_day: Array.isArray(waits) ? days : days[0], retries: days }
}

function timeline({ inputs, expected }: Vector) {
  const steps = Object.entries(inputs['states'] as Inputs).map(([name, afterDays]) => ({
    name,
    afterDays: Number(afterDays),
  }))
  const unpaidSince = text(inputs, 'first_unpaid_invoice')
  return Object.fromEntries(
    Object.keys(expected).map((date) => [date, dunningStepOn(unpaidSince, steps, date)?.name ?? 'CLEAR']),
  )
}

function campaign({ inputs, expected }: Vector) {
  const rules: DunningCampaign = {
    maxAttempts: integer(inputs, 'max_attempts'),
    daysBetweenAttempts: integer(inputs, 'days_between_attempts'),
    thresholdMinor: inputs['thresholds_cents'] as Record<string, number>,
  }
  const overdue = inputs['overdue_cents'] as Inputs[]
  let standing = noDunning
  const answers = Object.keys(expected)
    .toSorted()
    .map((date) => {
      const runAt = `${date}T${textOr(inputs, 'run_at', '00:00')}`
      standing = runDunning(rules, standing, debtAt(overdue, runAt), `${runAt}Z`)
      const counts = Object.entries(standing.attempts).map(([currency, { count }]) => [currency, count])
      return [
        date,
        { ...Object.fromEntries(counts), finished_events: standing.finishedAt === null ? 0 : 1 },
      ] as const
    })
  return Object.fromEntries(answers)
}

/** What became overdue until then, cumulated by currency. */
function debtAt(overdue: readonly Inputs[], runAt: string): Record<string, number> {
  const debt: Record<string, number> = {}
  for (const entry of overdue.filter((entry) => text(entry, 'at') <= runAt)) {
    for (const [currency, cents] of Object.entries(entry)) {
      if (currency === 'at') continue
      debt[currency] = (debt[currency] ?? 0) + Number(decimal(cents))
    }
  }
  return debt
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'dunning.campaign': campaign,
  'dunning.retries': retries,
  'dunning.timeline': timeline,
}
