import type { z } from '@hono/zod-openapi'
import { refuseChangeRequest } from '#db/change-decision.ts'
import { takeChangeRequest } from '#db/change-request.ts'
import { getChangeRequest } from '#db/read/change-request.ts'
import { findSubscription } from '#db/read/subscription.ts'
import { checkUndecided } from '#domain/change-request.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { refuseCommand } from '#domain/subscription.ts'
import type { ApiDependencies } from './dependencies.ts'
import type { newChangeRequestSchema } from './schemas/change-request.ts'
import { sendCommand, standingOf } from './subscription-commands.ts'
import { toPlanChange } from './subscription-wishes.ts'

type Deps = Pick<ApiDependencies, 'db' | 'client'>

interface Asking {
  readonly subscriptionId: string
  readonly body: z.output<typeof newChangeRequestSchema>
  readonly actor: string
  readonly commandId: string
  readonly isRepeat: boolean
  readonly now: string
}

/**
 * Takes what a customer asks for. As the terms of the line say, it is carried out at once or waits for an operator.
 * @returns the request's id
 * @throws what the change is refused with; of one that is carried out at once, also what its workflow refuses
 */
export async function askForChange(deps: Deps, asking: Asking): Promise<string> {
  const { subscriptionId, actor, commandId } = asking
  const row = await findSubscription(deps.db, subscriptionId)
  if (!row) throw new BusinessError('not_found', 'There is no such subscription.')
  const refusal = refuseCommand(standingOf(row), 'changePlan')
  if (refusal && !asking.isRepeat) throw refusal
  const { message = null, ...change } = asking.body
  const { subscriptionLineId, quantity, asked } = await toPlanChange(deps.db, change)
  const { id, mode } = await takeChangeRequest(deps.db, {
    subscriptionId,
    subscriptionLineId: decodeId('subscriptionLine', subscriptionLineId),
    plan: { ...(quantity === undefined ? {} : { quantity }), ...asked?.plan },
    message,
    actor,
    requestId: commandId,
    now: asking.now,
  })
  if (mode === 'automatic') await carryOutAtOnce(deps, id, asking)
  return id
}

/** What the workflow refuses is refused for good, with its reason; of a silent one nobody knows, so it stays open. */
async function carryOutAtOnce(deps: Deps, id: string, asking: Asking): Promise<void> {
  const { actor, commandId, isRepeat, now } = asking
  try {
    await applyChangeRequest(deps, id, { actor, commandId, isRepeat })
  } catch (error) {
    if (error instanceof BusinessError && error.code !== 'temporal_unreachable') {
      const refusal = { actor: 'Clouder', reason: error.message, now }
      await deps.db.transaction().execute(async (tx) => await refuseChangeRequest(tx, id, refusal))
    }
    throw error
  }
}

/**
 * Applies a request through the command that changes a line; the request is marked with the change, in its transaction.
 * @throws `change_request_decided`, and what the command is refused with
 */
export async function applyChangeRequest(
  deps: Deps,
  id: string,
  by: { actor: string; commandId: string; isRepeat: boolean },
): Promise<void> {
  const request = await getChangeRequest(deps.db, id)
  // One that was sent before may be applied by now: its workflow answers as it did.
  if (!by.isRepeat) checkUndecided(request.state)
  const { quantity, ...plan } = request.asked
  await sendCommand(deps, {
    subscriptionId: request.subscription_id,
    command: {
      kind: 'changePlan',
      requestId: by.commandId,
      subscriptionLineId: encodeId('subscriptionLine', request.first_line_id),
      ...(quantity === undefined ? {} : { quantity }),
    },
    actor: by.actor,
    asked: { plan, changeRequestId: id },
    isRepeat: by.isRepeat,
  })
}
