import type { RestoreTicket } from '#activities/restore.ts'
import type { SubscriptionCommand } from '#domain/subscription.ts'
import { database, onServerForLong } from './activities.ts'
import { toRefusal, type Refusal } from './failure.ts'
import { answer, nowMs, type Life } from './subscription-life.ts'
import { applySoldLimits } from './subscription-limits.ts'
import { takeReadings } from './subscription-steps.ts'

/**
 * Puts a backup in place of what an instance holds. Who asks is answered once it has begun, for volumes may be large; how it ends
 * is told by its row and the timeline.
 */
export async function restore(
  life: Life,
  { requestId, backupId }: SubscriptionCommand & { kind: 'restore' },
): Promise<null> {
  const ticket = await database.openRestore.executeWithOptions({ summary: `restore ${backupId} in place` }, [
    { subscriptionId: life.subscriptionId, requestId, nowMs: nowMs(life), backupId },
  ])
  answer(life, requestId, null)
  await carryOutRestore(life, ticket, async () => await takeReadings(life, 'closing reading', false))
  return null
}

/** A restore whose workflow was lost is gone on with: every part of it may be done again. */
export async function goOnRestoring(life: Life): Promise<void> {
  const { restore: ticket, ...state } = life.state
  if (ticket === undefined) return
  life.state = state
  await carryOutRestore(life, ticket)
}

async function carryOutRestore(
  life: Life,
  { restoreId, serverId }: RestoreTicket,
  readFirst: () => Promise<void> = async () => {},
): Promise<void> {
  const server = onServerForLong(serverId)
  const replaceAndStart = async (by: 'backup' | 'before', summary: string) => {
    await server.replaceContent.executeWithOptions({ summary }, [{ restoreId, by }])
    await server.startRestored.executeWithOptions({ summary: 'start, and see it ready' }, [{ restoreId }])
  }
  const failure = await tryTo(async () => {
    await readFirst()
    await server.saveBeforeRestore.executeWithOptions({ summary: 'stop, and save what is there' }, [
      { restoreId },
    ])
    await replaceAndStart('backup', 'put the backup in place')
  })
  const stuck =
    failure && (await tryTo(async () => await replaceAndStart('before', 'put back what was there')))
  const state = stuck ? 'failed' : failure ? 'undone' : 'done'
  await database.closeRestore.executeWithOptions({ summary: `restore ${state}` }, [
    { restoreId, state, ...(failure ? { failure: stuck ?? failure } : {}), nowMs: nowMs(life) },
  ])
  if (stuck) return
  await applySoldLimits(life)
  await takeReadings(life, 'opening reading', true)
}

async function tryTo(work: () => Promise<void>): Promise<Refusal | null> {
  try {
    await work()
    return null
  } catch (error) {
    return toRefusal(error)
  }
}
