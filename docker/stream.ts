const HEADER_BYTES = 8
const STDERR = 2

/**
 * Takes apart the engine's frames: one byte stream number, three unused, four bytes length, then the bytes. A frame cut off at the
 * end counts as far as it came.
 */
export function demultiplex(raw: Buffer): { stdout: string; stderr: string } {
  const out: Buffer[] = []
  const err: Buffer[] = []
  let at = 0
  while (at + HEADER_BYTES <= raw.length) {
    const end = at + HEADER_BYTES + raw.readUInt32BE(at + 4)
    const target = raw.readUInt8(at) === STDERR ? err : out
    target.push(raw.subarray(at + HEADER_BYTES, end))
    at = end
  }
  return { stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') }
}
