import { reinstateSubscription } from '#db/reinstatement.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { registerRowForm } from './row-form.ts'
import { readSubscriptionContent } from './subscription-content.ts'
import { subscriptionBody } from './subscription.tsx'

/** The button of a subscription that has ended, while its last backup is kept; leads to what it goes on as. */
export function registerReinstatementForm(frame: Frame): void {
  const { db, installationKey } = frame.deps
  registerRowForm(frame, {
    path: '/subscriptions/:id/reinstate',
    permission: 'orders:write',
    form: () => 'reinstate',
    carryOut: async (tx, { id, now, actor }) => {
      const asked = { actor, channel: 'console', now, installationKey } as const
      const made = await reinstateSubscription(tx, await resolveAddress(tx, 'subscription', id), asked)
      return `/subscriptions/${encodeId('subscription', made.subscriptionId)}`
    },
    showAgain: async (view, id, { form: action, code, detail, values }) => {
      const refused = { action, code, detail, values, fieldId: undefined }
      return subscriptionBody(view, await readSubscriptionContent(db, id), { refused })
    },
  })
}
