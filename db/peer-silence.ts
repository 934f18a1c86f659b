import type { Db } from './database.ts'
import { readBacklog } from './peer-queue.ts'
import { openPeerTask } from './peer-task.ts'
import { closeTasks } from './task.ts'

const longestReason = 1_000
/** An operator is told of messages that wait longer. */
const patienceMs = 60 * 60_000

/**
 * A peer does not take what waits for it: kept with the peer, and after an hour a task, or at once where a person has to mend something.
 * @param of.advice what there is to be mended
 * @returns what waits, since when and why, in one sentence
 */
export async function noteSilence(
  db: Db,
  of: { peerId: string; cause: string; advice?: string | undefined; now: string },
): Promise<string> {
  const { peerId, cause, advice, now } = of
  const { waiting, since } = await readBacklog(db, peerId)
  const reason = cause.slice(0, longestReason) || 'it does not answer'
  const sentence = `${waiting} messages wait since ${since}: ${reason}`
  await db.updateTable('peers').set({ waiting_reason: reason }).where('id', '=', peerId).execute()
  if (since !== null && Date.parse(since) + patienceMs < Date.parse(now))
    await openPeerTask(db, peerId, {
      kind: 'peer_unreachable',
      subject: 'A peer does not take its messages',
      detail: `${sentence}. They are sent by themselves once it answers.`,
    })
  if (advice !== undefined)
    await openPeerTask(db, peerId, {
      kind: 'peer_refuses',
      subject: 'A peer refuses our messages',
      detail: `${sentence.replace(/\.?$/, '.')} ${advice} What waits is sent by itself then.`,
    })
  return sentence
}

/** Why an invitation that was accepted here has led to nothing yet. */
export async function noteUnanswered(db: Db, peerId: string, reason: string): Promise<void> {
  await db
    .updateTable('peers')
    .set({ waiting_reason: reason.slice(0, longestReason) })
    .where('id', '=', peerId)
    .where('state', '=', 'accepting')
    .execute()
}

/** It takes them again. */
export async function endSilence(db: Db, peerId: string): Promise<void> {
  await db.updateTable('peers').set({ waiting_reason: null }).where('id', '=', peerId).execute()
  await closeTasks(db, { kind: 'peer', id: peerId, reason: 'answers again' }, [
    'peer_unreachable',
    'peer_refuses',
  ])
}
