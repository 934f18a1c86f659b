import { fieldError } from './errors.ts'

/** Whose orders have to accept the terms of service: those of the shop, or those of staff and programs too. */
export type TermsRequired = 'shop' | 'everywhere'
export const termsRequired: readonly TermsRequired[] = ['shop', 'everywhere']

/** Who accepted which version. */
export interface Acceptance {
  readonly version: number
  readonly by: string
}

/**
 * Refuses an order that lacks an acceptance, or accepts another version than the one in force. Before the first version is
 * published nothing has to be accepted.
 * @param current the version in force, null before the first
 * @throws `terms_not_accepted`
 */
export function checkAcceptance(
  accepted: number | null,
  current: number | null,
  order: { channel: string; required: TermsRequired },
): void {
  if (accepted === current) return
  const refuse = (detail: string) => fieldError('/accepted_terms', 'terms_not_accepted', detail)
  if (accepted !== null) {
    const inForce = current === null ? 'none are in force' : `version ${current} is in force`
    throw refuse(`Version ${accepted} of the terms of service was accepted, and ${inForce}.`)
  }
  if (order.channel !== 'shop' && order.required === 'shop') return
  throw refuse(`Version ${current} of the terms of service has to be accepted.`)
}
