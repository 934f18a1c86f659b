import { anchorOnBillingDay, serviceParts } from '#domain/billing-cycle.ts'
import type { BillingInterval } from '#domain/calendar.ts'
import { dayAfter, has, integer, intervalOf, timingOf, type Inputs } from './calendar-inputs.ts'

export function intervalIn(inputs: Inputs): BillingInterval {
  const count = has(inputs, 'interval_count') ? inputs['interval_count'] : 1
  return intervalOf(inputs['interval'] ?? inputs['period'] ?? 'MONTHLY', count)
}

export function billingDayOf(inputs: Inputs): number | undefined {
  const name = ['billing_day', 'bcd', 'anchor_day'].find((each) => has(inputs, each))
  return name === undefined ? undefined : integer(inputs, name)
}

/** The anchor of a start, or of its billing day where one is given. */
export function anchorOf(inputs: Inputs, start: string, interval: BillingInterval): string {
  const billingDay = billingDayOf(inputs)
  return billingDay === undefined ? start : anchorOnBillingDay(start, billingDay, interval)
}

/** Parts of an open life that have begun by the target. */
export function begunBy(target: string, start: string, anchor: string, interval: BillingInterval) {
  const anchors = [{ from: start, anchor }]
  return serviceParts({ start, end: null }, anchors, interval, dayAfter(target))
}

/** Whether what the inputs ask for is billed when it ends; in advance where they do not say. */
export function isInArrears(inputs: Inputs): boolean {
  const named = inputs['billing_mode'] ?? inputs['invoicing']
  return named !== undefined && named !== null && timingOf(named) === 'arrears'
}

/** Parts that are billed by the target: those that have begun, or in arrears those that have ended. */
export function billedBy<Part extends { readonly period: { readonly end: string } }>(
  target: string,
  begun: readonly Part[],
  inputs: Inputs,
): readonly Part[] {
  return isInArrears(inputs) ? begun.filter(({ period }) => period.end <= target) : begun
}
