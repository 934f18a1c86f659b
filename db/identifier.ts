import { randomBytes } from 'node:crypto'

/** A UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits. New rows sort after old ones. */
export function newId(): string {
  const [id = ''] = newIds(1)
  return id
}

/** Several at once, in ascending order, also within one millisecond. */
export function newIds(count: number): string[] {
  const time = Date.now().toString(16).padStart(12, '0')
  const head = `${time.slice(0, 8)}-${time.slice(8)}-7`
  const random = randomBytes(10 * count).toString('hex')
  return Array.from({ length: count }, (_, index) => {
    const own = random.slice(20 * index, 20 * (index + 1))
    const variant = '89ab'[Number.parseInt(own.charAt(3), 16) & 0b11]
    return `${head}${own.slice(0, 3)}-${variant}${own.slice(4, 7)}-${own.slice(7, 19)}`
  }).toSorted()
}
