import { assert } from '#domain/assert.ts'
import { BusinessError } from '#domain/errors.ts'
import { readUsageEvent, type UsageEvent } from '#domain/usage-event.ts'
import type { Refused } from '#db/usage-placing.ts'

/** A line of a stream that is no JSON. */
export class UnreadableLine {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return new UnreadableLine(line)
  }
}

/** @throws `json_malformed`, and as `readUsageEvent` */
export function readSent(value: unknown): UsageEvent {
  if (value instanceof UnreadableLine) throw new BusinessError('json_malformed', 'The line is not JSON.')
  return readUsageEvent(value)
}

/** Does together what can be read, and gives what came of it in the places of all. */
export async function withRead<Value, Event, Result>(
  values: readonly Value[],
  read: (value: Value) => Event,
  work: (events: readonly Event[]) => Promise<readonly (Result | Refused)[]>,
): Promise<(Result | Refused)[]> {
  const events: Event[] = []
  const refusals: (Refused | undefined)[] = values.map((value) => {
    try {
      events.push(read(value))
      return undefined
    } catch (error) {
      if (error instanceof BusinessError) return { refusal: error }
      throw error
    }
  })
  const results = (await work(events)).values()
  return refusals.map((refusal) => {
    if (refusal !== undefined) return refusal
    const { value: result } = results.next()
    assert(result !== undefined, 'what was read has a result')
    return result
  })
}
