import { within, type Db, type Tx } from './database.ts'
import { noChanges, type LineChanges } from './line-change.ts'
import { lockDocuments } from './subscription-documents.ts'
import { lockSubscription, type Subscription } from './subscription.ts'

export interface CommandKey {
  readonly subscriptionId: string
  readonly requestId: string
  readonly actor: string
  /** The instant of the command in the subscription's own time. */
  readonly now: string
}

/**
 * Carries out a command once: its effect, what it replaced, and the note that it was handled are one transaction.
 * Lock order, always: subscription, documents by id, lines. Billing begins with the document: who has it has its lines.
 */
export async function once(
  db: Db,
  key: CommandKey,
  kind: string,
  effect: (changes: LineChanges, subscription: Subscription) => Promise<void>,
): Promise<void> {
  await within(db, async (tx) => {
    const subscription = await lockSubscription(tx, key.subscriptionId)
    await lockDocuments(tx, key.subscriptionId)
    if (!(await isNew(tx, key, kind))) return
    const changes = noChanges(tx, subscription, key.requestId)
    await effect(changes, subscription)
    await keepReplaced(changes)
  })
}

async function isNew(tx: Tx, key: CommandKey, kind: string): Promise<boolean> {
  const row = await tx
    .insertInto('subscription_commands')
    .values({
      subscription_id: key.subscriptionId,
      request_id: key.requestId,
      kind,
      actor: key.actor,
      refusal: null,
      replaced: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('request_id')
    .executeTakeFirst()
  return row !== undefined
}

async function keepReplaced(changes: LineChanges): Promise<void> {
  const { tx, subscription, requestId, ended, dropped, opened } = changes
  if (ended.length + dropped.length + opened.length === 0) return
  await tx
    .updateTable('subscription_commands')
    .set({ replaced: JSON.stringify({ ended, dropped, opened }) })
    .where('subscription_id', '=', subscription.id)
    .where('request_id', '=', requestId)
    .execute()
}

/** The newest command of a kind before the one that is carried out. */
export async function findLastCommand(
  { tx, subscription, requestId }: LineChanges,
  kind: string,
): Promise<string | undefined> {
  const row = await tx
    .selectFrom('subscription_commands')
    .select('request_id')
    .where('subscription_id', '=', subscription.id)
    .where('kind', '=', kind)
    .where('request_id', '<>', requestId)
    .orderBy('handled_at', 'desc')
    .executeTakeFirst()
  return row?.request_id
}
