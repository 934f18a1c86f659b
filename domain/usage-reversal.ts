import Big from 'big.js'
import { fieldError, type BusinessError } from './errors.ts'
import type { UsageEvent } from './usage-event.ts'

/** The event that a reversing one names, as it was recorded. */
export interface ReversedEvent {
  readonly subscriptionId: string
  readonly metric: string
  readonly quantity: string
  readonly unit: string
  /** It takes back another one itself. */
  readonly isReversal: boolean
  /** Id of the event that has reversed it, of the same source. */
  readonly reversedBy: string | null
}

/**
 * Whether an event takes back a part or all of the one that it names: of 8 that were told, -3 leaves 5. An event is reversed
 * once, by one of the same subscription, metric and unit; what comes next of it is an event of its own.
 * @throws `reversed_event_unknown`, `already_reversed`, `reversal_too_large`, `field_invalid` with the pointer of what differs
 */
export function checkReversal(
  event: Pick<UsageEvent, 'id' | 'metric' | 'quantity' | 'unit' | 'reverses'>,
  subscriptionId: string,
  reversed: ReversedEvent | undefined,
): asserts reversed is ReversedEvent {
  const pointer = '/data/reverses'
  if (reversed === undefined || reversed.isReversal) {
    const detail = `There is no event ${event.reverses} of this source that could be reversed.`
    throw fieldError(pointer, 'reversed_event_unknown', detail)
  }
  if (reversed.subscriptionId !== subscriptionId) throw differs('/subject', 'the subscription')
  if (reversed.metric !== event.metric) throw differs('/type', 'the metric')
  if (event.unit !== null && event.unit !== reversed.unit) throw differs('/data/unit', 'the unit')
  // Sent once more, it is a duplicate.
  if (reversed.reversedBy !== null && reversed.reversedBy !== event.id) {
    const detail = `${event.reverses} was reversed already, by ${reversed.reversedBy}.`
    throw fieldError(pointer, 'already_reversed', detail)
  }
  if (new Big(reversed.quantity).plus(event.quantity).lt(0)) {
    const detail = `The event was ${reversed.quantity}: no more than that can be taken back.`
    throw fieldError('/data/quantity', 'reversal_too_large', detail)
  }
}

function differs(pointer: string, what: string): BusinessError {
  return fieldError(pointer, 'field_invalid', `An event is reversed by one with ${what} of its own.`)
}
