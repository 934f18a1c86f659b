import { announcedChanges, type AnnouncedValues } from '#domain/announcement.ts'
import type { Tx } from './database.ts'
import { newIds } from './identifier.ts'
import { readSeller } from './seller.ts'

export interface LineAnnouncement {
  readonly subscription: { readonly id: string; readonly customer_id: string }
  readonly firstLineId: string
  readonly before: AnnouncedValues
  readonly after: AnnouncedValues
  readonly effectiveOn: string
}

/**
 * Keeps what customers are to be told of a change, in its transaction: of each line and field that the seller chose, the
 * value before and after, once for one command. What sends it reads these rows.
 */
export async function announce(tx: Tx, requestId: string, lines: readonly LineAnnouncement[]): Promise<void> {
  const { announcedFields } = await readSeller(tx)
  const changes = lines.flatMap(({ subscription, firstLineId, before, after, effectiveOn }) =>
    announcedChanges(announcedFields, before, after).map(({ field, oldValue, newValue }) => ({
      customer_id: subscription.customer_id,
      subscription_id: subscription.id,
      first_line_id: firstLineId,
      field,
      old_value: oldValue,
      new_value: newValue,
      effective_on: effectiveOn,
      request_id: requestId,
    })),
  )
  if (changes.length === 0) return
  const ids = newIds(changes.length)
  await tx
    .insertInto('announcements')
    .values(changes.map((change, index) => ({ id: ids[index] ?? '', ...change })))
    .onConflict((conflict) => conflict.constraint('announced_once').doNothing())
    .execute()
}
