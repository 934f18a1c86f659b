import { z } from '@hono/zod-openapi'
import type { Db, Tx } from '#db/database.ts'
import { signalPeer } from '#db/peer-signal.ts'
import { closePeer, readPeerStanding, resumePeer, type By } from '#db/peer.ts'
import { getPeer, listPeers } from '#db/read/peer.ts'
import { readMappingsWith } from '#db/told-mapping.ts'
import { peerSignals } from '#domain/peer-message.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { idParams } from '../schemas/common.ts'
import { peerDetailSchema, peerSchema, toPeerJson } from '../schemas/peer.ts'

/** Other installations that bill this one, or that it bills. */
export function registerPeers(frame: Frame): void {
  registerReading(frame)
  registerCommands(frame)
}

function registerReading(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/peers',
      permission: 'peers:read',
      tag: 'Peers',
      summary: 'List peers, with what waits for each',
      query: z.strictObject(pageQuery),
      result: pageOf(peerSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listPeers(db, page), page, toPeerJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/peers/{id}',
      permission: 'peers:read',
      tag: 'Peers',
      summary: 'Read a peer, with what is agreed of its products or ours',
      params: idParams,
      result: peerDetailSchema,
    },
    async ({ db, params }) => await readPeer(db, await resolveAddress(db, 'peer', params.id)),
  )
}

async function readPeer(db: Db, id: string) {
  const peer = await getPeer(db, id)
  const agreed = await readMappingsWith(db, peer)
  if (agreed === null) return { ...toPeerJson(peer), expense_mappings: null }
  const { toldAt, total, mappings } = agreed
  return { ...toPeerJson(peer), expense_mappings: { told_at: toldAt, total, mappings: [...mappings] } }
}

/** What a person decides of a peer, and how its workflow is told. */
const commands = {
  resume: {
    act: resumePeer,
    signal: peerSignals.resumed,
    described: { summary: 'Go on with a halted peer, once what halted it is settled' },
  },
  close: {
    act: closePeer,
    signal: peerSignals.closed,
    described: {
      summary: 'End the trust with a peer: nothing is sent or taken any more',
      description: 'What was received stays. What waits is not sent.',
    },
  },
} as const

export type PeerCommand = keyof typeof commands

function registerCommands(frame: Frame): void {
  for (const command of ['resume', 'close'] as const)
    frame.route(
      {
        method: 'post',
        path: `/v1/peers/{id}/${command}`,
        permission: 'peers:write',
        tag: 'Peers',
        ...commands[command].described,
        params: idParams,
        result: peerSchema,
        refusals: ['action_not_allowed'],
      },
      async ({ transaction, params, principal, now }) => {
        const tx = transaction()
        const id = await commandPeer(tx, params.id, command, { actor: principal.name, now })
        return toPeerJson(await getPeer(tx, id))
      },
    )
}

/** @throws `not_found`, `action_not_allowed` */
export async function commandPeer(tx: Tx, address: string, command: PeerCommand, by: By): Promise<string> {
  const id = await resolveAddress(tx, 'peer', address)
  const { act, signal } = commands[command]
  await act(tx, id, by)
  // Of a peer that nobody has accepted there is no workflow to be told.
  if ((await readPeerStanding(tx, id)).otherPeerId !== null) await signalPeer(tx, id, signal, by.now)
  return id
}
