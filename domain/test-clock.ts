import { BusinessError } from './errors.ts'

/** The most that one advance may cross: each period on the way is really billed, so a slip would cost hours. */
const longestAdvanceYears = 5

const steps: Readonly<Record<string, 'hours' | 'days' | 'weeks' | 'months' | 'years'>> = {
  h: 'hours',
  d: 'days',
  w: 'weeks',
  mo: 'months',
  y: 'years',
}

/**
 * The instant that a test clock shall reach. A step is counted on the calendar of the time zone: `1mo` from 31 January is
 * 28 February at the same hour of the day, summer time or not.
 * @throws `field_invalid` for a step that cannot be read, `clock_backwards`, `clock_too_far`
 */
export function advanceTarget(
  from: string,
  request: { by: string } | { to: string },
  timeZone: string,
): string {
  const start = Temporal.Instant.from(from).toZonedDateTimeISO(timeZone)
  const target =
    'to' in request
      ? Temporal.Instant.from(request.to).toZonedDateTimeISO(timeZone)
      : start.add(readStep(request.by))
  if (Temporal.ZonedDateTime.compare(target, start) <= 0) {
    throw new BusinessError('clock_backwards', `The clock stands at ${from}; it can only go on from there.`)
  }
  if (Temporal.ZonedDateTime.compare(target, start.add({ years: longestAdvanceYears })) > 0) {
    throw new BusinessError('clock_too_far', `One step is at most ${longestAdvanceYears} years.`)
  }
  return target.toInstant().toString({ smallestUnit: 'millisecond' })
}

/** `13mo`, `1d`, `36h`: a whole number and a unit. */
function readStep(text: string): Temporal.DurationLike {
  const [, count, unit] = /^([1-9]\d{0,4})(h|d|w|mo|y)$/.exec(text) ?? []
  const field = unit === undefined ? undefined : steps[unit]
  if (count === undefined || field === undefined) {
    throw new BusinessError(
      'field_invalid',
      `A step is a number and h, d, w, mo or y, such as 1mo, not ${text}.`,
    )
  }
  return { [field]: Number(count) }
}
