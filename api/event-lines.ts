import { BusinessError } from '#domain/errors.ts'

const longestLineBytes = 64 * 1024
const newLine = 0x0a

/**
 * The lines of a stream, as they come: those that each piece of it ends, together. Empty lines are left out; the last line needs no
 * line break.
 * @throws `usage_event_too_long`
 */
export async function* readLines(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string[]> {
  let rest = Buffer.alloc(0)
  for await (const piece of body) {
    const bytes = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece])
    const end = bytes.lastIndexOf(newLine)
    rest = bytes.subarray(end + 1)
    if (rest.length > longestLineBytes) {
      throw new BusinessError('usage_event_too_long', `A line is longer than ${longestLineBytes} bytes.`)
    }
    const lines = toLines(bytes.subarray(0, end + 1))
    if (lines.length > 0) yield lines
  }
  const last = toLines(rest)
  if (last.length > 0) yield last
}

function toLines(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
}
