import { sql } from 'kysely'
import { peerSignals, type Understanding } from '#domain/peer-message.ts'
import type { Tx } from './database.ts'
import { signalPeer } from './peer-signal.ts'
import { closeTasks } from './task.ts'
import { tellMappingsTo } from './told-mapping.ts'

/** Whether it is known that the other side understands this, and nothing else: then nothing has to be kept. */
export function isKnown(
  known: { readonly otherVersion: number; readonly otherKinds: readonly string[] },
  { version, kinds }: Understanding,
): boolean {
  return version === known.otherVersion && JSON.stringify(kinds) === JSON.stringify(known.otherKinds)
}

/**
 * Keeps what the other side says that it understands. What has waited for that is sent now, and a supplier that has come to understand
 * what is mapped is told of it.
 */
export async function noteUnderstanding(
  tx: Tx,
  peerId: string,
  { version, kinds, now }: Understanding & { now: string },
): Promise<void> {
  const changed = await tx
    .updateTable('peers')
    .set({ other_version: version, other_kinds: [...kinds], is_awake: true })
    .where('id', '=', peerId)
    .where(
      sql<boolean>`(other_version, other_kinds) is distinct from (${version}::integer, ${[...kinds]}::text[])`,
    )
    .returning('id')
    .executeTakeFirst()
  if (changed === undefined) return
  await closeTasks(tx, { kind: 'peer', id: peerId, reason: 'it understands more' }, ['peer_outdated'])
  await signalPeer(tx, peerId, peerSignals.messagesWait, `understood/${now}`)
  await tellMappingsTo(tx, peerId)
}
