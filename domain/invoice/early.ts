import Big from 'big.js'
import { compareDates, earlierDate } from '../calendar.ts'
import type { Price } from '../pricing/price.ts'
import { dueParts } from './due.ts'
import { isBounded } from './explanation.ts'
import type { BillableLine, DuePart, LateUsagePart, UsagePart } from './lines.ts'

/** Prices that a part of a cycle can be billed at, for the rest counts on from it to the same whole. */
const countedOn: ReadonlySet<Price['model']> = new Set([
  'per_unit',
  'graduated',
  'volume',
  'stairstep',
  'package',
])

/** Whether usage of the line may be billed before its cycle is over (D-39). */
export function canBillEarly({
  billingType,
  price,
  terms,
}: Pick<BillableLine, 'billingType' | 'price' | 'terms'>): boolean {
  const isOnePrice = terms.pricing === 'frozen' && countedOn.has(price.model) && !isBounded(price)
  // What a formula gives of two halves is not what it gives of the whole.
  return billingType === 'usage' && isOnePrice && terms.quantityFormula === null
}

/**
 * All usage of the lines up to a day that is not billed yet, whole days only: what is left of a cycle is billed at its end,
 * and counts on from this.
 */
export function earlyParts(lines: readonly BillableLine[], today: string): UsagePart[] {
  return lines.filter(canBillEarly).flatMap((line) => {
    const endsOn = line.endsOn === null ? today : earlierDate(line.endsOn, today)
    const due = dueParts([{ ...line, endsOn }], today)
    return due.flatMap((part): UsagePart[] => {
      if (part.kind !== 'usage') return []
      const { servicePeriod, cycle } = part
      const isOver = servicePeriod.end === line.endsOn || compareDates(cycle.end, servicePeriod.end) <= 0
      return [{ ...part, line, ...(isOver ? {} : { isEarly: true }) }]
    })
  })
}

/** Parts as they count on from others of their document, by those that were due. */
export type CountedOn = ReadonlyMap<DuePart, UsagePart | LateUsagePart>

/** Late usage and the rest of one cycle that was billed early, on one document: each counts on from the ones before it. */
export function countOn(parts: readonly DuePart[]): CountedOn {
  const late = parts.filter((part): part is LateUsagePart => part.kind === 'late_usage' && isSplit(part))
  const counted = new Map<DuePart, UsagePart | LateUsagePart>()
  if (late.length === 0) return counted
  const usage = parts.filter((part): part is UsagePart => part.kind === 'usage' && isSplit(part))
  for (const ofCycle of Map.groupBy([...late, ...usage], cycleKey).values()) {
    let total = new Big(ofCycle[0]?.billedQuantity ?? 0)
    for (const part of ofCycle) {
      counted.set(part, { ...part, billedQuantity: total.toFixed() })
      if (part.kind === 'late_usage') total = total.plus(part.late.usage.quantity)
    }
  }
  return counted
}

function isSplit(part: LateUsagePart | UsagePart): boolean {
  return part.kind === 'usage' ? part.billedQuantity !== undefined : part.isOfSplitCycle === true
}

function cycleKey({ line, cycle }: LateUsagePart | UsagePart): string {
  return `${line.id}/${cycle.start}`
}
