import { reachedShares } from './limit-use.ts'
import { decimalAmount, formatMoney } from './money.ts'

/** Who says what usage may cost: the customer for himself, or an operator. */
export type SpendCapOwner = 'customer' | 'operator'
export const spendCapOwners: readonly SpendCapOwner[] = ['customer', 'operator']

/** At the cap customer and operator are told, or what runs is held until the cap is raised or a new period begins. */
export type SpendEffect = 'alert' | 'stop'
export const spendEffects: readonly SpendEffect[] = ['alert', 'stop']

/** When one is told: at a share of the cap in percent, or at an amount in minor units. */
export type SpendAlert = { readonly percent: number } | { readonly amountMinor: number }

export const defaultSpendAlerts: readonly SpendAlert[] = [50, 75, 100, 150].map((percent) => ({ percent }))

/** What the metered lines of a subscription may cost in one billing period, before discounts and tax. */
export interface SpendCap {
  readonly setBy: SpendCapOwner
  readonly amountMinor: number
  readonly effect: SpendEffect
  readonly alerts: readonly SpendAlert[]
}

/** Those alerts of a cap that a cost has reached: of 20.00 at 50 and 100 percent, 12.00 has reached the first. */
export function reachedAlerts({ amountMinor, alerts }: SpendCap, costMinor: number): SpendAlert[] {
  const use = { used: String(costMinor), ceiling: String(amountMinor) }
  return alerts.filter((alert) =>
    'percent' in alert ? reachedShares(use, [alert.percent]).length > 0 : costMinor >= alert.amountMinor,
  )
}

/** Whether what runs is to be held: 20.00 of a cap of 20.00 that stops. */
export function isStoppedAt({ amountMinor, effect }: SpendCap, costMinor: number): boolean {
  return effect === 'stop' && costMinor >= amountMinor
}

/** By which a warning is known within its period: `80 %`, `20.00`. */
export function sayAlert(alert: SpendAlert, currency: string): string {
  return 'percent' in alert ? `${alert.percent} %` : formatMoney(alert.amountMinor, currency)
}

/** An alert as it is typed: `80%` of the cap, or `45.00`. */
export function writeAlert(alert: SpendAlert, currency: string): string {
  return 'percent' in alert ? `${alert.percent}%` : decimalAmount(alert.amountMinor, currency)
}

/** What was typed as an alert. Whether it can be one is for the API to say. */
export function readAlert(text: string): { readonly percent: number } | { readonly amount: string } {
  return text.endsWith('%') ? { percent: Number(text.slice(0, -1)) } : { amount: text }
}
