import { z } from '@hono/zod-openapi'
import { commandBuild, lockBuildStanding } from '#db/build-command.ts'
import type { Tx } from '#db/database.ts'
import { getBuild } from '#db/read/build.ts'
import type { BuildCommandKind } from '#domain/build-command.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { buildCommandedSignal, workflowIds } from '#workflows/contract.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { dispatchOutbox } from '../relay.ts'
import { buildDetailSchema, canRetry, stepActions } from '../schemas/build.ts'
import { addressField, idParams, textField } from '../schemas/common.ts'
import { readBuildDetail } from './builds.ts'

const reasonField = textField(500).trim().min(1).optional()
const cancelBuildSchema = z.strictObject({ reason: reasonField })
const stepCommandSchema = z.strictObject({
  step: addressField.openapi({ description: 'The id of one of its steps.' }),
  reason: reasonField.openapi({ description: 'Why; skip and mark-done need one.' }),
})

const summaries = {
  resume: 'Go back to a step, and go on from there',
  skip: 'Leave a step out, with a reason',
  'mark-done': 'Take a step as done, with a reason',
} as const

/** What operators ask of a build order, beside trying it again. */
export function registerBuildCommands(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/builds/{id}/cancel',
      permission: 'builds:write',
      tag: 'Builds',
      summary: 'Cancel a build: it stops between two steps and is undone',
      params: idParams,
      body: cancelBuildSchema,
      result: buildDetailSchema,
      effect: 'rows',
      refusals: ['action_not_allowed'],
    },
    async ({ transaction, params, body, principal, now, afterCommit }) => {
      const tx = transaction()
      const buildOrderId = await resolveAddress(tx, 'buildOrder', params.id)
      const { reason = null } = body
      await askOfBuild(tx, { kind: 'cancel', buildOrderId, stepId: null, reason, actor: principal.name })
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return await readBuildDetail(tx, buildOrderId, now)
    },
  )
  for (const action of ['resume', 'skip', 'mark-done'] as const) registerStepCommand(frame, action)
}

function registerStepCommand(frame: Frame, action: keyof typeof stepActions): void {
  frame.route(
    {
      method: 'post',
      path: `/v1/builds/{id}/${action}`,
      permission: 'builds:write',
      tag: 'Builds',
      summary: summaries[action],
      params: idParams,
      body: stepCommandSchema,
      result: buildDetailSchema,
      effect: 'rows',
      refusals: [
        'action_not_allowed',
        'id_kind_mismatch',
        ...(action === 'resume' ? [] : (['reason_required'] as const)),
      ],
    },
    async ({ transaction, params, body, principal, now, afterCommit }) => {
      const tx = transaction()
      const buildOrderId = await resolveAddress(tx, 'buildOrder', params.id)
      const stepId = decodeId('buildStep', body.step)
      const { reason = null } = body
      await askOfBuild(tx, { kind: stepActions[action], buildOrderId, stepId, reason, actor: principal.name })
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return await readBuildDetail(tx, buildOrderId, now)
    },
  )
}

/** The same for the JSON API and the forms of the console. @throws as `commandBuild` */
export async function askOfBuild(
  tx: Tx,
  asked: {
    kind: BuildCommandKind
    buildOrderId: string
    stepId: string | null
    reason: string | null
    actor: string
  },
): Promise<void> {
  const row = await getBuild(tx, asked.buildOrderId)
  const standing = await lockBuildStanding(tx, row, canRetry(row))
  const workflowId = workflowIds[row.kind](encodeId('buildOrder', row.id))
  await commandBuild(tx, asked, { workflowId, signal: buildCommandedSignal, standing })
}
