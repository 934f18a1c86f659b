import { isReached } from '#domain/agenda.ts'
import { fitsCeiling } from '#domain/waiting-change.ts'
import type { WaitingChangeTicket } from '#activities/waiting-change.ts'
import { database, onServerAtOnce } from './activities.ts'
import { toRefusal } from './failure.ts'
import { nowMs, update, type Life } from './subscription-life.ts'
import { settleLimits } from './subscription-limits.ts'
import { readAgenda } from './subscription-steps.ts'

/**
 * Makes the changes that wait for less use and fit by now, asking the instances themselves; at the end of a period it is told of
 * those that do not. Only where the agenda says that one waits is anything looked at.
 */
export async function settleWaitingChanges(life: Life): Promise<void> {
  if (life.state.agenda.waitingAtMs === undefined) return
  const isDue = isReached(life.state.agenda.waitingAtMs, nowMs(life))
  // It may have been suspended or cancelled since: the rows know whether anything is changed now.
  update(life, { agenda: await readAgenda(life) })
  if (life.state.agenda.waitingAtMs === undefined || life.state.phase !== 'active') return
  const waiting = await database.listWaitingChanges.executeWithOptions(
    { summary: 'which changes wait for less use' },
    [{ subscriptionId: life.subscriptionId }],
  )
  let isAnyMade = false
  for (const change of waiting) isAnyMade = (await settleChange(life, change, isDue)) || isAnyMade
  update(life, { agenda: await readAgenda(life) })
  if (isAnyMade) await settleLimits(life)
}

/** True when it was made. */
async function settleChange(life: Life, change: WaitingChangeTicket, isDue: boolean): Promise<boolean> {
  const { changeId, ceiling, code } = change
  const used = await readUsed(change)
  const key = { changeId, nowMs: nowMs(life) }
  if (used === null || !fitsCeiling(used, ceiling)) {
    if (isDue)
      await database.tellOfUnfit.executeWithOptions({ summary: `${ceiling} of ${code} do not fit yet` }, [
        { ...key, used },
      ])
    return false
  }
  try {
    await database.applyWaitingChange.executeWithOptions({ summary: `${ceiling} of ${code} fit now` }, [key])
    return true
  } catch (error) {
    const { code: refusal, detail } = toRefusal(error)
    await database.refuseWaitingChange.executeWithOptions({ summary: `not made: ${refusal}` }, [
      { ...key, detail },
    ])
    return false
  }
}

/** Null where the instance does not say: then it is asked again at the next look. */
async function readUsed({ instanceId, serverId, code }: WaitingChangeTicket): Promise<number | null> {
  try {
    const { inUse } = await onServerAtOnce(serverId).readLimit.executeWithOptions(
      { summary: `how much of ${code} is used` },
      [{ instanceId, code }],
    )
    return inUse
  } catch {
    return null
  }
}
