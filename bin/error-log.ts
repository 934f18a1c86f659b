import { messageOf } from '#domain/errors.ts'

/** What a worker could not do, as a line of its log. */
export function logError(part: string, error: unknown): void {
  console.error(JSON.stringify({ message: part, error: messageOf(error) }))
}
