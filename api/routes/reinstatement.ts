import { reinstateSubscription } from '#db/reinstatement.ts'
import { getOrder } from '#db/read/order.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { dispatchOutbox } from '../relay.ts'
import { idParams } from '../schemas/common.ts'
import { orderSchema, toOrderJson } from '../schemas/order.ts'
import { nothingSchema } from '../schemas/subscription.ts'

/** Its workflow has ended: rows alone decide, and the order that they make has a workflow of its own. */
export function registerReinstatement(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/subscriptions/{id}/reinstate',
      permission: 'orders:write',
      tag: 'Subscriptions',
      summary: 'Bring back what has ended, while its last backup is kept',
      description:
        'An order of its own for the same customer and environment, with the lines, prices and instance names as they were at the end, which begins with the backup. It is billed from the day on which it is active again; a cancellation that has not taken effect is withdrawn with uncancel instead.',
      params: idParams,
      body: nothingSchema,
      result: orderSchema,
      status: 201,
      location: (order) => `/v1/orders/${order.id}`,
      refusals: [
        'action_not_allowed',
        'backup_expired',
        'backup_not_restorable',
        'no_server_for_application',
        'ports_exhausted',
        'product_archived',
        'reinstated_already',
      ],
    },
    async ({ db, transaction, params, principal, now, afterCommit }) => {
      const id = await resolveAddress(db, 'subscription', params.id)
      const { installationKey } = frame.deps
      const asked = { actor: principal.name, channel: 'api', now, installationKey } as const
      const { orderId } = await reinstateSubscription(transaction(), id, asked)
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return toOrderJson(await getOrder(db, orderId), now)
    },
  )
}
