import type { Db } from './database.ts'
import type { AskedTerms } from './tables/subscription.ts'

/** Who asked for a command, why in their own words, and what terms. */
export interface CommandNote {
  readonly actor: string
  readonly reason: string | null
  readonly asked?: AskedTerms | null
}

/** Written before the command is sent; sent again, the first note stays. */
export async function keepCommandNote(
  db: Db,
  command: { subscriptionId: string; requestId: string } & CommandNote,
): Promise<void> {
  await db
    .insertInto('command_notes')
    .values({
      subscription_id: command.subscriptionId,
      request_id: command.requestId,
      actor: command.actor,
      reason: command.reason,
      asked: command.asked ? JSON.stringify(command.asked) : null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** A command without a note is our own, such as a test clock's. */
export async function readCommandNote(
  db: Db,
  command: { subscriptionId: string; requestId: string },
): Promise<CommandNote> {
  const note = await db
    .selectFrom('command_notes')
    .select(['actor', 'reason', 'asked'])
    .where('subscription_id', '=', command.subscriptionId)
    .where('request_id', '=', command.requestId)
    .executeTakeFirst()
  return note ?? { actor: 'Clouder', reason: null }
}
