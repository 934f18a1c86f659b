import Big from 'big.js'
import { BusinessError } from './errors.ts'

/** Where a change stands that waits until less is used. */
export type WaitingChangeState = 'waiting' | 'applied' | 'withdrawn' | 'replaced' | 'refused'

/** Whether what is used fits what a change would leave: 5 of 5 do, 6 of 5 do not. Decimals of one unit. */
export function fitsCeiling(used: string | number, ceiling: string): boolean {
  return new Big(used).lte(ceiling)
}

/** It is decided once. @throws `change_not_waiting` */
export function checkWaiting(state: WaitingChangeState): void {
  if (state === 'waiting') return
  throw new BusinessError('change_not_waiting', `This change was ${state} already.`)
}
