import { createHash } from 'node:crypto'
import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client'
import { keepCommandNote } from '#db/command-note.ts'
import type { Db } from '#db/database.ts'
import { reserveAgain } from '#db/placement.ts'
import { findSubscription } from '#db/read/subscription.ts'
import type { AskedTerms } from '#db/tables/subscription.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { refuseCommand, type SubscriptionCommand, type SubscriptionStanding } from '#domain/subscription.ts'
import { workflowIds, type CommandAnswer } from '#workflows/contract.ts'
import { isErrorCode } from './errors.ts'

/** A stop takes ten seconds a container, an application some more until it is ready again, a limit at most a minute. */
const commandDeadlineMs = 75_000

/** What a person asks: a command without its id, why in his own words, and the terms that no history holds. */
export type Wish = DistributiveOmit<SubscriptionCommand, 'requestId'> & {
  readonly reason?: string | undefined
  readonly asked?: AskedTerms
}
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** The id of a command, the same whenever it is sent again. A digest: ids of commands stand in histories, names do not. */
export function commandIdOf(request: { principal: string; key: string }): string {
  return `req_${createHash('sha256').update(`${request.principal}/${request.key}`).digest('hex').slice(0, 32)}`
}

export function standingOf(row: {
  phase: SubscriptionStanding['phase']
  parked_reason: string | null
  cancel_requested_at: string | null
  is_pause_planned?: boolean
  is_change_waiting?: boolean
}): SubscriptionStanding {
  return {
    phase: row.phase,
    isParked: row.parked_reason !== null,
    isCancelled: row.cancel_requested_at !== null,
    isPausePlanned: row.is_pause_planned ?? false,
    isChangeWaiting: row.is_change_waiting ?? false,
  }
}

/**
 * The one place that sends a command to a subscription's workflow, and waits for its answer. Rows are asked first, for a
 * quick refusal; the workflow's own answer binds. The command's request id is the update's id: sent twice, it is one.
 * @throws what the command is refused with, `no_server_for_application` of a retry, `subscription_ended`, `temporal_unreachable`
 */
export async function sendCommand(
  deps: { db: Db; client: Client },
  request: {
    subscriptionId: string
    command: SubscriptionCommand
    /** Who asks, and why in their own words: kept in a row, not sent. */
    actor: string
    reason?: string | undefined
    asked?: AskedTerms | undefined
    isRepeat?: boolean
  },
): Promise<void> {
  const { subscriptionId, command } = request
  const row = await findSubscription(deps.db, subscriptionId)
  if (!row) throw new BusinessError('not_found', 'There is no such subscription.')
  // A repeated one may be why the row stands where it stands: only the workflow knows.
  const refusal = request.isRepeat ? undefined : refuseCommand(standingOf(row), command.kind)
  if (refusal) throw refusal
  // What was undone takes no place any more: without one the retry is refused to whoever asks for it.
  if (command.kind === 'retryBuild' && row.phase === 'building')
    await deps.db.transaction().execute(async (tx) => reserveAgain(tx, subscriptionId))
  const { actor, reason = null, asked = null } = request
  await keepCommandNote(deps.db, { subscriptionId, requestId: command.requestId, actor, reason, asked })
  const answer = await update(deps.client, encodeId('subscription', subscriptionId), command).catch(
    async (error: unknown) => {
      throw (await refuseEnded(deps.db, subscriptionId, error)) ?? error
    },
  )
  if (answer.refusal) throw toRefusal(answer.refusal.code, answer.refusal.detail)
}

/** A subscription may end between our look at its row and the command: then its workflow is gone for good. */
async function refuseEnded(
  db: Db,
  subscriptionId: string,
  error: unknown,
): Promise<BusinessError | undefined> {
  if (!(error instanceof BusinessError) || error.code !== 'temporal_unreachable') return undefined
  const row = await findSubscription(db, subscriptionId)
  return row?.phase === 'ended'
    ? new BusinessError('subscription_ended', 'The subscription has ended meanwhile.', { cause: error })
    : undefined
}

async function update(
  client: Client,
  publicId: string,
  command: SubscriptionCommand,
): Promise<CommandAnswer> {
  const handle = client.workflow.getHandle(workflowIds.subscription(publicId))
  try {
    return await client.withDeadline(Date.now() + commandDeadlineMs, async () =>
      handle.executeUpdate<CommandAnswer, [SubscriptionCommand]>(command.kind, {
        args: [command],
        updateId: command.requestId,
      }),
    )
  } catch (error) {
    throw explain(error)
  }
}

/** What the client's errors mean for the one who asked. */
function explain(error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return new BusinessError(
      'temporal_unreachable',
      'The subscription’s workflow is not running yet, or just ended. Try again in a moment.',
      { cause: error },
    )
  }
  if (error instanceof WorkflowUpdateFailedError) return refusedByValidator(error)
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcServiceError(error)) {
    return new BusinessError(
      'temporal_unreachable',
      'The workflow did not answer in time. Send it again with the same Idempotency-Key: it is carried out once.',
      { cause: error },
    )
  }
  return error
}

/** A validator refuses with an application failure whose type is our code. */
function refusedByValidator(error: WorkflowUpdateFailedError): Error {
  const { cause } = error
  const type = cause && 'type' in cause && typeof cause.type === 'string' ? cause.type : ''
  return isErrorCode(type) ? new BusinessError(type, cause?.message ?? type, { cause: error }) : error
}

function toRefusal(code: string, detail: string): Error {
  if (isErrorCode(code)) return new BusinessError(code, detail)
  return new Error(`the workflow refused with an unknown code ${code}: ${detail}`)
}
