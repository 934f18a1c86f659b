import { compareDates, type BillingInterval } from '../calendar.ts'

/** While the bounds of a subscription are held on one of its documents. */
export interface BoundStretch {
  /** How that document counts its periods. */
  readonly cycles: { readonly anchor: string; readonly interval: BillingInterval }
  /** Half-open; null is without end. */
  readonly days: { readonly start: string; readonly end: string | null }
  /** The subscription's lines on that document: only these count. */
  readonly lineIds: ReadonlySet<string>
  /** When the last of the subscription's recurring lines ends, on whichever document; null while one goes on. */
  readonly endsOn: string | null
  /** The day of the document's last bill: periods that ended until then are settled. Null: none was made. */
  readonly settledUntil: string | null
}

/** A recurring line, on the document on which it is billed. */
export interface DocumentedLine {
  readonly documentId: string
  readonly interval: BillingInterval
  readonly startsOn: string
  readonly endsOn: string | null
}

interface DocumentDays {
  readonly documentId: string
  readonly days: { readonly start: string; readonly end: string | null }
}

/**
 * On which document the bounds of a subscription are held, day by day: on that of the shortest interval of those on which
 * a line is served. Days that nothing serves, those of a pause, belong to the document before. Monthly until 10 May and
 * yearly from then on, they are held on the monthly document to 9 May, and on the yearly one from the 10th.
 */
export function boundDays(lines: readonly DocumentedLine[]): DocumentDays[] {
  const served = lines.filter(({ startsOn, endsOn }) => endsOn === null || compareDates(startsOn, endsOn) < 0)
  const turns = [
    ...new Set(served.flatMap(({ startsOn, endsOn }) => [startsOn, ...(endsOn === null ? [] : [endsOn])])),
  ]
  const stretches: { documentId: string; start: string }[] = []
  for (const start of turns.toSorted(compareDates)) {
    const documentId = shortestOn(served, start)
    if (documentId === undefined || documentId === stretches.at(-1)?.documentId) continue
    stretches.push({ documentId, start })
  }
  return stretches.map(({ documentId, start }, index) => ({
    documentId,
    days: { start, end: stretches[index + 1]?.start ?? null },
  }))
}

function shortestOn(lines: readonly DocumentedLine[], day: string): string | undefined {
  const onDay = lines.filter(
    ({ startsOn, endsOn }) =>
      compareDates(startsOn, day) <= 0 && (endsOn === null || compareDates(day, endsOn) < 0),
  )
  return onDay.toSorted(
    (first, second) =>
      roughDays(first.interval) - roughDays(second.interval) ||
      compareDates(first.documentId, second.documentId),
  )[0]?.documentId
}

/** Long enough apart to tell which of two is the shorter. */
function roughDays({ count, unit }: BillingInterval): number {
  return unit === 'day' ? count : count * 30
}
