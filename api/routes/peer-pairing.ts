import { randomBytes } from 'node:crypto'
import type { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { acceptPeer, invitePeer, redeemInvitation } from '#db/peer-pairing.ts'
import { readOwnPublicKey } from '#db/peer-key.ts'
import { readAboveFor } from '#db/peer-level.ts'
import { startPeer } from '#db/peer-start.ts'
import { getInstallation } from '#db/read/installation.ts'
import { getPeer } from '#db/read/peer.ts'
import { fieldError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { checkPeerUrl, readInvitation, roleOverThere, writeInvitation, type PeerRole } from '#domain/peer.ts'
import { firstUnderstanding, ownUnderstanding, peerPaths } from '#domain/peer-message.ts'
import { resolveField } from '../addressing.ts'
import { hashSecret } from '../api-key.ts'
import type { Frame } from '../frame.ts'
import {
  acceptedInvitationSchema,
  newInvitationSchema,
  peerInvitationSchema,
  peerPairingSchema,
  peerRedemptionSchema,
  peerSchema,
  toPeerJson,
} from '../schemas/peer.ts'

const codeBytes = 16
/** Of all who come with an invitation, or without one. */
const redemptionPace = { name: 'peer_redemptions', perSecond: 5, burst: 50 }

/** How two installations come to trust each other: invited here, accepted there, redeemed between them. */
export function registerPeerPairing(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/peers/invitations',
      permission: 'peers:write',
      tag: 'Peers',
      summary: 'Invite another installation, to bill us or to be billed',
      description:
        'The invitation is in this answer only and holds for ten minutes. Before it is accepted nothing is sent.',
      body: newInvitationSchema,
      result: peerInvitationSchema,
      status: 201,
      effect: 'unkept',
      refusals: ['customer_unknown', 'field_required', 'peer_taken'],
    },
    async ({ body, principal, now }) => await makeInvitation(frame, body, { actor: principal.name, now }),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/peers',
      permission: 'peers:write',
      tag: 'Peers',
      summary: 'Accept the invitation of another installation',
      description:
        'It is redeemed over there by the peer’s workflow; the peer is active once that has answered.',
      body: acceptedInvitationSchema,
      result: peerSchema,
      status: 201,
      refusals: [
        'customer_unknown',
        'field_required',
        'invitation_invalid',
        'peer_taken',
        'peer_url_refused',
      ],
    },
    async ({ transaction, body, principal, now }) => {
      const tx = transaction()
      const id = await acceptInvitation(frame, tx, body, { actor: principal.name, now })
      return toPeerJson(await getPeer(tx, id))
    },
  )
  frame.route(
    {
      method: 'post',
      path: peerPaths.redemption,
      permission: 'public',
      tag: 'Peers',
      summary: 'Redeem an invitation: for installations, not for people',
      description:
        'The code is the right to ask, once. Who asks again with the same key gets the same answer.',
      body: peerRedemptionSchema,
      result: peerPairingSchema,
      pace: redemptionPace,
      refusals: [
        'currency_unknown',
        'invitation_expired',
        'invitation_unknown',
        'invitation_used',
        'peer_cycle',
        'peer_is_own',
        'peer_taken',
        'peer_url_refused',
        'too_many_requests',
      ],
    },
    async ({ body, now }) =>
      await frame.deps.db.transaction().execute(async (tx) => {
        const { id: ownInstallationId, sellerName: name } = await getInstallation(tx)
        const peerId = decodeId('peer', body.peer)
        const currency = await redeemInvitation(
          tx,
          {
            peerId,
            otherPeerId: decodeId('peer', body.own_peer),
            codeSha256: hashSecret(body.code),
            installationId: decodeId('installation', body.installation),
            name: body.name,
            url: checkPeerUrl(body.url),
            publicKey: Buffer.from(body.public_key, 'base64url'),
            currency: body.currency,
            customer: body.customer ?? null,
            understands: body.understands ?? firstUnderstanding,
            above: body.above ?? [],
          },
          { ownInstallationId, now },
        )
        await startPeer(tx, peerId, {})
        const publicKey = (await readOwnPublicKey(tx, peerId)).toString('base64url')
        const { role, customer } = await getPeer(tx, peerId)
        return {
          installation: encodeId('installation', ownInstallationId),
          name,
          public_key: publicKey,
          currency,
          customer: role === 'customer' ? customer : null,
          understands: ownUnderstanding,
          above: await readAboveFor(tx, peerId),
        }
      }),
  )
}

/** Kept nowhere: only the hash of its code is. @throws `peer_taken`, and what a customer is refused with */
export async function makeInvitation(
  frame: Frame,
  { role, customer }: z.output<typeof newInvitationSchema>,
  by: { actor: string; now: string },
): Promise<z.input<typeof peerInvitationSchema>> {
  const { db, installationKey, publicUrl } = frame.deps
  const id = newId()
  const code = randomBytes(codeBytes).toString('base64url')
  const peer = encodeId('peer', id)
  await db.transaction().execute(async (tx) => {
    const customerId = await customerOf(tx, role, customer)
    await invitePeer(tx, { id, role, customerId, codeSha256: hashSecret(code) }, installationKey, by)
  })
  const { invitation_expires_at: expiresAt } = await getPeer(db, id)
  const invitation = writeInvitation({ url: publicUrl, peer, role: roleOverThere(role), code })
  const command = `npx clouder peers accept ${invitation}`
  return { peer, invitation, expires_at: expiresAt ?? by.now, command }
}

/** It is redeemed over there by the peer's workflow. @throws `invitation_invalid`, `peer_taken`, and what a customer is refused with */
export async function acceptInvitation(
  { deps }: Frame,
  tx: Tx,
  { invitation, customer }: z.output<typeof acceptedInvitationSchema>,
  by: { actor: string; now: string },
): Promise<string> {
  const { peer, role, code, url } = readInvitation(invitation)
  const id = newId()
  const otherPeerId = decodeId('peer', peer)
  const customerId = await customerOf(tx, role, customer)
  await acceptPeer(tx, { id, otherPeerId, role, customerId, url, code }, deps.installationKey, by)
  await startPeer(tx, id, { isAccepting: true })
  return id
}

/** Whom we bill is named by us, on whichever side the invitation began. */
async function customerOf(tx: Tx, role: PeerRole, text: string | undefined): Promise<string | null> {
  if (role === 'supplier') return null
  if (text === undefined)
    throw fieldError('/customer', 'field_required', 'Say which customer the other installation is.')
  return await resolveField(tx, { kind: 'customer', text, pointer: '/customer', unknown: 'customer_unknown' })
}
