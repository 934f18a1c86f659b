import { fieldError } from './errors.ts'
import type { OrderRequestLine, PlannedSubscription } from './order.ts'

/**
 * A line that names an external id names it for the subscription which it makes, and so makes exactly one: not a kit ordered
 * twice, no fee that joins another line, no addition.
 * @throws `field_invalid`, with the pointer of its line
 */
export function checkExternalIds(
  lines: readonly OrderRequestLine[],
  planned: readonly PlannedSubscription[],
): void {
  for (const [index, line] of lines.entries()) {
    if (line.externalId === undefined) continue
    const made = planned.filter(({ orderLineIndex }) => orderLineIndex === index).length
    if (made === 1) continue
    const detail = `An external id is one subscription's, and this line makes ${made === 0 ? 'none' : made}.`
    throw fieldError(`/lines/${index}/external_id`, 'field_invalid', detail)
  }
}
