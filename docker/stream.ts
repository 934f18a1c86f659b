const HEADER_BYTES = 8
const STDERR = 2

/**
 * Takes apart the engine's frames: one byte stream number, three unused, four bytes length, then the bytes. A frame cut off at the
 * end counts as far as it came.
 */
export function demultiplex(raw: Buffer): { stdout: string; stderr: string } {
  const all = split(raw)
  const textOf = (stream: Frame['stream']): string =>
    Buffer.concat(all.filter((one) => one.stream === stream).map((one) => one.bytes)).toString('utf8')
  return { stdout: textOf('stdout'), stderr: textOf('stderr') }
}

/** The frames one by one, in the order in which they were written. Of a log, each is a line. */
export function frames(raw: Buffer): { stream: Frame['stream']; text: string }[] {
  return split(raw).map(({ stream, bytes }) => ({ stream, text: bytes.toString('utf8') }))
}

interface Frame {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
}

function split(raw: Buffer): Frame[] {
  const found: Frame[] = []
  let at = 0
  while (at + HEADER_BYTES <= raw.length) {
    const end = at + HEADER_BYTES + raw.readUInt32BE(at + 4)
    const stream = raw.readUInt8(at) === STDERR ? 'stderr' : 'stdout'
    found.push({ stream, bytes: raw.subarray(at + HEADER_BYTES, end) })
    at = end
  }
  return found
}
