import { BusinessError } from '#domain/errors.ts'
import { readUsageEvent, type UsageEvent } from '#domain/usage-event.ts'

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
