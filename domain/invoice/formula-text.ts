import Big from 'big.js'
import { unreachable } from '../assert.ts'
import type { RatingStep } from '../pricing/rated-price.ts'
import type { Share } from '../proration.ts'

export interface StepsText {
  /** Said after quantities: `3 GiB × 1`. */
  readonly unit?: string
  /** A sum is put in brackets, as something is multiplied with it. */
  readonly isFactor?: boolean
}

/** The steps of a price as one sentence: `10 × 5 + 2 × 4`. What costs nothing and takes nothing off is not said. */
export function tellSteps(steps: readonly RatingStep[], { unit, isFactor }: StepsText = {}): string {
  const told = steps.filter((step, index) => isTold(step, index)).map((step) => tellStep(step, unit))
  const text = told.length === 0 ? '0' : told.join(' + ')
  return isFactor === true && text.includes(' + ') ? `(${text})` : text
}

function isTold(step: RatingStep, index: number): boolean {
  if (step.kind === 'included' || step.kind === 'above_greatest') return !new Big(step.quantity).eq(0)
  return index === 0 || !('amount' in step) || !new Big(step.amount).eq(0) || step.kind === 'units'
}

function tellStep(step: RatingStep, unit: string | undefined): string {
  const units = (quantity: string) => (unit === undefined ? quantity : `${quantity} ${unit}`)
  switch (step.kind) {
    case 'included':
      return `${units(step.quantity)} included`
    case 'above_greatest':
      return `${units(step.quantity)} not billed`
    case 'counted_in_packages':
      return `${step.packages} packages of ${step.packageSize}`
    case 'units':
      return `${units(step.quantity)} × ${step.unitAmount}${step.perUnits === undefined ? '' : ` / ${step.perUnits}`}`
    case 'flat':
      return step.amount
    case 'tier':
      return tellTier(step, units)
    case 'package':
      return `${step.packages} × ${step.packageAmount}`
    case 'free':
      return `${step.value} free`
    case 'percent':
      return `${step.value} × ${step.ratePercent} %`
    case 'events':
      return `${step.events} × ${step.amountPerEvent}`
    case 'least_per_event':
    case 'greatest_per_event':
      return `${step.amount} for ${step.kind === 'least_per_event' ? 'at least' : 'at most'} ${step.bound} each`
    case 'grid':
      return tellGrid(step)
    case 'committed':
    case 'overage':
      return `${units(step.quantity)} × ${step.unitAmount}`
    case 'true_up':
      return `${step.amount} up to the commitment`
    case 'formula':
      return step.formula
    case 'least':
      return `${step.amount} up to ${step.bound} at least`
    case 'greatest':
      return `${step.amount} down to ${step.bound} at most`
    default:
      return unreachable(step)
  }
}

/** `30 for 11 users`, `40 disk_gib × 0.5`; without a name, the value is the line's own quantity. */
function tellGrid({ gridKind, value, quantity, each }: RatingStep & { kind: 'grid' }): string {
  if (gridKind === 'fixed') return value === null ? each : `${each} for ${quantity} ${value}`
  return `${quantity}${value === null ? '' : ` ${value}`} × ${each}`
}

function tellTier(step: RatingStep & { kind: 'tier' }, units: (quantity: string) => string): string {
  const rate = step.ratePercent === undefined ? step.unitAmount : `${step.ratePercent} %`
  const ofUnits =
    rate === undefined || new Big(step.quantity).eq(0) ? [] : [`${units(step.quantity)} × ${rate}`]
  const flat = new Big(step.flatAmount).eq(0) ? [] : [step.flatAmount]
  return [...ofUnits, ...flat].join(' + ') || '0'
}

/** ` × 22 / 30 days`, or nothing for the whole. */
export function tellShare({ numerator, denominator }: Share): string {
  return numerator === denominator ? '' : ` × ${numerator} / ${denominator} days`
}
