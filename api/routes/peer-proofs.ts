import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { getProof, listProofs } from '#db/read/peer-question.ts'
import { fieldError } from '#domain/errors.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { putQuestion } from '../peer-asking.ts'
import { addressField, idParams } from '../schemas/common.ts'
import {
  newProofSchema,
  proofDetailSchema,
  proofSchema,
  toProofDetailJson,
  toProofJson,
} from '../schemas/peer-question.ts'

/** Whether two installations have the same documents, by each other's signed word. */
export function registerPeerProofs(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/peers/{id}/proofs',
      permission: 'peers:write',
      tag: 'Peers',
      summary: 'Compare the documents of a range with a peer',
      description:
        'Each side says, signed, what its documents come to, month by month. Where a month differs, its documents are listed, and those that are missing or differ are named.',
      params: idParams,
      body: newProofSchema,
      result: proofDetailSchema,
      status: 201,
      effect: 'command',
      refusals: ['action_not_allowed', 'date_range_invalid', 'peer_refuses', 'peer_unreachable'],
    },
    async ({ db, params, body, principal, now, commandId }) =>
      toProofDetailJson(
        await prove(frame, db, { address: params.id, body, by: principal.name, now, key: commandId }),
      ),
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/peer-proofs',
      permission: 'peers:read',
      tag: 'Peers',
      summary: 'List what was compared with peers, by us and by them',
      query: z.strictObject({ ...pageQuery, peer: addressField.optional() }),
      result: pageOf(proofSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const peerId = query.peer === undefined ? null : await resolveAddress(db, 'peer', query.peer)
      return toPage(await listProofs(db, { ...page, peerId }), page, toProofJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/peer-proofs/{id}',
      permission: 'peers:read',
      tag: 'Peers',
      summary: 'Read one comparison, with the messages as they were signed',
      params: idParams,
      result: proofDetailSchema,
    },
    async ({ db, params }) =>
      toProofDetailJson(await getProof(db, await resolveAddress(db, 'proof', params.id))),
  )
}

export interface AskedProof {
  readonly address: string
  readonly body: z.output<typeof newProofSchema>
  readonly by: string
  readonly now: string
  readonly key: string
}

/** @throws what `putQuestion` throws, `not_found`, `date_range_invalid` */
export async function prove({ deps }: Pick<Frame, 'deps'>, db: Db, asked: AskedProof) {
  const { now } = asked
  const peerId = await resolveAddress(db, 'peer', asked.address)
  const today = Temporal.PlainDate.from(now.slice(0, 10))
  const to = asked.body.to ?? today.add({ days: 1 }).toString()
  const from = asked.body.from ?? Temporal.PlainDate.from(to).subtract({ years: 1 }).toString()
  if (from >= to) throw fieldError('/from', 'date_range_invalid', `${from} is not before ${to}.`)
  const id = await putQuestion(deps, {
    peerId,
    key: asked.key,
    kind: 'proof',
    question: { from, to },
    askedBy: asked.by,
    now,
  })
  return await getProof(db, id)
}
