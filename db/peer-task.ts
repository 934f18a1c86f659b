import { within, type Db } from './database.ts'
import { openTask, type NewTask } from './task.ts'

/** A task about a peer. Of one that is closed nobody has anything to do: what was under way meanwhile opens none, which nobody could close. */
export async function openPeerTask(
  db: Db,
  peerId: string,
  task: Pick<NewTask, 'kind' | 'subject' | 'detail'>,
): Promise<void> {
  await within(db, async (tx) => {
    const { state } = await tx
      .selectFrom('peers')
      .select('state')
      .where('id', '=', peerId)
      .forNoKeyUpdate()
      .executeTakeFirstOrThrow()
    if (state !== 'closed') await openTask(tx, { ...task, subjectKind: 'peer', subjectId: peerId })
  })
}
