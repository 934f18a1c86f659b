import { isGrpcServiceError } from '@temporalio/client'
import { askPeer, findRefusal, refuseUnpaired, type NewPeerQuestion } from '#db/peer-question.ts'
import { getInstallation } from '#db/read/installation.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { taskQueues, workflowIds, workflowTypes, type PeerQuestionInput } from '#workflows/contract.ts'
import type { ApiDependencies } from './dependencies.ts'
import { isErrorCode } from './errors.ts'

/** The workflow has given up by then, and said why. */
const deadlineMs = 25_000

/**
 * Has another installation asked, and waits for what it says, which is in the row then. Sent again, it is the same question.
 * @returns the id of the row
 * @throws what it is refused with, `action_not_allowed`, `peer_unreachable`; `temporal_unreachable` where nobody knows yet
 */
export async function putQuestion(
  { db, client }: Pick<ApiDependencies, 'db' | 'client'>,
  asked: NewPeerQuestion,
): Promise<string> {
  await refuseUnpaired(db, asked.peerId)
  const questionId = await askPeer(db, asked)
  const { id } = await getInstallation(db)
  try {
    await client.withDeadline(Date.now() + deadlineMs, async () =>
      client.workflow.execute<(input: PeerQuestionInput) => Promise<void>>(workflowTypes.peerQuestion, {
        workflowId: workflowIds.peerQuestion(questionId),
        workflowIdConflictPolicy: 'USE_EXISTING',
        taskQueue: taskQueues.installation(encodeId('installation', id)),
        args: [{ questionId }],
        staticSummary: `asks ${encodeId('peer', asked.peerId)}`,
      }),
    )
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error
    const detail = 'The question was not asked in time. Send it again with the same Idempotency-Key.'
    throw new BusinessError('temporal_unreachable', detail, { cause: error })
  }
  const refusal = await findRefusal(db, questionId)
  if (refusal === null) return questionId
  const { code, detail } = refusal
  throw new BusinessError(isErrorCode(code) ? code : 'peer_unreachable', detail)
}
