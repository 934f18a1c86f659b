import { compareDates, laterDate } from './calendar.ts'
import { refuseLineAction, type Line } from './line.ts'
import { replaceLine, type LineChange } from './line-change.ts'
import type { Price } from './pricing/price.ts'
import { revisePrice, type PriceRevision } from './pricing/revision.ts'
import type { Terms } from './terms.ts'

/** A line that a price revision may change, with the price that was agreed. */
export interface RevisableLine {
  readonly id: string
  readonly line: Line
  readonly price: Price
  readonly terms: Pick<Terms, 'pricing' | 'isNeverRevised'>
}

export interface DatedRevision {
  /** The first day of the new prices. */
  readonly startsOn: string
  readonly today: string
  readonly revision: PriceRevision
}

/** What a revision does to one line: its successor carries the new price. */
export interface RevisedLine {
  readonly id: string
  readonly oldPrice: Price
  readonly newPrice: Price
  readonly change: LineChange
}

/** What a revision would change, line by line, and whom it passes by and why; nothing is saved yet. */
export interface PriceRevisionPlan {
  readonly revised: readonly RevisedLine[]
  readonly passedBy: readonly { readonly id: string; readonly reason: string }[]
}

/**
 * Plans new prices from a day: each line ends there, its successor has the new price, so that 10.00 and 5 % from 1 July is
 * 10.00 in June and 10.50 in July. A line that begins later has the new price from its own first day. Passed by are lines
 * marked "never revise", lines whose price is read again from the lists at each period, and lines that have no day left.
 * @throws `price_negative` for less than -100 %
 */
export function planPriceRevision(lines: readonly RevisableLine[], dated: DatedRevision): PriceRevisionPlan {
  const judged = lines.map((line) => ({ line, reason: passReason(line, dated) }))
  return {
    revised: judged.filter(({ reason }) => reason === undefined).map(({ line }) => reviseLine(line, dated)),
    passedBy: judged.flatMap(({ line, reason }) => (reason === undefined ? [] : [{ id: line.id, reason }])),
  }
}

function passReason({ line, terms }: RevisableLine, { startsOn, today }: DatedRevision): string | undefined {
  if (terms.isNeverRevised) return 'it is never revised'
  if (terms.pricing === 'reevaluated') return 'its price is read from the lists at each period'
  if (terms.pricing === 'grid') return 'its price is read from a grid at each period'
  if (line.endsOn !== null && compareDates(line.endsOn, laterDate(startsOn, line.startsOn)) <= 0)
    return `it ends on ${line.endsOn}`
  return refuseLineAction(line, 'pause', today)
}

function reviseLine({ id, line, price }: RevisableLine, dated: DatedRevision): RevisedLine {
  return {
    id,
    oldPrice: price,
    newPrice: revisePrice(price, dated.revision),
    change: replaceLine(line, dated),
  }
}
