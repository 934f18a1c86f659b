import { BusinessError } from './errors.ts'

/** Where a change stands that a customer asked for. */
export type ChangeRequestState = 'open' | 'applied' | 'refused'
export const changeRequestStates: readonly ChangeRequestState[] = ['open', 'applied', 'refused']

/** A request is decided once: applied or refused, never both. @throws `change_request_decided` */
export function checkUndecided(state: ChangeRequestState): void {
  if (state === 'open') return
  throw new BusinessError('change_request_decided', `This change was ${state} already.`)
}
