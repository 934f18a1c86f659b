import { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { settleLostDocuments } from '#db/lost-settlement.ts'
import type { By } from '#db/peer.ts'
import { listLostDocuments } from '#db/read/lost-document.ts'
import { getPeer } from '#db/read/peer.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { lostDocumentSchema, lostSettlementSchema, toLostDocumentJson } from '../schemas/lost-document.ts'
import { peerSchema, toPeerJson } from '../schemas/peer.ts'

/** What peers have of ours after this installation was restored from an older backup. */
export function registerLostDocuments(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/lost-documents',
      permission: 'peers:read',
      tag: 'Peers',
      summary: 'List documents of ours that peers have and we have not',
      query: z.strictObject({ ...pageQuery, peer: addressField.optional() }),
      result: pageOf(lostDocumentSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const peerId = query.peer === undefined ? null : await resolveAddress(db, 'peer', query.peer)
      return toPage(await listLostDocuments(db, { ...page, peerId }), page, toLostDocumentJson)
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/peers/{id}/settle',
      permission: 'peers:write',
      tag: 'Peers',
      summary: 'Settle what a peer has of ours and we have not, and go on with it',
      description:
        'keep: the documents stay as the peer has them, and their series goes on behind their numbers. What was finalized here under a number that was given before stays, and is credited and billed anew by hand.',
      params: idParams,
      body: lostSettlementSchema,
      result: peerSchema,
      refusals: ['action_not_allowed'],
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const id = await settlePeer(tx, params.id, body, { actor: principal.name, now })
      return toPeerJson(await getPeer(tx, id))
    },
  )
}

/** @throws `not_found`, `action_not_allowed` */
async function settlePeer(
  tx: Tx,
  address: string,
  settlement: z.output<typeof lostSettlementSchema>,
  by: By,
): Promise<string> {
  const id = await resolveAddress(tx, 'peer', address)
  await settleLostDocuments(tx, id, settlement, by)
  return id
}
