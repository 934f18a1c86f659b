import { randomBytes } from 'node:crypto'

/** A UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits. New rows sort after old ones. */
export function newId(): string {
  return toUuid(randomBytes(16))
}

/** Several at once, in ascending order, also within one millisecond. */
export function newIds(count: number): string[] {
  const bytes = randomBytes(16 * count)
  return Array.from({ length: count }, (_, index) =>
    toUuid(bytes.subarray(16 * index, 16 * (index + 1))),
  ).toSorted()
}

function toUuid(bytes: Buffer): string {
  bytes.writeUIntBE(Date.now(), 0, 6)
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x70
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
