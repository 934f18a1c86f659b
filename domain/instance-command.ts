import { BusinessError } from './errors.ts'
import type { InstanceState } from './instance.ts'
import type { SubscriptionPhase } from './subscription.ts'

/** What is asked of one instance: that it starts anew, runs one of its actions, gets another value of a secret,
 * or lets somebody in. */
export const instanceCommandKinds = ['restart', 'action', 'rotation', 'login'] as const
export type InstanceCommandKind = (typeof instanceCommandKinds)[number]

/** `failed`: an action was run and ended with another exit code than 0. `refused`: it was not carried out, or undone. */
export const instanceCommandStates = ['asked', 'running', 'done', 'failed', 'refused'] as const
export type InstanceCommandState = (typeof instanceCommandStates)[number]

/**
 * Refuses a command where nothing runs that could take it. Asked before it is sent and again under the instance's lock.
 * @throws `suspended`, `action_not_allowed`
 */
export function refuseIdle(standing: { phase: SubscriptionPhase; state: InstanceState }): void {
  const { phase, state } = standing
  if (phase === 'suspended' || state === 'suspended')
    throw new BusinessError('suspended', 'It is suspended: it runs again once every reason for that is gone.')
  if (state === 'running' || state === 'limited') return
  throw new BusinessError('action_not_allowed', `The instance is ${state}: nothing can be asked of it now.`)
}
