import Big from 'big.js'
import { roundDecimal } from '../money.ts'
import { applyShare, shareOf } from '../proration.ts'
import type { MeasuredUsage, UsagePart } from './lines.ts'

/** What is assumed to be used in each whole period, by metric; decimals in the unit of the line that bills it. */
export type AssumedUsage = ReadonlyMap<string, string>

/**
 * The usage of a period that is not over. A part of a cycle uses its days' share, to as many decimals as the assumed
 * quantity has: of 1,000 a month, 17 of 31 days use 548. What was measured so far is the least; it is the answer where
 * nothing is assumed of the metric.
 */
export function assumeUsage(
  part: UsagePart,
  assumed: AssumedUsage,
  measured: MeasuredUsage = nothingMeasured(part.line.unit),
): MeasuredUsage {
  const whole = part.line.metric === null ? undefined : assumed.get(part.line.metric)
  if (whole === undefined) return measured
  const share = shareOf(part.servicePeriod, part.cycle, 'day')
  const quantity = roundDecimal(applyShare(new Big(whole), share), decimalsOf(whole))
  if (quantity.lte(measured.usage.quantity)) return measured
  // Nothing of it was read yet.
  const usage = { ...nothingMeasured(part.line.unit).usage, quantity: quantity.toFixed() }
  // A share of a value asks for the events behind it: one is assumed.
  return part.line.price.model === 'percentage'
    ? { usage, events: { kind: 'each', values: [usage.quantity] } }
    : { usage }
}

function nothingMeasured(unit: string): MeasuredUsage {
  const usage = { quantity: '0', unit, readingCount: 0, eventCount: 0, firstReadAt: null, lastReadAt: null }
  return { usage, events: { kind: 'each', values: [] } }
}

function decimalsOf(quantity: string): number {
  return new Big(quantity).toFixed().split('.')[1]?.length ?? 0
}
